//! What is under way right now.

use super::TraceContext;

tokio::task_local! {
    /// Set while something of a trace is done, in this task and this call.
    static CURRENT: TraceContext;
}

pub(super) fn get() -> Option<TraceContext> {
    CURRENT.try_with(Clone::clone).ok()
}

pub(super) fn run<R>(context: TraceContext, f: impl FnOnce() -> R) -> R {
    CURRENT.sync_scope(context, f)
}

pub(super) async fn scope<F: Future>(context: TraceContext, future: F) -> F::Output {
    CURRENT.scope(context, future).await
}
