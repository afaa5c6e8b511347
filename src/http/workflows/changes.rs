//! Changes of runs, told to all who listen.

use super::super::Problem;
use crate::knowledge::Notice;
use crate::workflow::{RunChange, RunId, Workflows};
use futures::{Stream, StreamExt, stream};
use parking_lot::Mutex;
use serde_json::json;
use std::fmt;
use std::sync::{Arc, Weak};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;

/// Tells all who listen of changes of runs. It watches while there is anybody, and once for all of them.
#[derive(Default)]
pub(crate) struct Hub(Mutex<Weak<Telling>>);

/// What is told.
#[derive(Clone)]
pub(super) enum Told {
    /// A change: of which run, and as JSON.
    Run(RunId, Arc<str>),
    /// So many changes were missed, or nobody knows how many.
    Missed(Option<u64>),
}

/// How many changes wait for a client before it misses the oldest.
const WAITING: usize = 1024;

/// A task that tells; it ends with this.
struct Telling {
    told: broadcast::WeakSender<Told>,
    task: AbortHandle,
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Hub {
    /// What is told from now on.
    pub(super) async fn listen(
        &self,
        runs: &Workflows,
    ) -> Result<impl Stream<Item = Told> + Send + use<>, Problem> {
        let (telling, told) = if let Some(found) = self.find() {
            found
        } else {
            let changes = runs.changes().await?;
            self.begin(changes)
        };
        Ok(stream::unfold((telling, told), |(telling, mut told)| async {
            let next = match told.recv().await {
                Ok(next) => next,
                Err(broadcast::error::RecvError::Lagged(count)) => Told::Missed(Some(count)),
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            Some((next, (telling, told)))
        }))
    }

    /// Begins to tell, unless somebody else has begun meanwhile.
    fn begin(
        &self,
        changes: impl Stream<Item = Notice<RunChange>> + Send + 'static,
    ) -> (Arc<Telling>, broadcast::Receiver<Told>) {
        let mut kept = self.0.lock();
        if let Some(found) = kept.upgrade().and_then(subscribed) {
            return found;
        }
        let (sender, told) = broadcast::channel(WAITING);
        let weak = sender.downgrade();
        let task = tokio::spawn(tell(changes, sender)).abort_handle();
        let telling = Arc::new(Telling { told: weak, task });
        *kept = Arc::downgrade(&telling);
        (telling, told)
    }

    fn find(&self) -> Option<(Arc<Telling>, broadcast::Receiver<Told>)> {
        self.0.lock().upgrade().and_then(subscribed)
    }
}

fn subscribed(telling: Arc<Telling>) -> Option<(Arc<Telling>, broadcast::Receiver<Told>)> {
    let told = telling.told.upgrade()?.subscribe();
    Some((telling, told))
}

async fn tell(changes: impl Stream<Item = Notice<RunChange>>, sender: broadcast::Sender<Told>) {
    let mut changes = std::pin::pin!(changes);
    while let Some(notice) = changes.next().await {
        let told = match notice {
            Notice::Change(change) => Told::Run(change.id.clone(), json!(change).to_string().into()),
            Notice::Missed(count) => Told::Missed(Some(count)),
            Notice::Interrupted => Told::Missed(None),
        };
        // Without anybody who listens this task is about to end.
        drop(sender.send(told));
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hub")
    }
}
