//! Which trace something belongs to, across elements, processes and machines: W3C Trace Context.
//!
//! A trace is all that follows from one cause; its parts are spans, each with the span it follows from. [`TraceContext`]
//! is what travels: in a [`Message`](crate::element::Message), a header, an envelope, an event. What is under way right
//! now belongs to [`TraceContext::current`].
//!
//! A span is one of `tracing`, of the target [`TARGET`] and the level `DEBUG`, with the fields `trace_id`, `span_id` and
//! `parent_span_id`. It is made only if a subscriber wants that target, and the trace is sampled; what comes in goes out
//! again in any case.

mod carried;
mod context;
mod current;
mod sampling;
mod span;
mod state;

pub use context::{NotTraced, TraceContext};
pub use sampling::set_sampling;
pub use span::TARGET;

pub(crate) use carried::{carried, carry};
pub(crate) use context::trace_of as id;
pub(crate) use span::{Parent, Span, SpanKind, is_wanted};
