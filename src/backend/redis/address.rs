//! Where a server listens.

use std::fmt;

/// A host and port, or the path of a socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Address {
    Tcp { host: String, port: u16 },
    Unix(String),
}

impl Address {
    /// What follows `host:`, `host` or `[::1]:` as people write them.
    pub(super) fn parse(text: &str, default_port: u16) -> Result<Self, String> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let Some((host, port)) = rest.split_once(']') else {
                    return Err(format!("the `[` in {text:?} is never closed"));
                };
                (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("")))
            }
            None => match text.rsplit_once(':') {
                Some((host, _)) if host.contains(':') => {
                    return Err(format!("the IPv6 address {text:?} has to stand in brackets: `[{text}]`"));
                }
                Some((host, port)) => (host, Some(port)),
                None => (text, Some("")),
            },
        };
        let port = match port {
            Some("") => default_port,
            Some(port) => match port.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(format!("{port:?} is no port; write a number from 1 to 65535")),
            },
            None => return Err(format!("after the `]` in {text:?} belongs `:PORT` or nothing")),
        };
        if host.is_empty() {
            return Err(format!("{text:?} names no host"));
        }
        Ok(Self::Tcp { host: host.to_owned(), port })
    }

    /// The node that a cluster calls `host:port`, which has no brackets and no host if it is that of `asked`.
    pub(super) fn of_node(text: &str, asked: &Self) -> Option<Self> {
        let (host, port) = text.trim().rsplit_once(':')?;
        let port = port.parse().ok()?;
        let host = match (host, asked) {
            ("" | "?", Self::Tcp { host, .. }) => host.clone(),
            (host, _) => host.to_owned(),
        };
        Some(Self::Tcp { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => f.write_str(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read_as_people_write_them() {
        let read = |text| Address::parse(text, 6379).map(|address| address.to_string());
        for (text, expected) in [
            ("h", "h:6379"),
            ("h:", "h:6379"),
            ("10.0.0.1:7000", "10.0.0.1:7000"),
            ("[::1]", "[::1]:6379"),
            ("[fe80::2]:7000", "[fe80::2]:7000"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("", "names no host"),
            (":7000", "names no host"),
            ("h:0", "is no port"),
            ("h:redis", "is no port"),
            ("h:70000", "is no port"),
            ("::1", "in brackets: `[::1]`"),
            ("[::1", "never closed"),
            ("[::1]7", "belongs `:PORT`"),
        ] {
            assert!(read(text).unwrap_err().contains(expected), "{text}: {:?}", read(text));
        }
    }
}
