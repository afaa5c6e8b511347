//! Where a sink posts to.

use super::{Error, PostPort};
use crate::element::check_uid;
use reqwest::Url;

/// Where a sink posts to, and how that is shown.
#[derive(Clone)]
pub(super) struct Target {
    url: Url,
    /// It is the port of an element, which knows ports and notifications.
    pub(super) is_element: bool,
    pub(super) port: PostPort,
    pub(super) shown: String,
}

/// What is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Next,
    Error,
    Completed,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Error => "error",
            Self::Completed => "completed",
        }
    }
}

impl Target {
    /// A service, `HOST:PORT` or a URL, and a path there: `loop.element`, `level.loop.element` or `/any/path`.
    pub(super) fn parse(base: &str, path: &str) -> Result<Self, Error> {
        let mut url = service(base)?;
        let is_element = !path.starts_with('/');
        if is_element {
            let wrong = |reason| Error::Target { given: redacted(path), reason };
            let parts: Vec<&str> = path.split('.').collect();
            // The level says nothing that the loop does not: no two loops of an app have one uid.
            let ([mape_loop, element] | [_, mape_loop, element]) = parts.as_slice() else {
                let reason = "give loop.element, level.loop.element or /path".to_owned();
                return Err(wrong(reason));
            };
            for uid in &parts {
                check_uid(uid).map_err(|error| wrong(error.to_string()))?;
            }
            let unfit = || wrong("its service is given by a URL that has no path".to_owned());
            url.path_segments_mut()
                .map_err(|()| unfit())?
                .pop_if_empty()
                .extend(["loops", mape_loop, "elements", element]);
            let shown = format!("{}{}", url.origin().ascii_serialization(), url.path());
            return Ok(Self { url, is_element, port: PostPort::In, shown });
        }
        let joined = format!("{}{path}", url.as_str().trim_end_matches('/'));
        let url = joined
            .parse::<Url>()
            .map_err(|error| Error::Target { given: beginning(&url, path), reason: error.to_string() })?;
        let shown = shown(&url);
        Ok(Self { url, is_element, port: PostPort::In, shown })
    }

    /// The URL for one kind of post.
    pub(super) fn url(&self, kind: Kind) -> Url {
        let mut url = self.url.clone();
        if self.is_element {
            let port = match self.port {
                PostPort::In => "in",
                PostPort::Out => "out",
            };
            url.query_pairs_mut().append_pair("port", port);
        }
        // Items go to a foreign path as it was given.
        if self.is_element || kind != Kind::Next {
            url.query_pairs_mut().append_pair("notification", kind.as_str());
        }
        url
    }
}

/// The URL of a service: `HOST:PORT`, or with `http://` or `https://` before it.
pub(crate) fn service(base: &str) -> Result<Url, Error> {
    let written = if base.contains("://") { base.to_owned() } else { format!("http://{base}") };
    let wrong = |reason: &str| Error::Target {
        given: redacted(base),
        reason: format!("{reason}; give HOST:PORT or http://HOST:PORT"),
    };
    let url = written.parse::<Url>().map_err(|error| wrong(&error.to_string()))?;
    match (url.scheme(), url.host_str(), url.query().or(url.fragment())) {
        ("http" | "https", Some(_), None) => Ok(url),
        ("http" | "https", Some(_), Some(_)) => {
            Err(wrong("it has a query; a token is given by itself, not in a URL"))
        }
        _ => Err(wrong("it is neither http nor https")),
    }
}

/// A URL with its path and query as it was given, and how it is shown.
pub(super) fn place(url: &str) -> Result<(Url, String), Error> {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let mut url = service(base)?;
    url.set_query(query);
    let shown = shown(&url);
    Ok((url, shown))
}

/// What was given as it is shown, whether or not it is a URL: without who one is there, and without the values of a query.
fn redacted(given: &str) -> String {
    const SECRET: &str = "[redacted]";
    let (scheme, rest) = given.split_once("://").unwrap_or(("", given));
    let shown = match (rest.find(['?', '#']), rest.rfind('@')) {
        // What begins a query may as well be part of a password.
        (Some(query), Some(at)) if query < at => SECRET.to_owned(),
        (Some(query), _) => {
            let (place, query) = rest.split_at(query);
            let pairs =
                query.get(1..).unwrap_or_default().split('&').map(|pair| match pair.split_once('=') {
                    Some((name, _)) => format!("{name}={SECRET}"),
                    None => SECRET.to_owned(),
                });
            let pairs: Vec<_> = pairs.collect();
            format!("{}{}{}", host(place), query.get(..1).unwrap_or_default(), pairs.join("&"))
        }
        (None, _) => host(rest).to_owned(),
    };
    if scheme.is_empty() { shown } else { format!("{scheme}://{shown}") }
}

/// Without what stands before an @, which is who one is there.
fn host(place: &str) -> &str {
    place.rsplit_once('@').map_or(place, |(_, host)| host)
}

/// A URL as it is shown: without who one is there, and only with the beginning of its path, as the rest of it is what
/// keeps the addresses of many services secret.
pub(super) fn shown(url: &Url) -> String {
    beginning(url, url.path())
}

fn beginning(url: &Url, path: &str) -> String {
    let path = path.trim_start_matches('/');
    let first = path.split(['/', '?', '#']).next().unwrap_or_default();
    let rest = if path.len() > first.len() { "/…" } else { "" };
    format!("{}/{first}{rest}", url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_and_a_path_become_a_url_of_pymape() {
        for (base, path, url) in [
            ("127.0.0.1:6060", "car.detect", "http://127.0.0.1:6060/loops/car/elements/detect"),
            ("http://h:1/", "car.detect", "http://h:1/loops/car/elements/detect"),
            ("https://h/mape", "up.car.detect", "https://h/mape/loops/car/elements/detect"),
        ] {
            let target = Target::parse(base, path).unwrap();
            assert_eq!(target.url(Kind::Error).as_str(), format!("{url}?port=in&notification=error"));
            assert_eq!(target.shown, url);
        }
    }

    #[test]
    fn a_foreign_path_is_asked_as_it_is_and_hardly_shown() {
        let target = Target::parse("https://me:pw@h", "/hooks/T0/s3cret?key=s3cret").unwrap();
        assert_eq!(target.url(Kind::Next).as_str(), "https://me:pw@h/hooks/T0/s3cret?key=s3cret");
        assert_eq!(target.shown, "https://h/hooks/…");
    }

    #[test]
    fn what_is_no_place_is_refused_with_what_would_be() {
        for (base, path, says) in [
            ("redis://h", "a.b", "neither http nor https"),
            ("h:1?a=b", "a.b", "h:1?a=[redacted]`"),
            ("http://h:1?token=s3cret&s3cret", "a.b", "http://h:1?token=[redacted]&[redacted]` is no place"),
            ("http://me:s3cret@h:1/x?token=s3cret#s3cret", "a.b", "given by itself"),
            ("http://me:s3cret?s3cret@h:1", "a.b", "http://[redacted]`"),
            ("h:1", "hook?token=s3cret", "hook?token=[redacted]"),
            ("me:s3cret@h:port", "a.b", "give HOST:PORT"),
            ("h:1", "detect", "level.loop.element"),
            ("h:1", "a.b.c.d", "level.loop.element"),
            ("h:1", "a.app", "reserved"),
        ] {
            let error = Target::parse(base, path).err().unwrap().to_string();
            assert!(error.contains(says) && !error.contains("s3cret"), "{error}");
        }
    }
}
