//! The task that posts, one request at a time.

use super::answer::Answer;
use super::client::said;
use super::outbox::{Emptying, Letter};
use super::target::{Kind, Target};
use super::verdict::{Next, Question, Verdict, Way, judge};
use super::{Client, Error, PostFormat};
use crate::stream::Backoff;
use crate::stream::trace::{Parent, Span, SpanKind, TraceContext};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::sleep;
use tracing::{debug, info, warn};

/// Takes what waits and posts it, in order, until it is aborted.
pub(super) struct Poster {
    pub(super) outbox: Emptying,
    pub(super) target: Target,
    pub(super) client: Client,
    pub(super) format: PostFormat,
    pub(super) backoff: Backoff,
    pub(super) give_up_after: Option<Duration>,
    pub(super) way: Way,
    /// Who it is to those who count what they have.
    pub(super) sender: String,
    /// The number of the first in hand.
    pub(super) number: u64,
    /// What is in hand: nothing of it is known to be there.
    pub(super) in_hand: VecDeque<Letter>,
    /// How many may be in one body.
    pub(super) most: usize,
    /// How often in a row it did not get on.
    pub(super) failed: u32,
    /// The last was refused, and that was said.
    pub(super) refusing: bool,
}

/// The most in one body.
pub(super) const MOST: usize = 1000;

/// A request that says to which trace it belongs.
fn traced(request: RequestBuilder, context: Option<&TraceContext>) -> RequestBuilder {
    let Some(context) = context else { return request };
    let request = request.header("traceparent", context.to_string());
    match context.state() {
        Some(state) => request.header("tracestate", state),
        None => request,
    }
}

impl Poster {
    pub(super) async fn run(mut self) {
        loop {
            if self.in_hand.is_empty() {
                let most = if self.way == Way::Together { self.most } else { 1 };
                self.in_hand = self.outbox.0.take(most).await;
            }
            self.expire();
            if self.in_hand.is_empty() {
                continue;
            }
            if let Some(pause) = self.step().await {
                sleep(pause).await;
            }
        }
    }

    /// Posts once; how long to wait before the next time.
    async fn step(&mut self) -> Option<Duration> {
        let kind = self.in_hand.front().map(|letter| letter.kind)?;
        let together = self.way != Way::Single && kind == Kind::Next && self.format == PostFormat::Json;
        let count = if together { self.most.min(self.in_hand.len()) } else { 1 };
        if self.failed > 0 {
            self.outbox.0.stats.0.retried.fetch_add(1, Relaxed);
        }
        let answer = match self.post(kind, together, count).await {
            Ok(answer) => answer,
            Err(error) => return self.put_off(&error, None, 0),
        };
        let way = if together { self.way } else { Way::Single };
        let verdict = judge(Question { way, count, is_element: self.target.is_element }, &answer);
        if together && self.way == Way::Unknown {
            self.learn(&answer, &verdict);
        }
        if self.counts(together) {
            self.number += verdict.taken as u64;
        }
        self.apply(verdict, count, &answer)
    }

    /// Whether a body takes numbers: who counts lines of items counts nothing else, and to others each is a request.
    fn counts(&self, together: bool) -> bool {
        together || self.way != Way::Together
    }

    /// What the answer to the first item says of the other side.
    fn learn(&mut self, answer: &Answer, verdict: &Verdict) {
        if answer.accepted.is_some() {
            self.way = Way::Together;
        } else if (200..300).contains(&answer.status) || verdict.next == Next::Singly {
            debug!(place = self.outbox.0.place, "the other side takes one item at a time");
            self.way = Way::Single;
        }
    }

    fn apply(&mut self, verdict: Verdict, count: usize, answer: &Answer) -> Option<Duration> {
        let Verdict { taken, refused, next } = verdict;
        self.in_hand.drain(..taken.min(self.in_hand.len()));
        self.outbox.0.stats.0.sent.fetch_add(taken as u64, Relaxed);
        let place = self.outbox.0.place.clone();
        let detail = answer.detail.clone();
        let error = Error::Answered { place, status: answer.status, detail };
        for _ in 0..refused {
            self.refuse(&error);
        }
        self.outbox.0.left(self.in_hand.len());
        match next {
            Next::Wait(wait) => return self.put_off(&error, wait, taken),
            Next::Smaller => self.most = (count / 2).max(1),
            Next::From(number) if number < self.number => {
                debug!(place = self.outbox.0.place, number, "what was given up has not arrived");
                self.number = number;
            }
            Next::From(_) => return self.put_off(&error, None, taken),
            Next::Singly => {}
            Next::GoOn => {
                self.most = (self.most * 2).min(MOST);
                if taken > 0 && self.failed > 0 {
                    info!(place = self.outbox.0.place, attempts = self.failed, "posting goes on");
                }
                self.refusing = refused > 0;
            }
        }
        self.failed = 0;
        None
    }

