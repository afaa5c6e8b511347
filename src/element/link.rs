//! A link from an out-port to an in-port.

use super::out_port::{OutPort, Plug};
use super::queue::Queue;
use super::site::Outputs;
use super::{AnyElement, Element, Item, LinkError, Overflow, wiring};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How a link or a subscription queues its items.
///
/// The default waits when full, holds 1,024 items, and starts with the next item emitted. Small capacities cost
/// speed, because items travel in batches: 64 halves the throughput, 1 is slower than a plain channel. For "only the
/// newest counts" take [`latest`](Self::latest), which never waits.
///
/// ```
/// use mape::element::{LinkOptions, Overflow};
///
/// let options = LinkOptions::new().capacity(64).overflow(Overflow::DropOldest);
/// assert_eq!(options.get_capacity(), 64);
/// assert_eq!(LinkOptions::latest().get_capacity(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "options do nothing until they are given to a link or a subscription"]
pub struct LinkOptions {
    pub(crate) capacity: usize,
    pub(crate) overflow: Overflow,
    pub(crate) replay: usize,
    pub(crate) feedback: bool,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self { capacity: 1024, overflow: Overflow::Wait, replay: 0, feedback: false }
    }
}

impl LinkOptions {
    /// The default: waits when full, 1,024 items, no replay.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only the newest item counts: capacity 1, the older gives way. Never holds up the sender.
    pub fn latest() -> Self {
        Self::new().capacity(1).overflow(Overflow::DropOldest)
    }

    /// Keeps the newest `capacity` items. Never holds up the sender.
    pub fn newest(capacity: usize) -> Self {
        Self::new().capacity(capacity).overflow(Overflow::DropOldest)
    }

    /// How many items may be queued, at least 1. What the receiver has taken as a batch no longer counts, so up to
    /// twice as many can be under way.
    pub fn capacity(mut self, items: usize) -> Self {
        self.capacity = items;
        self
    }

    /// What happens to the next item when the queue is full.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Starts with the last `n` items that were emitted before, as far as the element
    /// [remembers](crate::element::Builder::remember) them.
    pub fn replay(mut self, n: usize) -> Self {
        self.replay = n;
        self
    }

    /// Declares that this link closes a ring on purpose, so that a ring of waiting links is accepted.
    ///
    /// Take it where items cannot multiply on their way round. At shutdown such a link is cut first.
    pub fn feedback(mut self) -> Self {
        self.feedback = true;
        self
    }

    /// The capacity set.
    #[must_use]
    pub fn get_capacity(&self) -> usize {
        self.capacity
    }

    /// A sender can be held up by a link with these options, and it isn't declared as feedback.
    pub(crate) fn can_hold_up(&self) -> bool {
        self.overflow == Overflow::Wait && !self.feedback
    }

    pub(crate) fn check(&self) -> Result<(), LinkError> {
        if self.capacity == 0 { Err(LinkError::ZeroCapacity) } else { Ok(()) }
    }
}

/// The counters of one link or subscription, taken at one moment.
///
/// They add up exactly: `offered == received + dropped + skipped + queued`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct LinkStats {
    /// Items handed to the link.
    pub offered: u64,
    /// Items the receiver has taken.
    pub received: u64,
    /// Items given up because the link was full, or left behind when its receiver went away.
    pub dropped: u64,
    /// Items thrown away because the receiving element was stopped or not started.
    pub skipped: u64,
    /// Items waiting.
    pub queued: usize,
    /// How many may wait.
    pub capacity: usize,
    /// What happens when it is full.
    pub overflow: Overflow,
    /// How long the sender has been held up by this link, if it is now; in seconds where it is serialised.
    #[serde(rename = "blocked_seconds", with = "seconds")]
    #[cfg_attr(feature = "http", schema(value_type = Option<f64>))]
    pub blocked: Option<Duration>,
}

mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => to.serialize_some(&time.as_secs_f64()),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let seconds = Option::<f64>::deserialize(from)?;
        Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
    }
}

/// A link between two elements, as its sender's side sees it.
///
/// Dropping the handle leaves the link in place.
pub struct Link<T: Item> {
    pub(crate) from: Arc<OutPort<T>>,
    pub(crate) id: u64,
    pub(crate) queue: Arc<Queue<T>>,
    pub(crate) to: Option<AnyElement>,
}

impl<T: Item> Link<T> {
    /// Cuts the link. What was emitted before still arrives; nothing emitted after does. `false` if it was cut already.
    pub fn unlink(&self) -> bool {
        self.from.detach(self.id)
    }

    /// Moves the link to another element between two items: each item reaches exactly one of both, in order.
    ///
    /// What was pushed but not worked on yet goes the new way, for the sender has not emitted it. The options stay;
    /// operators on the link stay behind with the old one. If it is refused, the link stays as it was.
    ///
    /// # Errors
    /// [`LinkError::Cut`] when the link was cut meanwhile, and what [`Element::link`] refuses.
    pub fn relink<X: Item>(&mut self, to: &Element<T, X>) -> Result<(), LinkError> {
        let from = self.from.site().clone();
        let _rewiring = from.host.rewiring.lock();
        let cut = || LinkError::Cut { from: from.path(), to: to.path() };
        // The overflow rule may have been changed since.
        let options = self.from.options(self.id).ok_or_else(cut)?;
        let queue = Queue::new(options.capacity, options.overflow);
        wiring::check(&from, to.site(), options, Some(self.id))?;
        let plug: Arc<dyn Plug<T>> = to.input.clone();
        let id = self.from.replace(self.id, queue.clone(), plug).ok_or_else(cut)?;
        (self.id, self.queue, self.to) = (id, queue, Some(to.any().clone()));
        Ok(())
    }

    /// The element that the link leads to; `None` for a sink.
    #[must_use]
    pub fn target(&self) -> Option<&AnyElement> {
        self.to.as_ref()
    }

    /// The counters now.
    #[must_use]
    pub fn stats(&self) -> LinkStats {
        self.queue.stats()
    }

    /// Changes what happens when the link is full, while items flow.
    ///
    /// A stuck receiver is isolated by [`Overflow::DropNewest`] or [`Overflow::DropOldest`]: its sender goes on at
    /// once and the link counts what it drops.
    pub fn set_overflow(&self, overflow: Overflow) {
        self.from.set_overflow(self.id, overflow);
    }
}

impl<T: Item> fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("from", &self.from.site().path())
            .field("to", &self.to.as_ref().map(AnyElement::path))
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
