//! What leads into an in-port.

use super::LinkStats;
use super::queue::{End, Got, Queue};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A source that runs operators or a foreign stream; it is asked for a batch at a time.
pub(crate) trait BatchSource<T>: Send {
    fn poll_batch(self: Pin<&mut Self>, cx: &mut Context<'_>, batch: &mut VecDeque<T>) -> Poll<Got>;
}

/// What an in-port reads.
pub(crate) enum Source<T> {
    Queue(Arc<Queue<T>>),
    /// Operators on a link, or a stream fed in; with the queue behind it, if there is one.
    Piped(Pin<Box<dyn BatchSource<T>>>, Option<Arc<dyn Valve>>),
}

/// A queue whose type doesn't matter.
pub(crate) trait Valve: Send + Sync {
    fn mute(&self, muted: bool, clear: bool);
    fn finish(&self, end: End);
    fn close(&self);
    fn hand_over(&self, begins: bool);
    fn stats(&self) -> LinkStats;
}

impl<T: Send> Valve for Queue<T> {
    fn mute(&self, muted: bool, clear: bool) {
        Queue::mute(self, muted, clear);
    }
    fn finish(&self, end: End) {
        Queue::finish(self, end);
    }
    fn close(&self) {
        Queue::close(self, 0);
    }
    fn hand_over(&self, begins: bool) {
        Queue::hand_over(self, begins);
    }
    fn stats(&self) -> LinkStats {
        Queue::stats(self)
    }
}

impl<T: Send + 'static> Source<T> {
    /// The queue behind it, if there is one.
    pub(crate) fn valve(&self) -> Option<Arc<dyn Valve>> {
        match self {
            Self::Queue(queue) => Some(queue.clone()),
            Self::Piped(_, valve) => valve.clone(),
        }
    }
}
