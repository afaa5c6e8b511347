//! The task that writes, one request at a time.

use super::server::Api;
use super::{InfluxServer, Precision};
use crate::edge::Error;
use crate::edge::answer::{Answer, Unread, body, detail, retry_after};
use crate::edge::client::said;
use crate::edge::hand::Hand;
use crate::edge::outbox::Letter;
use crate::edge::verdict::{Next, Question, Verdict, Way, judge};
use crate::element::Overflow;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Response};
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::pin::pin;
use std::time::Duration;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep};
use tracing::info;

/// Takes what waits and writes it, in order, until it is aborted.
pub(super) struct Writer {
    pub(super) hand: Hand,
    pub(super) server: InfluxServer,
    pub(super) api: Api,
    pub(super) precision: Precision,
    pub(super) gzip: bool,
    /// Whether it reads lines as InfluxDB does; asked only when that makes a difference.
    pub(super) is_influxdb: Option<bool>,
    /// The body of all that is in hand, if it was made ready.
    pub(super) body: Option<Body>,
    /// What comes after that in hand.
    pub(super) ahead: Option<Ahead>,
}

/// A batch that is made ready while another is under way.
pub(super) struct Ahead {
    letters: VecDeque<Letter>,
    body: Body,
}

/// The body of a request.
pub(super) enum Body {
    Ready(Vec<u8>),
    Failed(io::Error),
    /// It is being compressed.
    Coming(JoinHandle<io::Result<Vec<u8>>>),
}

/// What is read of an answer.
const LONGEST: usize = 64 * 1024;
/// What is shown of it.
const SHOWN: usize = 500;
/// So much is compressed in passing; more would hold up others on the thread.
const SMALL: usize = 8 * 1024;

impl Writer {
    pub(super) async fn run(mut self) {
        loop {
            if self.hand.letters.is_empty() {
                self.take().await;
            }
            if self.hand.expire() > 0 {
                self.body = None;
            }
            if self.hand.letters.is_empty() {
                continue;
            }
            if let Some(pause) = self.step().await {
                sleep(pause).await;
            }
        }
    }

    async fn take(&mut self) {
        if let Some(Ahead { letters, body }) = self.ahead.take() {
            (self.hand.letters, self.body) = (letters, Some(body));
            self.hand.outbox().go_ahead();
        } else {
            (self.hand.letters, self.body) = (self.hand.outbox().take(self.hand.limit).await, None);
        }
    }

    /// Writes once; how long to wait before the next time.
    async fn step(&mut self) -> Option<Duration> {
        self.hand.attempt();
        let count = self.hand.most.min(self.hand.letters.len());
        let ambiguous = self.hand.letters.iter().take(count).any(|letter| letter.ambiguous);
        let sent = if ambiguous && self.is_influxdb != Some(true) {
            self.sort_out().await
        } else {
            self.write(count).await.map(Some)
        };
        match sent {
            Ok(Some((answer, is_v1))) => self.apply(count, &answer, is_v1),
            Ok(None) => None,
            Err(error) => self.hand.put_off(&error, None, 0).ok(),
        }
    }

    /// Refuses what only InfluxDB reads as it is meant, unless it is one.
    async fn sort_out(&mut self) -> Result<Option<(Answer, bool)>, Error> {
        if self.is_influxdb.is_none() {
            let response = self.ask().await?;
            // All of them say how they were built, whoever asks.
            let (says_so, is_success) =
                (response.headers().contains_key("x-influxdb-build"), response.status().is_success());
            if says_so || is_success {
                self.is_influxdb = Some(says_so);
            } else {
                let (mut answer, _) = read(response).await.map_err(|reason| self.no_answer(reason))?;
                if matches!(self.verdict(1, &answer).next, Next::Wait(_)) {
                    answer.detail.push_str(if answer.detail.is_empty() { "at /ping" } else { " (at /ping)" });
                    return Ok(Some((answer, false)));
                }
            }
        }
        let whether = match self.is_influxdb {
            Some(true) => return Ok(None),
            Some(false) => "this is none",
            // Who stands before it may have answered: the next such point is another occasion to ask.
            None => "it did not say at /ping whether it is one",
        };
        let error = Error::Encode {
            place: self.hand.outbox().place.clone(),
            type_name: "Point",
            reason: format!(
                "only InfluxDB reads two backslashes in a tag, a quote in the name of a field or an end of line in a text \
                 as what they are, and {whether}"
            ),
        };
        self.hand.refuse_those(|letter| letter.ambiguous, &error);
        self.body = None;
        Ok(None)
    }

