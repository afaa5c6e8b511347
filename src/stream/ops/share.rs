//! One source for many subscribers.

use super::shared::{Hub, Service};
use futures::Stream;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Handle and stream of [`Operators::share`](crate::stream::Operators::share) and
/// [`Operators::replay`](crate::stream::Operators::replay): one source, many subscribers, who get clones of
/// its items.
///
/// A handle subscribes when it is first polled, or made by [`subscribe`](Self::subscribe); from then on it
/// gets every item. A clone of a handle is not subscribed yet, so it can be kept to make subscribers later.
/// The source runs while somebody polls: subscribers poll it in turn, there is no task behind it.
///
/// - **Emits when** the source does; with `replay(n)`, first what was emitted last, at most `n` items, even
///   after the end.
/// - **Back-pressures when** the queue of a subscriber is full (64 items, see
///   [`capacity`](Self::capacity)): then the source is not polled until that subscriber reads or is
///   dropped. One that called [`drop_oldest`](Self::drop_oldest) holds nobody back; what it loses is
///   counted by [`missed`](Self::missed).
/// - **Completes when** the source has ended and the queue is empty. Who comes later sees the end at once
///   (after what is replayed).
/// - **Cancels when** the last handle is dropped, the source with it; the source is dropped already when it
///   ends. Without subscribers it is not polled, and goes on where it was when one comes.
///
/// Memory: one queue for each subscriber, and `n` items for `replay(n)`. Source: ReactiveX *Publish*,
/// *Refcount* and *Replay*, RxPY `share` and `replay`. There, the source is subscribed to again when the
/// first new subscriber comes after the last has gone; here it goes on.
///
/// ```
/// use futures::{StreamExt, stream};
/// use mape::stream::Operators;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let readings = stream::iter([1, 2, 3]).share();
/// let (sum, all) = (readings.subscribe(), readings.subscribe());
/// let (sum, all) = tokio::join!(sum.fold(0, async |sum, n| sum + n), all.collect::<Vec<_>>());
/// assert_eq!((sum, all), (6, vec![1, 2, 3]));
/// # }
/// ```
#[doc(alias = "publish")]
#[doc(alias = "ref_count")]
#[must_use = "streams do nothing unless polled"]
pub struct Share<S: Stream> {
    hub: Arc<Hub<S>>,
    seat: Option<usize>,
    service: Service,
}

impl<S: Stream> Share<S> {
    const CAPACITY: usize = 64;

    pub(crate) fn new(source: S, keep: usize) -> Self {
        let service = Service { capacity: Self::CAPACITY.max(keep), drop_oldest: false };
        Self { hub: Arc::new(Hub::new(source, keep)), seat: None, service }
    }

    /// A further subscriber, from now on.
    pub fn subscribe(&self) -> Self
    where
        S::Item: Clone,
    {
        let mut handle = self.clone();
        handle.seat = Some(handle.hub.join(handle.service));
        handle
    }

    /// How many items wait for this subscriber, and for clones made of it, before its queue is full.
    ///
    /// At least 1; 64 unless told, or `n` with `replay(n)` when that is more.
    pub fn capacity(mut self, items: usize) -> Self {
        self.service.capacity = items.max(1);
        self.serve()
    }

    /// This subscriber, and clones made of it, lose the oldest item of a full queue and hold nobody back.
    pub fn drop_oldest(mut self) -> Self {
        self.service.drop_oldest = true;
        self.serve()
    }

    /// How many items this subscriber has lost since it subscribed.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.seat.map_or(0, |seat| self.hub.missed(seat))
    }

    fn serve(self) -> Self {
        if let Some(seat) = self.seat {
            self.hub.serve(seat, self.service);
        }
        self
    }
}

impl<S: Stream> Clone for Share<S> {
    /// A handle that is not subscribed yet.
    fn clone(&self) -> Self {
        Self { hub: Arc::clone(&self.hub), seat: None, service: self.service }
    }
}

impl<S: Stream> Drop for Share<S> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            self.hub.leave(seat);
        }
    }
}

impl<S> Stream for Share<S>
where
    S: Stream,
    S::Item: Clone,
{
    type Item = S::Item;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = &mut *self;
        let seat = *this.seat.get_or_insert_with(|| this.hub.join(this.service));
        this.hub.poll_next(seat, cx)
    }
}

impl<S: Stream> fmt::Debug for Share<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("subscribed", &self.seat.is_some())
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
