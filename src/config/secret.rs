//! Values that do not show themselves.

use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// What is shown in place of a secret.
pub(super) const REDACTED: &str = "[redacted]";

/// A password or token: shown and serialised as `[redacted]`, read with [`expose`](Self::expose).
#[derive(Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// A URL as it was written: shown and serialised without the password in it, read with [`expose`](Self::expose).
///
/// It is not parsed here; who opens it does that.
///
/// ```
/// use mape::config::Url;
///
/// let url = Url::new("redis://worker:hunter2@localhost/0");
/// assert_eq!(url.to_string(), "redis://worker:[redacted]@localhost/0");
/// assert_eq!(url.expose(), "redis://worker:hunter2@localhost/0");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Url(String);

impl Url {
    /// Takes a URL as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The whole URL, password included.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_passwords(&self.0))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", without_passwords(&self.0))
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&without_passwords(&self.0))
    }
}

/// Whether a dotted key names a secret: any of its parts holds a word such as `password` or `token`.
pub(super) fn is_secret(key: &str) -> bool {
    const WORDS: [&str; 10] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "credential",
        "api_key",
        "apikey",
        "private_key",
        // Their names are those of others.
        "telemetry.headers",
    ];
    let key = key.to_lowercase().replace('-', "_");
    WORDS.iter().any(|word| key.contains(word))
}

/// A text with the password of every URL in it, and the values of secret query parameters, replaced.
pub(super) fn without_passwords(text: &str) -> Cow<'_, str> {
    let Some((before, after)) = text.split_once("://") else {
        return Cow::Borrowed(text);
    };
    let end = after.find(|c: char| c.is_whitespace() || c == '"' || c == '`').unwrap_or(after.len());
    let (url, rest) = after.split_at(end);
    Cow::Owned(format!("{before}://{}{}", redact_query(&redact_authority(url)), without_passwords(rest)))
}

/// `user:password@host…` without the password. A password may itself hold `@`, `/` and `:`.
fn redact_authority(url: &str) -> Cow<'_, str> {
    let Some((authority, host)) = url.rsplit_once('@') else {
        return Cow::Borrowed(url);
    };
    match authority.split_once(':') {
        Some((user, _)) => Cow::Owned(format!("{user}:{REDACTED}@{host}")),
        None => Cow::Borrowed(url),
    }
}

fn redact_query(url: &str) -> Cow<'_, str> {
    let Some((path, query)) = url.split_once('?') else {
        return Cow::Borrowed(url);
    };
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) || name == "p" => Cow::Owned(format!("{name}={REDACTED}")),
            _ => Cow::Borrowed(pair),
        })
        .collect();
    Cow::Owned(format!("{path}?{}", pairs.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_a_url_shows_its_password() {
        for (given, shown) in [
            ("redis://:pw@host:6379/0", "redis://:[redacted]@host:6379/0"),
            ("redis://me:p@w/x:y@host", "redis://me:[redacted]@host"),
            ("http://h/write?db=d&u=me&p=pw", "http://h/write?db=d&u=me&p=[redacted]"),
            ("http://h/?access_token=abc", "http://h/?access_token=[redacted]"),
            ("from a://b:c@d to e://f:g@h.", "from a://b:[redacted]@d to e://f:[redacted]@h."),
            ("redis://host/0", "redis://host/0"),
            ("redis://me@host/0", "redis://me@host/0"),
            ("file:./data", "file:./data"),
        ] {
            assert_eq!(without_passwords(given), shown, "{given}");
        }
    }

    #[test]
    fn secrets_are_known_by_any_part_of_their_key() {
        for key in ["influxdb.token", "mail.smtp-password", "secrets.github", "Door.API-Key"] {
            assert!(is_secret(key), "{key}");
        }
        for key in ["influxdb.bucket", "rest.address", "passage", "monkey.keys"] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn secrets_show_themselves_in_no_format() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), REDACTED);
        assert_eq!(serde_json::to_value(&secret).unwrap(), REDACTED);
        assert_eq!(secret.expose(), "hunter2");
        let url = Url::new("a://b:hunter2@c");
        assert!(!format!("{url} {url:?} {}", serde_json::to_string(&url).unwrap()).contains("hunter2"));
    }
}
