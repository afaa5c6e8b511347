//! Handlers of changes.

use super::{Changes, Notice};
use futures::{FutureExt, StreamExt};
use std::panic::AssertUnwindSafe;
use tokio::task::JoinHandle;
use tracing::error;

/// Owns the task that calls a handler of changes; dropping it ends the task and the watching.
#[derive(Debug)]
#[must_use = "the handler is called only as long as this is kept"]
pub struct OnChange(JoinHandle<()>);

impl OnChange {
    /// Waits until there are no more changes because the store was closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the task.
    pub async fn ended(mut self) {
        // The task catches the handler's panics, so the only other end is that the runtime shuts down.
        let _ = (&mut self.0).await;
    }
}

impl Drop for OnChange {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn spawn<F>(
    mut changes: Changes,
    mut handler: impl FnMut(Notice) -> F + Send + 'static,
) -> OnChange
where
    F: Future<Output = ()> + Send + 'static,
{
    OnChange(tokio::spawn(async move {
        while let Some(notice) = changes.next().await {
            // The call itself is inside, so that a panic in a synchronous handler is caught as well.
            let call = AssertUnwindSafe(async { handler(notice).await });
            if call.catch_unwind().await.is_err() {
                error!("a handler of knowledge changes panicked; it is called again for the next change");
            }
        }
    }))
}
