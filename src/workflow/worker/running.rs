//! A worker that runs.

use super::super::Tasks;
use super::hands::Hands;
use crate::app::{App, Loop};
use crate::event::Group;
use futures::future::BoxFuture;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

/// A [`Worker`](super::Worker) that runs, until it is [drained](Self::drain).
///
/// If it is dropped instead, it stops where it is: what it had in hand begins elsewhere, at the latest when its lease
/// has ended.
#[must_use = "a worker that is dropped stops"]
pub struct RunningWorker {
    pub(super) app: App,
    pub(super) of: Loop,
    pub(super) group: Group,
    pub(super) tasks: Arc<Tasks>,
    pub(super) hands: Arc<Hands>,
    /// Tells the source to end.
    pub(super) stop: watch::Sender<bool>,
    /// Ends with the source.
    pub(super) taken: oneshot::Receiver<()>,
    /// Ends when the group knows that the worker has left it.
    pub(super) left: BoxFuture<'static, ()>,
    pub(super) ended: bool,
}

impl RunningWorker {
    /// The group it is a member of, and through it the log.
    #[must_use]
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// What it carries out.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// The loop of its elements.
    #[must_use]
    pub fn elements(&self) -> &Loop {
        &self.of
    }

    /// How many tasks it has in hand: taken, and their end not written yet.
    #[must_use]
    pub fn in_hand(&self) -> usize {
        self.hands.len()
    }

    /// Ends it in order: it takes no more, gives back what has not begun, so that another has it at once, finishes what
    /// is in work however long that takes, and leaves the group.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is dropping the worker.
    pub async fn drain(mut self) {
        self.take_no_more().await;
        self.hands.emptied().await;
        self.leave().await;
    }

    /// As [`drain`](Self::drain), but what is in work after `limit` is given back as well; how many tasks that were.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is dropping the worker.
    pub async fn drain_within(mut self, limit: Duration) -> usize {
        let finished = async {
            self.take_no_more().await;
            self.hands.emptied().await;
        };
        // What it had in hand at that moment is given back below.
        let _ = timeout(limit, finished).await;
        self.leave().await
    }

    async fn take_no_more(&mut self) {
        self.stop.send_replace(true);
        // An error says that it is gone.
        let _ = (&mut self.taken).await;
        self.hands.drain();
    }

    async fn leave(&mut self) -> usize {
        let given_back = self.end();
        (&mut self.left).await;
        given_back
    }

    /// Ends all that it does; how many tasks were in hand.
    fn end(&mut self) -> usize {
        // By then the app may have another worker of this group.
        if std::mem::replace(&mut self.ended, true) {
            return 0;
        }
        self.stop.send_replace(true);
        // Their functions first, so that they do not go on beside those who get them.
        self.app.remove_loop(self.of.uid());
        self.hands.give_back_all()
    }
}

impl Drop for RunningWorker {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for RunningWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningWorker")
            .field("group", self.group.name())
            .field("tasks", &self.tasks)
            .field("in_hand", &self.in_hand())
            .finish_non_exhaustive()
    }
}
