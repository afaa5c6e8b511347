//! A process and its way to the backend, on which calls are late, fail, or get lost.

use super::log::SlowLog;
use super::store::SlowStore;
use super::world::{How, World};
use mape::backend::Backend;
use mape::channel::{ChannelName, Error as ChannelError, Payload, PubSub, Subscription, Topics};
use mape::stream::Answer;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How a process is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Up,
    /// Calls wait until it is up again.
    Hangs,
    /// Calls fail.
    Fails,
    /// The process is no more: nothing it says is heard, nothing is said to it.
    Dead,
}

/// A process, as the backend sees it. One that is started again is another one.
pub(super) struct Link {
    pub(super) world: Arc<World>,
    pub(super) name: Arc<str>,
    wire: Mutex<Wire>,
    /// One list of those who wait, so that they are woken in the same order each time.
    changed: Notify,
    /// How many calls in a thousand go wrong.
    pub(super) flaky: AtomicU64,
    life: Mutex<Life>,
}

/// When it has given signs of life.
#[derive(Debug, Default)]
struct Life {
    last: Option<Instant>,
    lapsed: bool,
    ended: bool,
}

/// How long a process that turns runs lives without a sign of life.
const LEASE: Duration = Duration::from_secs(3);

/// What a call is about.
pub(super) struct What {
    pub(super) name: &'static str,
    pub(super) on: Arc<str>,
    pub(super) told: String,
}

impl Link {
    pub(super) fn new(world: &Arc<World>, name: &str) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            name: name.into(),
            wire: Mutex::new(Wire::Up),
            changed: Notify::new(),
            flaky: AtomicU64::new(0),
            life: Mutex::default(),
        })
    }

    /// The backend as this process sees it.
    pub(super) fn backend(self: &Arc<Self>) -> Backend {
        let (store, log) = (SlowStore(self.clone()), SlowLog(self.clone()));
        let backend = Backend::new("simulated:", Arc::new(store), Arc::new(Nothing), Arc::new(log));
        if self.world.is_open { backend.opened() } else { backend }
    }

    pub(super) fn wire(&self) -> Wire {
        *self.wire.lock()
    }

    pub(super) fn is_dead(&self) -> bool {
        self.wire() == Wire::Dead
    }

    /// Waits until the way is of this kind.
    pub(super) async fn until(&self, is: impl Fn(Wire) -> bool) -> Wire {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wire = self.wire();
            if is(wire) {
                return wire;
            }
            changed.await;
        }
    }

    pub(super) fn set(&self, wire: Wire) {
        if wire == Wire::Dead {
            self.life.lock().ended = true;
        }
        if !self.is_dead() {
            *self.wire.lock() = wire;
            self.changed.notify_waiters();
        }
    }

    /// It lets go of all it has.
    pub(super) fn gives_up(&self) {
        self.life.lock().ended = true;
    }

    /// A sign of life that has arrived.
    pub(super) fn lives(&self) {
        let mut life = self.life.lock();
        life.lapsed |= life.last.is_some_and(|last| last.elapsed() >= LEASE);
        life.last = Some(Instant::now());
    }

    /// Whether others may have thought that it is no more.
    pub(super) fn was_given_up(&self) -> bool {
        let life = self.life.lock();
        life.ended || life.lapsed || life.last.is_some_and(|last| last.elapsed() >= LEASE)
    }

    /// Waits until the way is there; whether it is, or calls fail.
    async fn there(&self) -> bool {
        match self.wire() {
            Wire::Up => true,
            Wire::Fails => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                false
            }
            Wire::Hangs | Wire::Dead => {
                self.until(|wire| matches!(wire, Wire::Up | Wire::Fails)).await == Wire::Up
            }
        }
    }

    async fn goes_wrong(&self) -> bool {
        let flaky = self.flaky.load(Ordering::Relaxed);
        if flaky == 0 || !self.world.happens(flaky) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(self.world.below(50))).await;
        true
    }

    async fn pause(&self) {
        let delay = self.world.delay();
        if delay > Duration::ZERO {
            tokio::time::sleep(delay).await;
        }
    }

    /// Does a call: late, or not at all, or with an answer that does not arrive.
    pub(super) async fn call<T, E>(
        self: Arc<Self>,
        what: What,
        perform: impl FnOnce() -> Answer<Result<T, E>>,
        fail: impl Fn(&'static str) -> E,
    ) -> Result<T, E> {
        self.pause().await;
        let (world, name) = (&self.world, &self.name);
        if !self.there().await || self.goes_wrong().await {
            world.record(name, what.name, what.on, How::NotDone, || what.told);
            return Err(fail("the connection is gone; it was not carried out"));
        }
        let result = match perform().now() {
            Ok(result) => result,
            Err(waits) => {
                let answered = tokio::select! {
                    biased;
                    result = waits => Some(result),
                    _ = self.until(|wire| wire != Wire::Up) => None,
                };
                let Some(result) = answered else {
                    world.record(name, what.name, what.on, How::NotDone, || what.told);
                    self.there().await;
                    return Err(fail("the connection was cut while waiting"));
                };
                result
            }
        };
        let lost = self.goes_wrong().await;
        let how = match &result {
            _ if lost => How::Lost,
            Ok(_) => How::Done,
            Err(_) => How::Refused,
        };
        world.record(name, what.name, what.on, how, || what.told);
        self.pause().await;
        if self.there().await && !lost {
            result
        } else {
            Err(fail("the connection is gone; the answer is lost"))
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.name).finish()
    }
}

/// Channels, on which nothing is ever said.
#[derive(Debug)]
struct Nothing;

impl PubSub for Nothing {
    fn publish(&self, _: &ChannelName, _: &[Payload]) -> Answer<Result<u64, ChannelError>> {
        Answer::ready(Ok(0))
    }

    fn subscribe(&self, topics: Topics) -> Answer<Result<Subscription, ChannelError>> {
        Answer::ready(Ok(Subscription::bounded(topics, || ()).1))
    }
}
