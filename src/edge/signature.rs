//! How senders prove who they are.

use crate::stream::clock;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::HeaderMap;
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A secret that a sender and an endpoint share: who sends puts the HMAC-SHA256 of the body, in hexadecimal digits, into
/// a header. It is checked over the bytes as they came, in constant time.
///
/// ```
/// use mape::edge::Signature;
///
/// let github = Signature::github("It's a Secret to Everybody");
/// let same = Signature::new("X-Hub-Signature-256", "It's a Secret to Everybody").prefix("sha256=");
/// assert_eq!(format!("{github:?}"), format!("{same:?}")); // neither shows the secret
/// ```
#[derive(Clone)]
pub struct Signature {
    header: String,
    prefix: String,
    secret: Arc<[u8]>,
    /// How old a time in the header may be, if there is one.
    stamped: Option<Duration>,
}

/// A request is not from whom it should be; it says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsigned(String);

impl Signature {
    /// In this header, by this secret.
    #[must_use]
    pub fn new(header: &str, secret: impl AsRef<[u8]>) -> Self {
        Self {
            header: header.to_owned(),
            prefix: String::new(),
            secret: secret.as_ref().into(),
            stamped: None,
        }
    }

    /// What stands before the digits.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// As GitHub and many others sign: `X-Hub-Signature-256: sha256=…`.
    #[must_use]
    pub fn github(secret: impl AsRef<[u8]>) -> Self {
        Self::new("X-Hub-Signature-256", secret).prefix("sha256=")
    }

    /// As Stripe signs: `Stripe-Signature: t=SECONDS,v1=…`, over the time, a dot and the body; the time is at most five
    /// minutes ago or ahead.
    #[must_use]
    pub fn stripe(secret: impl AsRef<[u8]>) -> Self {
        let mut signature = Self::new("Stripe-Signature", secret);
        signature.stamped = Some(Duration::from_mins(5));
        signature
    }

    /// The header in which it is.
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Checks a request that a server of one's own was sent: what stands in the [header](Self::header), and the body as it
    /// came, before anything is read of it. An [endpoint](super::PostOptions::signed) does so by itself.
    ///
    /// ```
    /// use mape::edge::Signature;
    ///
    /// let signature = Signature::github("It's a Secret to Everybody");
    /// let sent = signature.sign(b"Hello, World!");
    /// assert!(signature.verify(Some(&sent), b"Hello, World!").is_ok());
    /// assert!(signature.verify(Some(&sent), b"Hello, Mallory!").is_err());
    /// assert!(signature.verify(None, b"Hello, World!").is_err());
    /// ```
    ///
    /// # Errors
    /// [`Unsigned`]: it is not from whom it should be. Answer 401 or 403, and do nothing else.
    pub fn verify(&self, given: Option<&str>, body: &[u8]) -> Result<(), Unsigned> {
        self.check_given(given, body).map_err(Unsigned)
    }