    /// The first in hand will not be delivered.
    fn refuse(&mut self, error: &Error) {
        let Some(letter) = self.in_hand.pop_front() else { return };
        // Who counts has not counted it; to others it is another request.
        self.number += u64::from(self.way != Way::Together);
        self.outbox.0.stats.0.refused.fetch_add(1, Relaxed);
        self.outbox.0.failed(error);
        if !self.refusing {
            warn!(%error, "what was posted is refused; it is counted, and the next goes on");
            self.refusing = true;
        }
        self.outbox.0.refuse(|| letter.value(self.format), letter.kind == Kind::Error, error.clone());
    }

    /// How long to wait before the same is tried again; nothing if it is given up.
    fn put_off(&mut self, error: &Error, wait: Option<Duration>, taken: usize) -> Option<Duration> {
        self.outbox.0.failed(error);
        // Who takes some at a time is busy, not away.
        let failed = if taken > 0 { 0 } else { self.failed };
        let Some(own) = self.backoff.wait(failed) else {
            let after = self.in_hand.front().map(|letter| letter.since.elapsed()).unwrap_or_default();
            warn!(%error, dropped = self.in_hand.len(), "given up after {failed} more attempts");
            self.give_up(self.in_hand.len(), after);
            return None;
        };
        if self.failed == 0 && taken == 0 {
            warn!(%error, "posting has to wait; it is tried again");
        }
        self.failed = failed.saturating_add(1);
        Some(wait.map_or(own, |wait| wait.mul_f64(1.0 + fastrand::f64() / 10.0).max(own)))
    }

    /// Gives up what is in hand for too long.
    fn expire(&mut self) {
        let Some(after) = self.give_up_after else { return };
        let expired = self.in_hand.iter().take_while(|letter| letter.since.elapsed() >= after).count();
        if expired > 0 {
            warn!(place = self.outbox.0.place, dropped = expired, "given up: not delivered within {after:?}");
            self.give_up(expired, after);
        }
    }

    fn give_up(&mut self, count: usize, after: Duration) {
        let error = Error::Expired { place: self.outbox.0.place.clone(), after };
        for letter in self.in_hand.drain(..count) {
            self.outbox.0.refuse(|| letter.value(self.format), letter.kind == Kind::Error, error.clone());
        }
        // They may have arrived in spite of all; if not, the other side says where it is.
        self.number += count as u64;
        self.failed = 0;
        self.outbox.0.stats.0.dropped.fetch_add(count as u64, Relaxed);
        self.outbox.0.failed(&error);
        self.outbox.0.left(self.in_hand.len());
    }

    /// Posts the first `count` in hand.
    async fn post(&self, kind: Kind, together: bool, count: usize) -> Result<Answer, Error> {
        let body = match (self.in_hand.front(), together) {
            (Some(one), false) => one.body.clone(),
            _ => self.in_hand.iter().take(count).fold(Vec::new(), |mut body, letter| {
                body.extend_from_slice(&letter.body);
                body.push(b'\n');
                body
            }),
        };
        let content_type = match (kind, together, self.format) {
            (Kind::Next, true, _) => "application/x-ndjson",
            (Kind::Next, false, PostFormat::MessagePack) => "application/msgpack",
            _ => "application/json",
        };
        let mut request = self
            .client
            .request(Method::POST, self.target.url(kind))
            .await?
            .header(CONTENT_TYPE, content_type)
            .body(body);
        if self.counts(together) {
            request = request.header("Mape-Sender", &self.sender).header("Mape-First", self.number);
        }
        if count == 1 && self.way != Way::Together {
            // Others know this name for a request that may come twice.
            request = request.header("Idempotency-Key", format!("{}-{}", self.sender, self.number));
        }
        let span = self.span(count);
        request = traced(request, span.context());
        let answer = span.scope(self.answer(request)).await;
        match &answer {
            Ok(answer) => span.note("http.response.status_code", &answer.status),
            Err(error) => span.note("error", error),
        }
        answer
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let no_answer = |reason| Error::NoAnswer { place: self.outbox.0.place.clone(), reason };
        let response = request.send().await.map_err(|error| no_answer(said(error)))?;
        Answer::read(response).await.map_err(no_answer)
    }

    /// The span of a request with so many: of several items each has its own trace.
    fn span(&self, count: usize) -> Span {
        let context = self.in_hand.front().filter(|_| count == 1).and_then(|letter| letter.context.clone());
        let place = &self.outbox.0.place;
        let span = Span::begin(SpanKind::Client, format_args!("POST {place}"), Parent::from(context));
        span.with("http.request.method", &"POST").with("url", place).with("items", &count)
    }
}
