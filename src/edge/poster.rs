//! The task that posts, one request at a time.

use super::answer::Answer;
use super::client::said;
use super::hand::Hand;
use super::target::{Kind, Target};
use super::verdict::{Next, Question, Verdict, Way, judge};
use super::{Client, Error, PostFormat};
use crate::stream::trace::{Parent, Span, SpanKind, TraceContext};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tracing::debug;

/// Takes what waits and posts it, in order, until it is aborted.
pub(super) struct Poster {
    pub(super) hand: Hand,
    pub(super) target: Target,
    pub(super) client: Client,
    pub(super) format: PostFormat,
    pub(super) way: Way,
    /// Who it is to those who count what they have.
    pub(super) sender: String,
    /// The number of the first in hand.
    pub(super) number: u64,
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
            if self.hand.letters.is_empty() {
                let most = if self.way == Way::Together { self.hand.most } else { 1 };
                self.hand.letters = self.hand.outbox().take(most).await;
            }
            // They may have arrived in spite of all; if not, the other side says where it is.
            self.number += self.hand.expire() as u64;
            if self.hand.letters.is_empty() {
                continue;
            }
            if let Some(pause) = self.step().await {
                sleep(pause).await;
            }
        }
    }

    /// Posts once; how long to wait before the next time.
    async fn step(&mut self) -> Option<Duration> {
        let kind = self.hand.letters.front().map(|letter| letter.kind)?;
        let together = self.way != Way::Single && kind == Kind::Next && self.format == PostFormat::Json;
        let count = if together { self.hand.most.min(self.hand.letters.len()) } else { 1 };
        self.hand.attempt();
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
            debug!(place = self.hand.outbox().place, "the other side takes one item at a time");
            self.way = Way::Single;
        }
    }

    fn apply(&mut self, verdict: Verdict, count: usize, answer: &Answer) -> Option<Duration> {
        let Verdict { taken, refused, next } = verdict;
        let place = self.hand.outbox().place.clone();
        let detail = answer.detail.clone();
        let error = Error::Answered { place, status: answer.status, detail };
        self.hand.settle(taken, refused, &error);
        // Who counts has not counted what is refused; to others it is another request.
        self.number += if self.way == Way::Together { 0 } else { refused as u64 };
        match next {
            Next::Wait(wait) => return self.put_off(&error, wait, taken),
            Next::Smaller => self.hand.smaller(count),
            Next::From(number) if number < self.number => {
                debug!(place = self.hand.outbox().place, number, "what was given up has not arrived");
                self.number = number;
            }
            Next::From(_) => return self.put_off(&error, None, taken),
            Next::Singly => {}
            Next::GoOn => self.hand.go_on(taken, refused),
        }
        self.hand.answered();
        None
    }

    /// How long to wait before the same is tried again; nothing if it is given up.
    fn put_off(&mut self, error: &Error, wait: Option<Duration>, taken: usize) -> Option<Duration> {
        self.hand.put_off(error, wait, taken).map_err(|given_up| self.number += given_up as u64).ok()
    }

    /// Posts the first `count` in hand.
    async fn post(&self, kind: Kind, together: bool, count: usize) -> Result<Answer, Error> {
        let body = match (self.hand.letters.front(), together) {
            (Some(one), false) => one.body.clone(),
            _ => self.hand.letters.iter().take(count).fold(Vec::new(), |mut body, letter| {
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
        let no_answer = |reason| Error::NoAnswer { place: self.hand.outbox().place.clone(), reason };
        let asked = Instant::now();
        let response = request.send().await.map_err(|error| no_answer(said(error)))?;
        let answer = Answer::read(response).await.map_err(no_answer)?;
        self.hand.outbox().stats.0.record(asked.elapsed());
        Ok(answer)
    }

    /// The span of a request with so many: of several items each has its own trace.
    fn span(&self, count: usize) -> Span {
        let context =
            self.hand.letters.front().filter(|_| count == 1).and_then(|letter| letter.context.clone());
        let place = &self.hand.outbox().place;
        let span = Span::begin(SpanKind::Client, format_args!("POST {place}"), Parent::from(context));
        span.with("http.request.method", &"POST").with("url", place).with("items", &count)
    }
}