    /// Asks who it is.
    async fn ask(&self) -> Result<Response, Error> {
        let url = self.server.ping_url();
        let path = url.path().to_owned();
        let request = self.server.request(Method::GET, url).await?;
        let asked = Instant::now();
        let answer = request.send().await.map_err(said);
        if self.server.debug {
            let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
            let (place, took, error) = (self.server.place(), asked.elapsed(), answer.as_ref().err());
            info!(place, path, status, ?took, error, "asked InfluxDB who it is");
        }
        answer.map_err(|reason| self.no_answer(reason))
    }

    fn no_answer(&self, reason: String) -> Error {
        Error::NoAnswer { place: self.hand.outbox().place.clone(), reason }
    }

    /// Writes the first `count` in hand, and meanwhile makes the next batch ready; what the answer is, and whether it is of
    /// an InfluxDB 1.x that has no API v2.
    async fn write(&mut self, count: usize) -> Result<(Answer, bool), Error> {
        let ready = self.body.take().filter(|_| count == self.hand.letters.len());
        let body = ready.unwrap_or_else(|| Body::of(self.hand.letters.iter().take(count), self.gzip));
        let sent = body
            .done()
            .await
            .map_err(|error| Error::Client { reason: format!("compressing points: {error}") })?;
        let length = sent.len();
        let url = self.server.write_url(self.api, self.precision);
        let path = url.path().to_owned();
        let mut request = self
            .server
            .request(Method::POST, url)
            .await?
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(ACCEPT, "application/json")
            .body(sent);
        if self.gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        let asked = Instant::now();
        let answer = async {
            match request.send().await {
                Ok(response) => read(response).await,
                Err(error) => Err(said(error)),
            }
        };
        let mut answer = pin!(answer);
        let outbox = &self.hand.outbox.0;
        // Where the oldest give way they are not to be kept here meanwhile.
        let makes_ready = self.gzip && outbox.overflow != Overflow::DropOldest;
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut answer => break answer,
                letters = outbox.take_ahead(self.hand.limit), if makes_ready && self.ahead.is_none() => {
                    let body = Body::of(&letters, self.gzip);
                    self.ahead = Some(Ahead { letters, body });
                }
            }
        };
        let took = asked.elapsed();
        if self.server.debug {
            let bytes: usize = self.hand.letters.iter().take(count).map(|letter| letter.body.len() + 1).sum();
            let place = self.server.place();
            let status = answer.as_ref().map_or(0, |(answer, _)| answer.status);
            info!(place, path, points = count, bytes, sent = length, status, ?took, "wrote to InfluxDB");
        }
        self.hand.outbox().stats.0.record(took);
        answer.map_err(|reason| self.no_answer(reason))
    }

    fn apply(&mut self, count: usize, answer: &Answer, is_v1: bool) -> Option<Duration> {
        if is_v1 && self.api == Api::V2 {
            info!(place = self.server.place(), "this is InfluxDB 1.x: writing by API v1");
            self.api = Api::V1;
            return None;
        }
        let place = self.hand.outbox().place.clone();
        let error = Error::Answered { place, status: answer.status, detail: self.explained(answer) };
        let Verdict { taken, refused, next } = self.verdict(count, answer);
        self.hand.settle(taken, refused, &error);
        match next {
            Next::Wait(wait) => return self.hand.put_off(&error, wait, taken).ok(),
            Next::Smaller => self.hand.smaller(count),
            _ => self.hand.go_on(taken, refused),
        }
        None
    }

    /// A refusal that some of the points caused says it of a body. Writing the same point again changes nothing, so the
    /// bad ones are found by halves, whether the others are there by now or not.
    fn verdict(&self, count: usize, answer: &Answer) -> Verdict {
        let all = Verdict { taken: 0, refused: count, next: Next::GoOn };
        match answer.status {
            400 if self.missing(answer).is_some() => all,
            400 | 422 if dropped(&answer.detail) == Some(count) => all,
            _ => judge(Question { way: Way::Together, count, is_element: false }, answer),
        }
    }

    /// What was not said of where points go, if that is what the answer is about: without it no point is better than
    /// another.
    fn missing(&self, answer: &Answer) -> Option<&'static str> {
        let asks_for = |words: &[&str]| answer.status == 400 && names(&answer.detail, words);
        let org = self.api == Api::V2
            && self.server.org.is_none()
            && asks_for(&["org", "orgid", "organization", "organisation"]);
        let bucket = self.server.bucket.is_none() && asks_for(&["bucket", "database", "db"]);
        match (org, bucket) {
            (true, true) => Some("no organisation and no bucket is given: set `org` and `bucket`"),
            (true, false) => Some("no organisation is given: set `org`"),
            (false, true) => Some("no bucket is given: set `bucket`"),
            (false, false) => None,
        }
    }

    /// What the answer says, and what may help.
    fn explained(&self, answer: &Answer) -> String {
        let help = match answer.status {
            400 => match self.missing(answer) {
                Some(missing) => missing,
                None => return answer.detail.clone(),
            },
            401 => "check the token, or the user and password",
            403 => "this token or user may not write there",
            404 => "check the URL, the organisation and the bucket",
            300..400 => "it is elsewhere; give the URL that it leads to",
            _ => return answer.detail.clone(),
        };
        if answer.detail.is_empty() { help.to_owned() } else { format!("{} ({help})", answer.detail) }
    }
}

