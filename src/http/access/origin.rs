//! From which pages a request may come, and under which name of the host.

use super::Access;
use axum::http::{HeaderMap, HeaderValue, header};
use std::net::{IpAddr, SocketAddr};

/// Keeps the pages of other sites from using the browser of whoever may do something here.
#[derive(Clone, Debug)]
pub(in crate::http) struct Origins {
    origins: Vec<String>,
    /// By which names the service is known; `None`: by any.
    hosts: Option<Vec<String>>,
}

impl Origins {
    /// Those of a service on this address; `None`: of one that somebody else serves.
    pub(in crate::http) fn of(access: &Access, address: Option<SocketAddr>) -> Self {
        // Where a token is needed, a name that leads here by a trick brings no token along.
        let is_local = address.is_some_and(|address| address.ip().is_loopback()) && !access.is_protected();
        let hosts = (is_local || !access.hosts.is_empty()).then(|| access.hosts.clone());
        Self { origins: access.origins.clone(), hosts }
    }

    /// Why a request is refused.
    pub(super) fn refuse(&self, headers: &HeaderMap, authority: Option<&str>) -> Option<String> {
        let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
        let host = authority.or_else(|| text(header::HOST));
        if let (Some(hosts), Some(host)) = (&self.hosts, host)
            && !is_here(host)
            && !hosts.iter().any(|known| is_host(host, known))
        {
            return Some(format!(
                "the host `{host}` is not this service: if it is meant, add it to rest.allow_hosts"
            ));
        }
        let origin = text(header::ORIGIN)?;
        if self.origins.iter().any(|known| known == origin) {
            return None;
        }
        let site = origin.split_once("://").map(|(_, site)| site);
        let is_own = site.zip(host).is_some_and(|(site, host)| site.eq_ignore_ascii_case(host));
        (!is_own).then(|| {
            format!(
                "a page of `{origin}` may not ask this service: if it is meant, add it to rest.allow_origins"
            )
        })
    }
}

/// Whether it is a name of this machine for itself.
fn is_here(host: &str) -> bool {
    let name = without_port(host);
    name.eq_ignore_ascii_case("localhost")
        || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a host is one that is known, with its port or with any.
fn is_host(host: &str, known: &str) -> bool {
    host.eq_ignore_ascii_case(known) || without_port(host).eq_ignore_ascii_case(known)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}
