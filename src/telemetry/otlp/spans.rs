//! Spans as they are sent.

use super::message::{self, Resource, attribute, scope};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use prost::Message;
use serde_json::Value as Json;
use std::time::{SystemTime, UNIX_EPOCH};

/// A span that has ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) trace: u128,
    pub(super) span: u64,
    /// 0 for the first span of a trace.
    pub(super) parent: u64,
    pub(super) state: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) start: SystemTime,
    pub(super) end: SystemTime,
    pub(super) attributes: Vec<(&'static str, Json)>,
    pub(super) events: Vec<Happened>,
    pub(super) more_events: u32,
    pub(super) error: Option<String>,
}

/// Something that was reported in a span.
#[derive(Debug)]
pub(super) struct Happened {
    pub(super) at: SystemTime,
    pub(super) message: String,
    pub(super) attributes: Vec<(&'static str, Json)>,
}

/// The kind of a span, with its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

impl Kind {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "server" => Self::Server,
            "client" => Self::Client,
            "producer" => Self::Producer,
            "consumer" => Self::Consumer,
            _ => Self::Internal,
        }
    }
}

/// Of the flags of a span: it is sampled.
const SAMPLED: u32 = 1;

/// The body of a request.
pub(super) fn request(resource: &Resource, spans: &[Finished]) -> Vec<u8> {
    let spans = spans.iter().map(Finished::message).collect();
    let scoped = ScopeSpans { scope: Some(scope()), spans, ..Default::default() };
    let all =
        ResourceSpans { resource: Some(resource.message()), scope_spans: vec![scoped], ..Default::default() };
    ExportTraceServiceRequest { resource_spans: vec![all] }.encode_to_vec()
}

/// What of it was not taken, as the answer says.
pub(super) fn refused(answer: &[u8]) -> Option<(u64, String)> {
    let partial = ExportTraceServiceResponse::decode(answer).ok()?.partial_success?;
    message::refused(partial.rejected_spans, partial.error_message)
}

impl Finished {
    fn message(&self) -> Span {
        let attributes =
            |all: &[(&'static str, Json)]| all.iter().map(|(key, value)| attribute(key, value)).collect();
        let events = self.events.iter().map(|event| span::Event {
            time_unix_nano: nanos(event.at),
            name: event.message.clone(),
            attributes: attributes(&event.attributes),
            ..Default::default()
        });
        let parent = if self.parent == 0 { Vec::new() } else { self.parent.to_be_bytes().to_vec() };
        let status = self.error.clone().map(|message| Status { message, code: StatusCode::Error as i32 });
        Span {
            trace_id: self.trace.to_be_bytes().to_vec(),
            span_id: self.span.to_be_bytes().to_vec(),
            trace_state: self.state.clone(),
            parent_span_id: parent,
            flags: SAMPLED,
            name: self.name.clone(),
            kind: self.kind as i32,
            start_time_unix_nano: nanos(self.start),
            end_time_unix_nano: nanos(self.end),
            attributes: attributes(&self.attributes),
            events: events.collect(),
            dropped_events_count: self.more_events,
            status,
            ..Default::default()
        }
    }
}

/// Nanoseconds since 1970.
pub(super) fn nanos(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
