//! What a Redis URL says.

use super::address::Address;
use std::fmt;

/// Which servers to ask and as whom.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::backend) struct Endpoint {
    pub(super) topology: Topology,
    /// The server, or the sentinels or cluster nodes to ask first.
    pub(super) addresses: Vec<Address>,
    pub(super) tls: bool,
    pub(super) db: u32,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

/// How to find the server that has the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topology {
    /// There is one.
    Standalone,
    /// Sentinels know the master of this name.
    Sentinel { master: String },
    /// Any node knows which one has a slot.
    Cluster,
}

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

impl Endpoint {
    /// The schemes that this backend speaks.
    pub(in crate::backend) const SCHEMES: [&str; 7] = [
        "redis",
        "rediss",
        "redis+unix",
        "redis+sentinel",
        "rediss+sentinel",
        "redis+cluster",
        "rediss+cluster",
    ];

    pub(super) fn scheme(&self) -> &'static str {
        match (&self.topology, self.addresses.first(), self.tls) {
            (Topology::Standalone, Some(Address::Unix(_)), _) => "redis+unix",
            (Topology::Standalone, _, false) => "redis",
            (Topology::Standalone, _, true) => "rediss",
            (Topology::Sentinel { .. }, _, false) => "redis+sentinel",
            (Topology::Sentinel { .. }, _, true) => "rediss+sentinel",
            (Topology::Cluster, _, false) => "redis+cluster",
            (Topology::Cluster, _, true) => "rediss+cluster",
        }
    }

    /// Reads what follows `scheme:`. Errors say what to write and never repeat what may be a secret.
    pub(in crate::backend) fn parse(scheme: &str, rest: &str) -> Result<Self, String> {
        let form = match scheme {
            "redis+unix" => "redis+unix:///PATH",
            "redis+sentinel" | "rediss+sentinel" => "//HOST:PORT,HOST:PORT/MASTER",
            "redis+cluster" | "rediss+cluster" => "//HOST:PORT,HOST:PORT",
            _ => "//HOST:PORT/DB",
        };
        let Some(rest) = rest.strip_prefix("//") else { return Err(format!("write `{scheme}:{form}`")) };
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        if let Some((_, query)) = place.split_once(['?', '#']) {
            let key = query.split(['=', '&']).next().unwrap_or_default();
            return Err(format!(
                "it has no parameter {key:?}, and no others; remove what follows the `?` or `#`"
            ));
        }
        let (username, password) = login.map_or(Ok((None, None)), read_login)?;
        let tls = scheme.starts_with("rediss");
        if scheme == "redis+unix" {
            let path = decode(place).filter(|path| path.starts_with('/'));
            let Some(path) = path else { return Err(format!("write `{form}` with the path of the socket")) };
            let addresses = vec![Address::Unix(path)];
            return Ok(Self { topology: Topology::Standalone, addresses, tls, db: 0, username, password });
        }
        let (hosts, path) = place.split_once('/').unwrap_or((place, ""));
        let path = path.trim_matches('/');
        let sentinel = scheme.ends_with("+sentinel");
        let port = if sentinel { SENTINEL_PORT } else { PORT };
        let (topology, db) = if sentinel {
            let (master, db) = path.split_once('/').unwrap_or((path, ""));
            let Some(master) = decode(master).filter(|master| !master.is_empty()) else {
                return Err(format!("it names no master; write `{scheme}:{form}`"));
            };
            (Topology::Sentinel { master }, read_db(db)?)
        } else if scheme.ends_with("+cluster") {
            if read_db(path)? != 0 {
                return Err(format!("a cluster has database 0 only, not {path}; separate by the prefix"));
            }
            (Topology::Cluster, 0)
        } else {
            (Topology::Standalone, read_db(path)?)
        };
        let addresses =
            hosts.split(',').map(|host| Address::parse(host, port)).collect::<Result<Vec<_>, _>>()?;
        if topology == Topology::Standalone && addresses.len() > 1 {
            return Err("it names several hosts; use `redis+sentinel:` or `redis+cluster:`".to_owned());
        }
        Ok(Self { topology, addresses, tls, db, username, password })
    }
}

