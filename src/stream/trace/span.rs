//! Spans: what is done in a trace.

use super::context::{SAMPLED, TraceContext};
use super::{current, sampling};
use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Level, field};

/// The target of all spans of traces, which are of level `DEBUG`: a filter that lets it through, such as
/// `info,mape::trace=debug`, has them made.
pub const TARGET: &str = "mape::trace";

/// What a span follows from.
pub(crate) enum Parent {
    /// Nothing: it begins a trace.
    None,
    /// A trace in which there is no span yet, as far as is known here.
    Trace(NonZeroU128),
    /// A span.
    Span(TraceContext),
}

impl Parent {
    /// What came in, to be passed on as it is.
    fn context(self) -> Option<TraceContext> {
        match self {
            Self::Span(context) => Some(context),
            Self::None | Self::Trace(_) => None,
        }
    }
}

impl From<Option<TraceContext>> for Parent {
    fn from(context: Option<TraceContext>) -> Self {
        context.map_or(Self::None, Self::Span)
    }
}

/// Which part of a conversation a span is, in the words of OpenTelemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpanKind {
    Internal,
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "there is no server"))]
    Server,
    #[cfg_attr(not(feature = "edge"), expect(dead_code, reason = "there is no client"))]
    Client,
    Producer,
    Consumer,
}

impl SpanKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// Whether anybody may want spans: read at no cost, and mostly all there is to it.
pub(crate) fn is_wanted() -> bool {
    LevelFilter::current() >= Level::DEBUG
}

/// Whether there is no subscriber here, as in a thread beside one that has one of its own: spans are made then all the same,
/// for nobody.
fn nobody_listens() -> bool {
    tracing::dispatcher::get_default(|dispatch| dispatch.is::<tracing::subscriber::NoSubscriber>())
}

/// Something that is done in a trace, or might be: where nobody wants to know, it is nothing, and costs nothing.
///
/// It ends when it is dropped.
pub(crate) struct Span {
    span: tracing::Span,
    /// What follows belongs to this: the span itself, or what came in if it is not recorded.
    context: Option<TraceContext>,
}

impl Span {
    /// Begins; the name is written only if somebody wants to know.
    pub(crate) fn begin(kind: SpanKind, name: fmt::Arguments<'_>, parent: Parent) -> Self {
        let none = |context| Self { span: tracing::Span::none(), context };
        if !is_wanted() || nobody_listens() {
            return none(parent.context());
        }
        let own = NonZeroU64::new(fastrand::u64(1..)).unwrap_or(NonZeroU64::MIN);
        let begins = |trace: NonZeroU128| {
            let flags = if sampling::samples(trace) { SAMPLED } else { 0 };
            (TraceContext { trace, span: own, flags, state: None }, None)
        };
        let (context, before) = match parent {
            Parent::None => begins(NonZeroU128::new(fastrand::u128(1..)).unwrap_or(NonZeroU128::MIN)),
            Parent::Trace(trace) => begins(trace),
            Parent::Span(before) if !before.is_sampled() => return none(Some(before)),
            Parent::Span(ref before) => (TraceContext { span: own, ..before.clone() }, Some(before.span)),
        };
        if !context.is_sampled() {
            // Whoever comes later is told so.
            return none(Some(context));
        }
        let span = tracing::span!(
            target: TARGET, Level::DEBUG, "span",
            otel.name = name, otel.kind = kind.as_str(),
            trace_id = %Hex32(context.trace), span_id = %Hex16(context.span),
            parent_span_id = before.map(|before| field::display(Hex16(before))),
            tracestate = context.state(),
            element = field::Empty, task = field::Empty, workflow = field::Empty, client = field::Empty,
            items = field::Empty, attempt = field::Empty, url = field::Empty, error = field::Empty,
            http.request.method = field::Empty, http.route = field::Empty, http.response.status_code = field::Empty,
            messaging.destination.name = field::Empty,
        );
        // To ask first, by `enabled!`, would leave filters of single layers in a state that loses the next event.
        if span.is_disabled() { none(parent.context()) } else { Self { span, context: Some(context) } }
    }

    /// Nothing.
    pub(crate) fn none() -> Self {
        Self { span: tracing::Span::none(), context: None }
    }

    /// Whether it is recorded.
    pub(crate) fn is_recorded(&self) -> bool {
        !self.span.is_disabled()
    }

    /// Told to the log alone, as this is no span of a trace.
    #[cfg(any(feature = "http", feature = "flow"))]
    pub(crate) fn told(self, span: impl FnOnce() -> tracing::Span) -> Self {
        Self { span: span(), context: self.context }
    }

    /// With a field, one of those that a span may have.
    pub(crate) fn with(self, name: &'static str, value: &dyn fmt::Display) -> Self {
        self.note(name, value);
        self
    }

    /// Notes a field.
    pub(crate) fn note(&self, name: &'static str, value: &dyn fmt::Display) {
        if self.is_recorded() {
            self.span.record(name, field::display(value));
        }
    }

    /// What follows belongs to this.
    pub(crate) fn context(&self) -> Option<&TraceContext> {
        self.context.as_ref()
    }

    /// Does something in it.
    pub(crate) fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        match &self.context {
            Some(context) => current::run(context.clone(), || self.span.in_scope(f)),
            None => self.span.in_scope(f),
        }
    }

    /// Waits for something in it.
    pub(crate) async fn scope<F: Future>(&self, future: F) -> F::Output {
        match &self.context {
            Some(context) => current::scope(context.clone(), future.instrument(self.span.clone())).await,
            None => future.instrument(self.span.clone()).await,
        }
    }
}

struct Hex32(NonZeroU128);
struct Hex16(NonZeroU64);

impl fmt::Display for Hex32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for Hex16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
