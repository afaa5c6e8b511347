//! Runs and tasks in traces.

use super::{Invocation, RunId};
use crate::stream::trace::{Parent, Span, SpanKind, TraceContext};

/// The span in which a run is begun, by whoever does it: what its tasks follow from. A run may outlive every process, so
/// it is no span itself.
pub(super) fn begins(id: &RunId) -> Option<TraceContext> {
    let parent = Parent::from(TraceContext::current());
    let span = Span::begin(SpanKind::Internal, format_args!("begin {}", id.short()), parent);
    span.note("workflow", &id.short());
    span.context().cloned()
}

/// The span in which a task is done; the log shows its task in any case.
pub(super) fn does(invocation: &Invocation) -> Span {
    let parent = Parent::from(invocation.context().cloned());
    let name = format_args!("task {}", invocation.name());
    let span = Span::begin(SpanKind::Internal, name, parent);
    if !span.is_recorded() {
        let workflow = invocation.workflow().short();
        return span.told(|| tracing::info_span!("task", task = invocation.name(), workflow));
    }
    span.with("task", &invocation.name())
        .with("workflow", &invocation.workflow().short())
        .with("attempt", &invocation.attempt())
}