impl Body {
    fn of<'a>(letters: impl IntoIterator<Item = &'a Letter> + Clone, gzip: bool) -> Self {
        let bytes = letters.clone().into_iter().map(|letter| letter.body.len() + 1).sum();
        let mut lines = Vec::with_capacity(bytes);
        for letter in letters {
            lines.extend_from_slice(&letter.body);
            lines.push(b'\n');
        }
        match gzip {
            false => Self::Ready(lines),
            true if bytes <= SMALL => packed(&lines).map_or_else(Self::Failed, Self::Ready),
            true => Self::Coming(spawn_blocking(move || packed(&lines))),
        }
    }

    async fn done(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Ready(body) => Ok(body),
            Self::Failed(error) => Err(error),
            Self::Coming(body) => body.await?,
        }
    }
}

/// How many points of a body an InfluxDB 1.x or 2 says it has not written.
fn dropped(detail: &str) -> Option<usize> {
    let (_, count) = detail.contains("partial write").then(|| detail.rsplit_once("dropped="))??;
    count.trim_end().parse().ok()
}

/// Whether a refusal has one of these words, and not because it quotes a line.
fn names(detail: &str, words: &[&str]) -> bool {
    let detail = detail.to_lowercase();
    let unquoted = detail.split(['\'', '"']).next().unwrap_or_default();
    let is_of_lines = ["parse", "partial write", "line"].iter().any(|part| unquoted.contains(part));
    !is_of_lines && unquoted.split(|letter: char| !letter.is_alphanumeric()).any(|word| words.contains(&word))
}

fn packed(lines: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::with_capacity(lines.len() / 4), Compression::fast());
    packed.write_all(lines)?;
    packed.finish()
}

async fn read(response: Response) -> Result<(Answer, bool), String> {
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let is_old = status.as_u16() == 404 && is_v1(response.headers());
    let body = match body(response, LONGEST).await {
        Ok(body) => body,
        Err(Unread::Broken(reason)) => return Err(reason),
        // The status says enough.
        Err(Unread::TooLong) => Vec::new(),
    };
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    let mut said = if status.is_success() { String::new() } else { detail(json.as_ref(), &body) };
    // InfluxDB 3 says what is wrong with each line.
    let first = json.as_ref().and_then(|json| json.get("data")?.get(0)?.get("error_message")?.as_str());
    if let Some(first) = first {
        said = format!("{said}: {first}");
    }
    if said.chars().count() > SHOWN {
        // Counts are at the end.
        let end: String = dropped(&said).map(|count| format!(" dropped={count}")).unwrap_or_default();
        said = said.chars().take(SHOWN).collect::<String>() + "…" + &end;
    }
    // A database that isn't there is said in JSON, a path that isn't there in words.
    let is_v1 = is_old && json.is_none();
    Ok((Answer { status: status.as_u16(), accepted: None, next: None, retry_after, detail: said }, is_v1))
}

fn is_v1(headers: &HeaderMap) -> bool {
    let version = headers.get("x-influxdb-version").and_then(|version| version.to_str().ok());
    version.is_some_and(|version| version.trim_start_matches('v').starts_with("1."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_has_not_written_is_counted_only_of_partial_writes() {
        assert_eq!(dropped("partial write: field type conflict: input field \"v\" … dropped=3"), Some(3));
        assert_eq!(dropped("unable to parse 'm dropped=3"), None);
        assert_eq!(dropped("partial write: points beyond retention policy"), None);
    }

    #[test]
    fn a_refusal_asks_for_a_bucket_only_if_it_speaks_of_none_of_the_lines() {
        let bucket = |detail| names(detail, &["bucket", "database", "db"]);
        assert!(bucket("database is required") && bucket("Bucket not found") && bucket("missing field `db`"));
        assert!(!bucket("unable to parse 'bucket v=': missing field value"));
        assert!(!bucket("partial write: max-series-per-database limit exceeded: (1000000) dropped=1"));
        assert!(!bucket(r#"input field "v" on measurement "bucket" is type float"#) && !bucket("bucketed"));
    }

    #[test]
    fn what_is_compressed_is_there_again() {
        use std::io::Read;
        let lines = b"m v=1 1\n".repeat(1000);
        let packed = packed(&lines).unwrap();
        let mut there = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut there).unwrap();
        assert!(there == lines && packed.len() * 10 < lines.len());
    }
}