fn read_login(login: &str) -> Result<(Option<String>, Option<String>), String> {
    let (username, password) = match login.split_once(':') {
        Some((username, password)) => (username, Some(password)),
        None => (login, None),
    };
    let read = |part: &str| {
        decode(part).ok_or_else(|| {
            "its user or password is not percent-encoded UTF-8; write a `%` in it as `%25`".to_owned()
        })
    };
    let username = Some(read(username)?).filter(|name| !name.is_empty());
    Ok((username, password.map(read).transpose()?.filter(|password| !password.is_empty())))
}

fn read_db(text: &str) -> Result<u32, String> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| format!("{text:?} is no database; write its number, such as `/2`"))
}

/// Resolves `%41`; `None` if that is malformed.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let [high, low, after @ ..] = rest else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(*high)? * 16 + digit(*low)?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// The URL, without the password.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme())?;
        if let Some(username) = &self.username {
            write!(f, "{username}@")?;
        }
        for (n, address) in self.addresses.iter().enumerate() {
            write!(f, "{}{address}", if n == 0 { "" } else { "," })?;
        }
        if let Topology::Sentinel { master } = &self.topology {
            write!(f, "/{master}")?;
        }
        match self.db {
            0 => Ok(()),
            db => write!(f, "/{db}"),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Endpoint, String> {
        let (scheme, rest) = url.split_once(':').unwrap();
        Endpoint::parse(scheme, rest)
    }

    #[test]
    fn urls_are_read_and_shown_without_the_password() {
        for (url, shown) in [
            ("redis://h", "redis://h:6379"),
            ("redis://:secret@h:7/", "redis://h:7"),
            ("redis://:s#ecret?@h:7/", "redis://h:7"),
            ("redis://u:s%40cret@h/3", "redis://u@h:6379/3"),
            ("rediss://[::1]:7000/1", "rediss://[::1]:7000/1"),
            ("redis+unix:///run/redis.sock", "redis+unix:///run/redis.sock"),
            ("redis+sentinel://:secret@a,b:7/main/2", "redis+sentinel://a:26379,b:7/main/2"),
            ("rediss+sentinel://a/main", "rediss+sentinel://a:26379/main"),
            ("redis+cluster://u:p@a:1,b:2", "redis+cluster://u@a:1,b:2"),
            ("rediss+cluster://a/0", "rediss+cluster://a:6379"),
        ] {
            let endpoint = read(url).unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert!(!format!("{endpoint:?}").contains("ecret"));
        }
        let endpoint = read("redis://us%65r:s%40cr%3aet%3F@h/3").unwrap();
        assert_eq!((endpoint.username.as_deref(), endpoint.db), (Some("user"), 3));
        assert_eq!(endpoint.password.as_deref(), Some("s@cr:et?"));
        // A user alone is a user; the password may come from elsewhere.
        let endpoint = read("redis://user@h").unwrap();
        assert_eq!((endpoint.username.as_deref(), endpoint.password), (Some("user"), None));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_to_write_and_no_secret() {
        for (url, expected) in [
            ("redis:h", "write `redis://HOST:PORT/DB`"),
            ("redis+sentinel:", "write `redis+sentinel://HOST:PORT,HOST:PORT/MASTER`"),
            ("redis://", "names no host"),
            ("redis://u:secret@h/x", "\"x\" is no database"),
            ("redis://u:secret@h/-1", "\"-1\" is no database"),
            ("redis://u:sec%ret@h", "write a `%` in it as `%25`"),
            ("redis://u:secret@h?protocol=resp3", "no parameter \"protocol\""),
            ("rediss://u:secret@h#insecure", "no parameter \"insecure\""),
            ("redis://a,b", "several hosts"),
            ("redis+sentinel://a,b", "names no master"),
            ("redis+cluster://a,b/2", "a cluster has database 0 only, not 2"),
            ("redis+unix://run/redis.sock", "with the path of the socket"),
        ] {
            let error = read(url).unwrap_err();
            assert!(error.contains(expected), "{url}: {error}");
            assert!(!error.contains("secret"), "{url}: {error}");
        }
    }
}