    /// What to send in the [header](Self::header) with this body.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        let digits = |parts: &[&[u8]]| {
            let digits = self.mac(parts).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
            digits.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
        };
        if self.stamped.is_none() {
            return format!("{}{}", self.prefix, digits(&[body]));
        }
        let at =
            clock::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
        format!("t={at},v1={}", digits(&[at.as_bytes(), b".", body]))
    }

    pub(super) fn has_secret(&self) -> bool {
        !self.secret.is_empty()
    }

    /// Whether the body is from whom it should be; else why not.
    pub(super) fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
        self.check_given(headers.get(&self.header).and_then(|value| value.to_str().ok()), body)
    }

    fn check_given(&self, given: Option<&str>, body: &[u8]) -> Result<(), String> {
        let header = &self.header;
        let given = given.ok_or_else(|| format!("this needs the signature of its sender in `{header}`"))?;
        let wrong = || format!("the signature in `{header}` is not that of the body by the secret agreed on");
        let Some(tolerance) = self.stamped else {
            let digits = given.trim().strip_prefix(self.prefix.as_str());
            let matches = digits.is_some_and(|digits| self.matches(&[body], digits));
            return if matches { Ok(()) } else { Err(wrong()) };
        };
        let part = |name: &str| {
            let parts = given.split(',').filter_map(|part| part.trim().split_once('='));
            parts.filter(move |(key, _)| *key == name).map(|(_, value)| value).collect::<Vec<_>>()
        };
        let stamp = part("t").first().copied().unwrap_or_default();
        if !part("v1").iter().any(|digits| self.matches(&[stamp.as_bytes(), b".", body], digits)) {
            return Err(wrong());
        }
        let at =
            stamp.parse().ok().and_then(|at| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at)));
        let now = clock::now();
        let is_near = |at: SystemTime| {
            let apart = now.duration_since(at).unwrap_or_else(|ahead| ahead.duration());
            apart <= tolerance
        };
        if at.is_some_and(is_near) {
            return Ok(());
        }
        Err(format!(
            "the time in `{header}` is not within {tolerance:?} of now: it was sent too long ago, or again"
        ))
    }

    fn matches(&self, parts: &[&[u8]], digits: &str) -> bool {
        let Some(mac) = self.mac(parts) else { return false };
        self.has_secret() && bytes(digits).is_some_and(|given| mac.verify_slice(&given).is_ok())
    }

    fn mac(&self, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
        // A key may have any length.
        let mac = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        Some(parts.iter().fold(mac, |mac, part| mac.chain_update(part)))
    }
}

/// Hexadecimal digits as bytes.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let values: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(16)).collect();
    let pairs = values?;
    let (pairs, []) = pairs.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect()
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature")
            .field("header", &self.header)
            .field("prefix", &self.prefix)
            .field("stamped", &self.stamped)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn githubs_own_example_is_right_and_any_other_is_wrong() {
        // From "Validating webhook deliveries" in GitHub's documentation.
        let signature = Signature::github("It's a Secret to Everybody");
        let name = "x-hub-signature-256";
        let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(signature.check(&headers(name, right), b"Hello, World!"), Ok(()));
        for (given, body) in [
            (right, "Hello, World?"),
            (right.strip_prefix("sha256=").unwrap(), "Hello, World!"),
            ("sha256=757107", "Hello, World!"),
            ("sha256=xyz", "Hello, World!"),
            ("sha256=", "Hello, World!"),
        ] {
            let refused = signature.check(&headers(name, given), body.as_bytes()).unwrap_err();
            assert!(refused.contains("is not that of the body"), "{refused}");
        }
        let missing = signature.check(&HeaderMap::new(), b"").unwrap_err();
        assert!(missing.contains("needs the signature"), "{missing}");
        assert!(Signature::github("").check(&headers(name, right), b"Hello, World!").is_err());
    }

    #[test]
    fn what_is_signed_is_verified_and_nothing_else() {
        for signature in
            [Signature::github("secret"), Signature::stripe("secret"), Signature::new("x", "secret")]
        {
            let sent = signature.sign(b"body");
            assert!(signature.verify(Some(&sent), b"body").is_ok(), "{sent}");
            assert!(signature.verify(Some(&sent), b"bodY").unwrap_err().to_string().contains("is not that"));
            assert!(signature.verify(None, b"body").unwrap_err().to_string().contains("needs the signature"));
        }
        let none = Signature::github("");
        assert!(none.verify(Some(&none.sign(b"body")), b"body").is_err(), "anyone could sign so");
    }

    #[test]
    fn a_stamped_signature_is_good_for_five_minutes() {
        let signature = Signature::stripe("whsec");
        let signed = |at: u64| {
            let mut mac = Hmac::<Sha256>::new_from_slice(b"whsec").unwrap();
            mac.update(format!("{at}.body").as_bytes());
            let digits = mac.finalize().into_bytes();
            let digits = digits.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
            headers("stripe-signature", &format!("t={at},v1=00,v1={digits}, v0=11"))
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(signature.check(&signed(now - 290), b"body"), Ok(()));
        assert!(signature.check(&signed(now), b"other").unwrap_err().contains("is not that"));
        assert!(signature.check(&signed(now - 310), b"body").unwrap_err().contains("too long ago"));
        assert!(signature.check(&signed(now + 310), b"body").is_err());
    }
}
