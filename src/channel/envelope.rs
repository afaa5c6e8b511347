//! What travels on a channel.

use crate::stream::clock;
use crate::stream::trace::TraceContext;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::SystemTime;

/// An item, an error or the completion of one publisher, as JSON on the wire.
///
/// ```json
/// {"kind":"next","value":42.5,"src":"car_panda.detect","epoch":9163,"seq":1,"at":"2026-11-21T10:00:00Z"}
/// ```
///
/// Keys that are not known are ignored, so that the format can grow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Envelope<V> {
    /// What it is.
    pub kind: EnvelopeKind,
    /// The item, or for an error [`RemoteError`]; missing on completion.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub value: Option<V>,
    /// Who published it: an element's path or the channel's name.
    #[serde(default)]
    pub src: String,
    /// Random, one for each start of a publisher.
    #[serde(default)]
    pub epoch: u64,
    /// Counts from 1 for each publisher's start and channel, without gaps.
    #[serde(default)]
    pub seq: u64,
    /// When it was published: RFC 3339 in UTC.
    #[serde(default, with = "time")]
    pub at: Option<SystemTime>,
    /// The trace to which it belongs, if the publisher says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The same with the span of its publication, as W3C Trace Context has it, if that is traced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What others have written beside that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
}

/// What an [`Envelope`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvelopeKind {
    /// The next item.
    Next,
    /// An error in its place between the items.
    Error,
    /// This publisher has ended.
    Completed,
}

/// An error of another program.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RemoteError {
    /// What it says.
    pub message: String,
    /// The path of the element in which it happened, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl RemoteError {
    /// An error that says `message`.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), path: None }
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.path {
            Some(path) => write!(f, " (in {path})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RemoteError {}

impl<V> Envelope<V> {
    /// An envelope published now.
    pub(super) fn now(kind: EnvelopeKind, value: Option<V>, src: &str, epoch: u64, seq: u64) -> Self {
        let (src, at) = (src.to_owned(), Some(clock::now()));
        Self { kind, value, src, epoch, seq, at, trace: None, traceparent: None, tracestate: None }
    }
}

/// An envelope in JSON, with where it is in its trace.
pub(super) fn stamped(mut json: Vec<u8>, context: &TraceContext) -> Vec<u8> {
    #[derive(Serialize)]
    struct Stamp<'c> {
        traceparent: &'c TraceContext,
        #[serde(skip_serializing_if = "Option::is_none")]
        tracestate: Option<&'c str>,
    }
    let stamp = Stamp { traceparent: context, tracestate: context.state() };
    if let Ok(stamp) = serde_json::to_vec(&stamp)
        && let Some(stamp) = stamp.strip_prefix(b"{")
        && json.pop_if(|last| *last == b'}').is_some()
    {
        json.push(b',');
        json.extend_from_slice(stamp);
    }
    json
}

/// The longest stamp: a `traceparent`, and as much of a `tracestate` as is kept.
const STAMP: usize = 1024;

/// Where an envelope is in its trace, without a look at what is in it; nothing if it says nothing of that.
pub(super) fn traced(json: &[u8]) -> Option<TraceContext> {
    #[derive(Deserialize)]
    struct Stamp {
        traceparent: String,
        tracestate: Option<String>,
    }
    // It stands at the end; the same words in what is carried are none of the envelope's.
    let end = json.get(json.len().saturating_sub(STAMP)..).unwrap_or_default();
    memchr::memmem::rfind(end, b"\"traceparent\"")?;
    let stamp: Stamp = serde_json::from_slice(json).ok()?;
    TraceContext::parse(&stamp.traceparent, stamp.tracestate.as_deref())
}

/// Time stamps as RFC 3339.
mod time {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::time::SystemTime;

    #[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
    pub(super) fn serialize<S: Serializer>(
        at: &Option<SystemTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let at = at.and_then(|at| Timestamp::try_from(at).ok());
        at.map(|at| format!("{at:.6}")).serialize(serializer)
    }

    /// A time that is no time says nothing, and no item is refused for it.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SystemTime>, D::Error> {
        let text = Option::<serde_json::Value>::deserialize(from)?;
        let at = text.as_ref().and_then(|text| text.as_str()?.parse::<Timestamp>().ok());
        Ok(at.map(SystemTime::from))
    }
}
