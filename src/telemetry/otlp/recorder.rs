//! Takes down the spans of traces.

use super::exporter::{DROPPED, QUEUED};
use super::spans::{Finished, Happened, Kind};
use crate::stream::{clock, meter::Meter, trace};
use crate::telemetry::log_fields::Fields;
use serde_json::Value as Json;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Hands over the spans of traces that have ended, and those of the program inside of them.
pub(super) struct Recorder {
    spans: Sender<Finished>,
    meter: Arc<Meter>,
}

/// How many reports a span keeps.
const EVENTS: usize = 128;

/// Whether it is looked at: spans of traces, and what a program reports inside of them.
pub(super) fn wanted(metadata: &Metadata<'_>) -> bool {
    metadata.target() == trace::TARGET || *metadata.level() <= Level::INFO
}

impl Recorder {
    pub(super) fn new(spans: Sender<Finished>, meter: Arc<Meter>) -> Self {
        Self { spans, meter }
    }
}

/// A span that is under way.
struct Open(Finished);

impl Open {
    /// One that says itself where it is in a trace.
    fn of(fields: &Fields) -> Option<Self> {
        let hex = |name| fields.text(name).unwrap_or_default();
        let trace = u128::from_str_radix(hex("trace_id"), 16).ok()?;
        let span = u64::from_str_radix(hex("span_id"), 16).ok()?;
        let parent = u64::from_str_radix(hex("parent_span_id"), 16).unwrap_or(0);
        let mut it = Self::new(trace, span, parent, hex("otel.name"));
        it.0.kind = Kind::of(hex("otel.kind"));
        hex("tracestate").clone_into(&mut it.0.state);
        Some(it)
    }

    fn new(trace: u128, span: u64, parent: u64, name: &str) -> Self {
        let now = clock::now();
        Self(Finished {
            trace,
            span,
            parent,
            state: String::new(),
            name: name.to_owned(),
            kind: Kind::Internal,
            start: now,
            end: now,
            attributes: Vec::new(),
            events: Vec::new(),
            more_events: 0,
            error: None,
        })
    }

    fn note(&mut self, fields: &Fields) {
        for (name, value) in fields.iter().filter(|(name, _)| is_attribute(name)) {
            if name == "error" {
                self.0.error = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
            // The last word on it counts: the protocol allows each name once.
            self.0.attributes.retain(|(known, _)| *known != name);
            self.0.attributes.push((name, typed(name, value)));
        }
    }
}

/// What says where a span is in its trace is no attribute of it.
fn is_attribute(name: &str) -> bool {
    !matches!(name, "trace_id" | "span_id" | "parent_span_id" | "tracestate" | "otel.name" | "otel.kind")
}

/// What is noted of a span is text; the one of these that is a number is one there.
fn typed(name: &str, value: &Json) -> Json {
    let number = value.as_str().filter(|_| name == "http.response.status_code");
    match number.map(str::parse::<i64>) {
        Some(Ok(number)) => number.into(),
        _ => value.clone(),
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let open = if span.metadata().target() == trace::TARGET {
            Open::of(&fields)
        } else {
            // One of the program, inside of one of ours.
            let parent = span
                .parent()
                .and_then(|parent| parent.extensions().get::<Open>().map(|open| (open.0.trace, open.0.span)));
            parent.map(|(trace, parent)| Open::new(trace, fastrand::u64(1..), parent, span.name()))
        };
        if let Some(mut open) = open {
            open.note(&fields);
            span.extensions_mut().replace(open);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        if let Some(open) = extensions.get_mut::<Open>() {
            let mut fields = Fields::default();
            record.record(&mut fields);
            open.note(&fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let mut extensions = span.extensions_mut();
        let Some(Open(open)) = extensions.get_mut::<Open>() else { return };
        if open.events.len() >= EVENTS {
            open.more_events = open.more_events.saturating_add(1);
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.text("message").unwrap_or_default().to_owned();
        if *event.metadata().level() == Level::ERROR && open.error.is_none() {
            open.error = Some(message.clone());
        }
        let level = ("level", event.metadata().level().as_str().into());
        let others = fields.iter().filter(|(name, _)| *name != "message");
        let attributes = others.map(|(name, value)| (name, value.clone())).chain([level]).collect();
        open.events.push(Happened { at: clock::now(), message, attributes });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(Open(mut finished)) = span.extensions_mut().remove::<Open>() else { return };
        finished.end = clock::now();
        // Nobody waits for a collector.
        match self.spans.try_send(finished) {
            Ok(()) => self.meter.set(QUEUED, (self.spans.max_capacity() - self.spans.capacity()) as f64),
            Err(_) => self.meter.add(DROPPED, 1),
        }
    }
}
