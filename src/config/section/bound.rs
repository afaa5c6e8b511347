//! Values that have bounds: numbers, lengths of time, the address of a server, what is logged.

use super::time;
use crate::config::Url;
use crate::hint;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// A number from 1 up.
pub(super) fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    match usize::deserialize(deserializer)? {
        0 => Err(D::Error::invalid_value(Unexpected::Unsigned(0), &"1 or more")),
        number => Ok(number),
    }
}

/// A share, from 0 to 1.
pub(super) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err(D::Error::invalid_value(Unexpected::Float(share), &"a number from 0 to 1"))
    }
}

/// Any length of time but none, and that is written like one.
pub(super) mod some_time {
    use super::{Deserializer, Duration, Error, Unexpected, time};
    pub(in super::super) use time::serialize;

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let time = time::deserialize(deserializer)?;
        if time.is_zero() {
            return Err(D::Error::invalid_value(Unexpected::Other("0s"), &"more than 0s"));
        }
        Ok(time)
    }
}

/// The server of InfluxDB.
pub(super) fn influxdb<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    server(deserializer, "a token belongs in `influxdb.token`, a database in `influxdb.bucket`", "8086")
}

/// A collector of OpenTelemetry.
pub(super) fn collector<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    server(deserializer, "a token belongs in `telemetry.headers`", "4318")
}

fn server<'de, D: Deserializer<'de>>(
    deserializer: D,
    query: &str,
    port: &str,
) -> Result<Option<Url>, D::Error> {
    let url = Option::<Url>::deserialize(deserializer)?;
    match url.as_ref().and_then(|url| misfit(url.expose(), query)) {
        Some(why) => Err(D::Error::custom(format!("{why}; write it like http://localhost:{port}"))),
        None => Ok(url),
    }
}

/// What is wrong with the URL of a server; it says nothing of the URL, which may hold secrets.
fn misfit(url: &str, query: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    if !["http", "https"].contains(&scheme.to_lowercase().as_str()) {
        return Some("it is neither http nor https".to_owned());
    }
    if rest.contains(['?', '#']) {
        return Some(format!("it has a query: {query}"));
    }
    let place = rest.split('/').next().unwrap_or_default();
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    // An address of IPv6 is in brackets.
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (place, None),
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Some("it has no host".to_owned());
    }
    port.filter(|port| port.parse::<u16>().is_err())
        .map(|_| "its port is no number from 0 to 65535".to_owned())
}

/// What is logged.
pub(super) fn log<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    hint::log_filter(&text).map_err(D::Error::custom)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_with_or_without_scheme_port_and_path() {
        for right in
            ["http://h:1", "HTTPS://h/x/y", "h:8086", "h", "http://me:pw@h:1/", "http://[::1]:8086", "[::1]"]
        {
            assert_eq!(misfit(right, ""), None, "{right}");
        }
        for (wrong, says) in [
            ("redis://h", "neither http"),
            ("h:port", "port"),
            ("http:///x", "no host"),
            ("", "no host"),
            ("http://h?token=s3cret", "query: THERE"),
        ] {
            let why = misfit(wrong, "THERE").unwrap();
            assert!(why.contains(says) && !why.contains("s3cret"), "{wrong}: {why}");
        }
    }
}
