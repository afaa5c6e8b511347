//! Which hosts may be called.

use super::address::forbidden;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};

/// The hosts that may be called: those on a list, or all; but never by an address that belongs to the machine's own
/// network, unless the list names it.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Hosts {
    allowed: Option<Vec<String>>,
}

impl Hosts {
    /// Only these: `HOST`, `HOST:PORT`, `*.DOMAIN`.
    pub(in super::super) fn only(hosts: impl IntoIterator<Item = String>) -> Self {
        let hosts = hosts.into_iter().map(|host| host.trim().to_lowercase());
        Self { allowed: Some(hosts.collect()) }
    }

    /// A host more, if there is a list.
    pub(in super::super) fn also(&mut self, url: &Url) {
        if let (Some(allowed), Some(host)) = (&mut self.allowed, url.host_str()) {
            allowed.push(format!(
                "{}:{}",
                host.to_lowercase(),
                url.port_or_known_default().unwrap_or_default()
            ));
        }
    }

    /// Whether a URL may be called, as far as it shows.
    pub(super) fn check(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("a URL has to begin with http:// or https://, not {}:", url.scheme()));
        }
        let host = url.host_str().unwrap_or_default();
        match &self.allowed {
            Some(_) if self.lists(url) => Ok(()),
            Some(_) => {
                Err(format!("the host {host} may not be called: it is not in workflow.request.allow_hosts"))
            }
            None => match address_of(url).and_then(forbidden) {
                Some(what) => Err(format!("{host} may not be called: it is {what}")),
                None => Ok(()),
            },
        }
    }

    /// Whether the list names the host of a URL.
    pub(super) fn lists(&self, url: &Url) -> bool {
        let Some(host) = url.host_str().map(str::to_lowercase) else { return false };
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
        self.allowed.iter().flatten().any(|allowed| match allowed.strip_prefix("*.") {
            Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
            None => *allowed == host || *allowed == with_port,
        })
    }
}

fn address_of(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

/// Finds the addresses of hosts, and leaves out those that no request goes to. So it does not matter what a name was
/// said to be before.
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let what = found.iter().find_map(|address| forbidden(address.ip()));
            let good: Vec<SocketAddr> =
                found.into_iter().filter(|address| forbidden(address.ip()).is_none()).collect();
            match what {
                Some(what) if good.is_empty() => {
                    Err(format!("{} may not be called: it is {what}", name.as_str()).into())
                }
                _ => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_hosts_ports_and_domains() {
        let hosts = Hosts::only(["api.example.org", "*.test", "Local:81", "169.254.0.9"].map(str::to_owned));
        for (url, allowed) in [
            ("https://api.example.org/x", true),
            ("https://API.example.org:9/x", true),
            ("https://example.org/", false),
            ("https://a.b.test/", true),
            ("https://test/", false),
            ("https://atest/", false),
            ("http://local:81/", true),
            ("http://local/", false),
            ("http://169.254.0.9/", true),
            ("http://169.254.169.254/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(hosts.check(&Url::parse(url).unwrap()).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn without_a_list_no_spelling_of_a_link_local_host_passes() {
        for url in [
            "http://169.254.169.254/latest",
            "http://0xa9fea9fe/",
            "http://2852039166/",
            "http://169.254.43518/",
            "http://[fe80::1]/",
            "http://[::ffff:a9fe:a9fe]/",
        ] {
            assert!(Hosts::default().check(&Url::parse(url).unwrap()).is_err(), "{url}");
        }
        assert!(Hosts::default().check(&Url::parse("http://127.0.0.1:1/").unwrap()).is_ok());
    }
}
