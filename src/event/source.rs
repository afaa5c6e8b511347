//! The events that fall to one consumer.

use super::delivery::{Delivery, Held};
use super::fetch::Fetch;
use super::keeper::Keeper;
use super::{Consumer, ConsumerName, Delivered, Error, Group};
use futures::future::BoxFuture;
use futures::{FutureExt, Stream};
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// One consumer of a group: a [`Stream`] of [`Delivery`]s, each to be acknowledged.
///
/// An error stands in its place and the stream goes on: an event that is no `T` ([`Error::Decode`]), an entry that is no
/// event ([`Error::Malformed`]), one that failed too often ([`Error::Dead`]); all of them are in the dead letters then.
/// Outages are sat out, and a group that is gone is made again. It never ends.
///
/// Dropping it, and every delivery it gave out, settles what was said about them and takes the consumer off the group.
///
/// Source: `EventListener` of `rqse`, which naps while it is idle, has no lease and no dead letters.
///
/// # Delivery
///
/// At least once, as the [module](super) says.
#[doc(alias = "EventListener")]
pub struct EventSource<T> {
    ready: VecDeque<Delivered>,
    fetching: Option<BoxFuture<'static, Fetched>>,
    fetch: Option<Fetch>,
    keeper: Arc<Keeper>,
    group: Group,
    item: PhantomData<fn() -> T>,
}

/// What was asked for, and who asks on.
type Fetched = (Fetch, Result<Vec<Delivered>, Error>);

impl<T: DeserializeOwned> EventSource<T> {
    pub(super) fn new(group: Group) -> Self {
        let name = group.consumer.clone().unwrap_or_else(ConsumerName::random);
        let consumer = Consumer::new(group.log.name(), &group.name, name);
        let keeper = Arc::new(Keeper::new(&group, consumer));
        let fetch = Fetch::new(group.clone(), keeper.shared().clone());
        Self { ready: VecDeque::new(), fetching: None, fetch: Some(fetch), keeper, group, item: PhantomData }
    }

    /// Which consumer it is.
    #[must_use]
    pub fn consumer(&self) -> &Consumer {
        &self.keeper.shared().consumer
    }

    /// Ends when this source and all its deliveries are gone, and the backend has been told what was said about them: a
    /// program that is about to end waits for it. It gives up five seconds after they are gone.
    pub fn left(&self) -> impl Future<Output = ()> + Send + use<T> {
        self.keeper.shared().left()
    }

    /// What becomes of an entry: a delivery, an error, or nothing to be seen.
    fn open(&self, delivered: Delivered) -> Option<Result<Delivery<T>, Error>> {
        let Delivered { entry, attempt } = delivered;
        let (id, log) = (entry.id, || self.group.log.name().clone());
        let held =
            |event| Held::new(&self.keeper, id, attempt, event, self.group.backoff, self.group.receipts);
        let event = match entry.event {
            Ok(event) => event,
            Err(malformed) => {
                held(malformed.as_event()).bury(&malformed.to_string());
                return Some(Err(Error::Malformed { log: log(), id, malformed }));
            }
        };
        let held = held(event);
        if !self.group.selects(&held.event) {
            held.acknowledge_unseen();
            return None;
        }
        if attempt > self.group.attempts {
            let attempts = attempt - 1;
            held.bury(&format!("it failed {attempts} times"));
            let group = self.group.name.clone();
            return Some(Err(Error::Dead { log: log(), group, id, attempts }));
        }
        let held = held.traced();
        match held.run(|| held.event.read()) {
            Ok(value) => Some(Ok(Delivery::new(value, held))),
            Err(error) => {
                let reason = error.to_string();
                held.bury(&format!("it is no {}: {reason}", type_name::<T>()));
                Some(Err(Error::Decode { log: log(), id, type_name: type_name::<T>(), reason }))
            }
        }
    }
}

impl<T> Unpin for EventSource<T> {}

impl<T: DeserializeOwned> Stream for EventSource<T> {
    type Item = Result<Delivery<T>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let asked = self.fetching.is_some();
            if (self.ready.is_empty() || self.ready.len() == FEW && self.keeper.shared().room() >= FEW)
                && !asked
                && let Some(mut fetch) = self.fetch.take()
            {
                let next = async move {
                    let fetched = fetch.next().await;
                    (fetch, fetched)
                };
                self.fetching = Some(next.boxed());
            }
            if (!asked || self.ready.is_empty())
                && let Some(fetching) = &mut self.fetching
                && let Poll::Ready((fetch, fetched)) = fetching.poll_unpin(cx)
            {
                self.fetching = None;
                self.fetch = Some(fetch);
                match fetched {
                    Ok(delivered) => self.ready.extend(delivered),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
            let Some(delivered) = self.ready.pop_front() else {
                if self.fetching.is_some() {
                    return Poll::Pending;
                }
                continue;
            };
            if let Some(item) = self.open(delivered) {
                return Poll::Ready(Some(item));
            }
        }
    }
}

/// With this many left the next are asked for, so that they come while these are worked on; a consumer that may have
/// few in hand leaves them to others.
const FEW: usize = 128;

impl<T> Drop for EventSource<T> {
    fn drop(&mut self) {
        self.put_back();
    }
}

impl<T> EventSource<T> {
    /// What it was given and has not given out goes back at once, and asks for nothing more until it is polled again.
    pub(crate) fn put_back(&mut self) {
        if let Some(fetching) = self.fetching.take() {
            self.keeper.shared().give_back_asked(fetching.map(|(_, fetched)| fetched).boxed());
            self.fetch = Some(Fetch::new(self.group.clone(), self.keeper.shared().clone()));
        }
        for Delivered { entry, attempt } in self.ready.drain(..) {
            // Nobody of the group would do anything with it.
            let is_foreign = entry.event.as_ref().is_ok_and(|event| !self.group.selects(event));
            let event = entry.event.unwrap_or_default();
            let held = Held::new(&self.keeper, entry.id, attempt, event, self.group.backoff, false);
            if is_foreign { held.acknowledge_unseen() } else { held.put_back() }
        }
    }
}

impl<T> fmt::Debug for EventSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSource")
            .field("consumer", &self.keeper.shared().consumer)
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}
