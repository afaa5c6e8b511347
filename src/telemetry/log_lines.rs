//! The log: a line for each thing that is reported.

use super::log_fields::Fields;
use super::log_line::{Around, Line};
use crate::stream::clock;
use tokio::time::Instant;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Writes lines.
pub(super) struct Lines {
    start: Instant,
    form: Form,
    write: Box<dyn Fn(&str) + Send + Sync>,
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text { colors: bool },
    Json,
}

impl Lines {
    /// Lines that are written somewhere, one at a time.
    pub(super) fn new(form: Form, write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { start: Instant::now(), form, write: Box::new(write) }
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().replace(fields);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            record.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let scope = context.event_scope(event).map(tracing_subscriber::registry::Scope::from_root);
        let spans = scope.into_iter().flatten().map(|span| Around {
            name: span.name(),
            target: span.metadata().target(),
            fields: span.extensions().get::<Fields>().cloned().unwrap_or_default(),
        });
        let metadata = event.metadata();
        let line = Line {
            since: self.start.elapsed(),
            at: clock::now(),
            level: *metadata.level(),
            target: metadata.target(),
            fields,
            spans: spans.collect(),
        };
        (self.write)(&match self.form {
            Form::Text { colors } => line.text(colors),
            Form::Json => line.json(),
        });
    }
}
