//! What other services answer.

use super::Error;
use super::client::said;
use crate::stream::clock;
use futures::StreamExt;
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// What a post was answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// How many of the body the other side has now, if it says so.
    pub(super) accepted: Option<usize>,
    /// The number that it expects next, if what was sent begins with a later one.
    pub(super) next: Option<u64>,
    pub(super) retry_after: Option<Duration>,
    /// What it says is wrong.
    pub(super) detail: String,
}

/// What is read of an answer to a post.
const LONGEST: usize = 64 * 1024;
/// What is shown of one that is no JSON.
const SHOWN: usize = 200;
/// The longest that one is put off.
const LATEST: Duration = Duration::from_hours(1);

impl Answer {
    pub(super) async fn read(response: Response) -> Result<Self, String> {
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let body = match body(response, LONGEST).await {
            Ok(body) => body,
            Err(Unread::Broken(reason)) => return Err(reason),
            // The status says enough.
            Err(Unread::TooLong) => Vec::new(),
        };
        let json: Option<Value> = serde_json::from_slice(&body).ok();
        let accepted = json.as_ref().and_then(|json| json.get("accepted")?.as_u64());
        let accepted = accepted.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        let next = json.as_ref().and_then(|json| json.get("next")?.as_u64());
        let detail = if status.is_success() { String::new() } else { detail(json.as_ref(), &body) };
        Ok(Self { status: status.as_u16(), accepted, next, retry_after, detail })
    }
}

/// Why a body is not there.
pub(super) enum Unread {
    Broken(String),
    TooLong,
}

impl Unread {
    pub(super) fn error(self, place: &str, longest: usize) -> Error {
        let place = place.to_owned();
        match self {
            Self::Broken(reason) => Error::NoAnswer { place, reason },
            Self::TooLong => Error::TooLong { place, longest },
        }
    }
}

/// The whole body of an answer, up to its longest.
pub(super) async fn body(response: Response, longest: usize) -> Result<Vec<u8>, Unread> {
    let (mut body, mut parts) = (Vec::new(), response.bytes_stream());
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| Unread::Broken(said(error)))?;
        if body.len().saturating_add(part.len()) > longest {
            return Err(Unread::TooLong);
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// What an answer says is wrong: `detail` or its like in JSON, else the beginning of its text.
pub(super) fn detail(json: Option<&Value>, body: &[u8]) -> String {
    let words = ["detail", "message", "error"].iter().find_map(|name| json?.get(name));
    match words {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => {
            let text = String::from_utf8_lossy(body);
            text.chars().filter(|letter| !letter.is_control()).take(SHOWN).collect()
        }
    }
}

/// When to ask again: seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        SystemTime::from(at).duration_since(clock::now()).unwrap_or_default()
    };
    Some(wait.min(LATEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        retry_after(&headers)
    }

    #[tokio::test(start_paused = true)]
    async fn when_to_ask_again_is_seconds_or_a_date_and_never_after_years() {
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(after("Wed, 21 Oct 2150 07:28:00 GMT"), Some(Duration::from_hours(1)));
        assert_eq!(after("99999999"), Some(Duration::from_hours(1)));
        assert_eq!(after("soon"), None);
    }
}
