//! Spans as they are sent.

use super::message::{Resource, attribute};
use super::protobuf::Message;
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

/// `STATUS_CODE_ERROR`.
const ERROR: u64 = 2;
/// Of the flags of a span: it is sampled.
const SAMPLED: u32 = 1;

/// An `ExportTraceServiceRequest`.
pub(super) fn request(resource: &Resource, spans: &[Finished]) -> Vec<u8> {
    resource.request(|scoped| spans.iter().for_each(|span| scoped.message(2, |message| span.write(message))))
}

impl Finished {
    fn write(&self, message: &mut Message) {
        message.bytes(1, &self.trace.to_be_bytes());
        message.bytes(2, &self.span.to_be_bytes());
        message.text(3, &self.state);
        if self.parent != 0 {
            message.bytes(4, &self.parent.to_be_bytes());
        }
        message.text(5, &self.name);
        message.number(6, self.kind as u64);
        message.fixed64(7, nanos(self.start));
        message.fixed64(8, nanos(self.end));
        for (key, value) in &self.attributes {
            attribute(message, 9, key, value);
        }
        for event in &self.events {
            message.message(11, |message| {
                message.fixed64(1, nanos(event.at));
                message.text(2, &event.message);
                event.attributes.iter().for_each(|(key, value)| attribute(message, 3, key, value));
            });
        }
        if self.more_events > 0 {
            message.number(12, self.more_events.into());
        }
        if let Some(error) = &self.error {
            message.message(15, |status| {
                status.text(2, error);
                status.number(3, ERROR);
            });
        }
        message.fixed32(16, SAMPLED);
    }
}

/// Nanoseconds since 1970.
pub(super) fn nanos(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
