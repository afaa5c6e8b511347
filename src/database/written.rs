//! What comes out of a bulk writer.

use super::BulkStats;
use super::passing::{Passing, Token};
use crate::event::{Event, EventId};
use futures::Stream;
use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A row that is in the database, a `T` to be passed on. Cheap to clone.
///
/// It counts as passed on when all clones are dropped, of it and of those that were committed with it. Until then it
/// comes out again after a crash; so whoever hands it to somebody who may fail keeps it until that is done.
pub struct Written<T> {
    chunk: Arc<Chunk<T>>,
    place: usize,
}

/// What was committed together.
pub(super) struct Chunk<T> {
    pub(super) items: Vec<Item<T>>,
    pub(super) again: bool,
    pub(super) _passed: Token,
}

pub(super) struct Item<T> {
    pub(super) id: EventId,
    pub(super) event: Event,
    pub(super) value: T,
}

impl<T> Written<T> {
    fn item(&self) -> &Item<T> {
        #[expect(clippy::indexing_slicing, reason = "one is only made for a place that is there")]
        &self.chunk.items[self.place]
    }

    /// The place of its event in the log: the same each time it comes out.
    #[must_use]
    pub fn id(&self) -> EventId {
        self.item().id
    }

    /// Whether it may have been passed on before: by a process that has ended since.
    #[must_use]
    pub fn is_again(&self) -> bool {
        self.chunk.again
    }

    /// The event itself, with all its fields.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.item().event
    }
}

impl<T> Clone for Written<T> {
    fn clone(&self) -> Self {
        Self { chunk: self.chunk.clone(), place: self.place }
    }
}

impl<T> Deref for Written<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item().value
    }
}

impl<T: fmt::Debug> fmt::Debug for Written<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written")
            .field("id", &self.id())
            .field("again", &self.is_again())
            .field("value", &**self)
            .finish_non_exhaustive()
    }
}

impl<T: Serialize> Serialize for Written<T> {
    /// As its value.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

/// A bulk writer at work: a [`Stream`] of what it has committed, in the order of the log, for ever.
///
/// It writes while this is held, and stops when it is dropped. Who does not poll it holds it up after a few batches.
pub struct WrittenSource<T> {
    pub(super) chunks: mpsc::Receiver<Chunk<T>>,
    pub(super) current: Option<Arc<Chunk<T>>>,
    pub(super) next: usize,
    pub(super) task: JoinHandle<()>,
    pub(super) passing: Arc<Passing>,
    pub(super) stats: BulkStats,
}

impl<T> WrittenSource<T> {
    /// Its counters, which go on counting.
    #[must_use]
    pub fn stats(&self) -> BulkStats {
        self.stats.clone()
    }
}

impl<T> Stream for WrittenSource<T> {
    type Item = Written<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Written<T>>> {
        loop {
            if let Some(chunk) = self.current.take() {
                let place = self.next;
                if place < chunk.items.len() {
                    self.next += 1;
                    // The last one takes it along, so that it is passed on with it.
                    if place + 1 < chunk.items.len() {
                        self.current = Some(chunk.clone());
                    }
                    return Poll::Ready(Some(Written { chunk, place }));
                }
            }
            let Some(chunk) = ready!(self.chunks.poll_recv(cx)) else { return Poll::Ready(None) };
            self.next = 0;
            self.current = Some(Arc::new(chunk));
        }
    }
}

impl<T> Drop for WrittenSource<T> {
    fn drop(&mut self) {
        // What nobody has taken was not passed on.
        self.passing.close();
        self.task.abort();
    }
}

impl<T> fmt::Debug for WrittenSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrittenSource").field("stats", &self.stats).finish_non_exhaustive()
    }
}
