//! What a consumer has in hand: signs of life, and what became of it.

use super::{Consumer, Delivered, Error, Event, EventId, EventLog, Group, LogName};
use crate::stream::Backoff;
use crate::stream::meter::Meter;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, timeout};
use tracing::warn;

/// Held by a source and all deliveries it gave out; when the last is gone, what is queued is settled and the consumer
/// leaves the group.
#[derive(Debug)]
pub(super) struct Keeper(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) meter: Arc<Meter>,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) consumer: Consumer,
    /// The kinds of events that the group selects.
    kinds: Option<Vec<String>>,
    lease: Duration,
    in_hand: usize,
    hands: Mutex<Hands>,
    /// There is something to settle, or it is the end.
    work: Notify,
    /// There is room for more, or something to claim earlier.
    pub(super) room: Notify,
    closed: AtomicBool,
    /// Whether all that is left to be told has been.
    left: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Hands {
    /// What is given out or ready to be.
    ids: BTreeSet<EventId>,
    done: Vec<Done>,
    /// When something that was given back can be claimed, at the earliest.
    claim_at: Option<Instant>,
    /// What the source asked for before it went.
    asked: Option<Asked>,
}

/// Events that may be on their way to a source that is gone.
struct Asked(BoxFuture<'static, Result<Vec<Delivered>, Error>>);

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asked")
    }
}

/// What became of an event.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) id: EventId,
    pub(super) how: How,
    /// Who waits for the backend to confirm it.
    pub(super) told: Option<oneshot::Sender<Result<(), Error>>>,
}

#[derive(Debug)]
pub(super) enum How {
    Acknowledged,
    /// By somebody else.
    DealtWith,
    /// Together with these events.
    Settled(Vec<(LogName, Event)>),
    /// To be delivered again, after this time.
    GivenBack(Duration),
    /// As if it had not been delivered.
    PutBack,
}

impl How {
    /// Whether it is to be delivered again.
    pub(super) fn returns(&self) -> bool {
        matches!(self, Self::GivenBack(_) | Self::PutBack)
    }
}

/// How long the end of a consumer may take to settle what is queued.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long is waited for events that are on their way when their source goes.
const ON_THEIR_WAY: Duration = Duration::from_millis(100);
/// How many pending events are looked at when a consumer ends.
const LOOKED_AT: usize = 1000;
/// How many events that need a command of their own are settled at once.
const TOGETHER: usize = 64;

/// How many entries are settled by one command, and how many such commands are under way.
const BATCH: usize = 128;
const AT_ONCE: usize = 4;

/// In lots that are settled by one command each.
fn batches(all: Vec<Done>) -> impl Iterator<Item = Vec<Done>> {
    let mut all = all.into_iter();
    std::iter::from_fn(move || {
        Some(all.by_ref().take(BATCH).collect::<Vec<_>>()).filter(|batch| !batch.is_empty())
    })
}

impl Keeper {
    pub(super) fn new(group: &Group, consumer: Consumer) -> Self {
        let name = format!("{}/{}", consumer.log, consumer.group);
        let shared = Arc::new(Shared {
            meter: Meter::new(&super::metered::GROUP, name),
            log: group.log.event_log().clone(),
            consumer,
            kinds: group.kinds.clone(),
            lease: group.lease,
            in_hand: group.in_hand.get(),
            hands: Mutex::default(),
            work: Notify::new(),
            room: Notify::new(),
            closed: AtomicBool::new(false),
            left: watch::Sender::new(false),
        });
        // It ends by itself, soon after the last handle is gone.
        drop(tokio::spawn(shared.clone().keep()));
        Self(shared)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    pub(super) fn settle(&self, done: Done) {
        self.0.settle(done);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.work.notify_one();
    }
}

impl Shared {
    /// How many more events may be taken.
    pub(super) fn room(&self) -> usize {
        self.in_hand.saturating_sub(self.hands.lock().ids.len())
    }

    pub(super) fn take(&self, ids: impl Iterator<Item = EventId>) {
        self.hands.lock().ids.extend(ids);
    }

    pub(super) fn in_hand(&self) -> Vec<EventId> {
        self.hands.lock().ids.iter().copied().collect()
    }

    pub(super) fn claim_at(&self) -> Option<Instant> {
        self.hands.lock().claim_at
    }

    /// What was to be claimed by now, is being.
    pub(super) fn claiming(&self) {
        let mut hands = self.hands.lock();
        if hands.claim_at.is_some_and(|at| at <= Instant::now()) {
            hands.claim_at = None;
        }
    }

    fn settle(&self, done: Done) {
        let mut hands = self.hands.lock();
        hands.done.push(done);
        let first = hands.done.len() == 1;
        drop(hands);
        if first {
            self.work.notify_one();
        }
    }

    /// The source is gone and has asked for events; those that come give it back.
    pub(super) fn give_back_asked(&self, asked: BoxFuture<'static, Result<Vec<Delivered>, Error>>) {
        self.hands.lock().asked = Some(Asked(asked));
        self.work.notify_one();
    }

    /// What the server has given to a source that is gone falls to others at once, not when its lease ends.
    async fn return_asked(&self) {
        let asked = self.hands.lock().asked.take();
        let Some(Asked(asked)) = asked else { return };
        match timeout(ON_THEIR_WAY.min(self.lease / 4), asked).await {
            Ok(Ok(delivered)) => self.hand_back(delivered).await,
            // As long as its source may ask again, what is unknown may just be on its way to that: its lease decides.
            _ if !self.closed.load(Ordering::Acquire) => {}
            _ => self.put_back_unknown().await,
        }
    }

    /// Puts back what came just when nobody waited for it any more.
    async fn put_back_unknown(&self) {
        let Consumer { log, group, name } = &self.consumer;
        let Ok(pending) = self.log.pending(log, group, EventId::MIN, LOOKED_AT).await else { return };
        let known = self.in_hand();
        let mine = pending.into_iter().filter(|pending| pending.consumer == *name).map(|pending| pending.id);
        let unknown: Vec<_> = mine.filter(|id| known.binary_search(id).is_err()).collect();
        if !unknown.is_empty()
            && let Err(error) = self.log.put_back(&self.consumer, unknown, self.lease).await
        {
            warn!(consumer = ?self.consumer, %error, "events could not be given back; others get them later");
        }
    }

    /// Acknowledges what is nobody's and was given to this consumer by an answer that came too late.
    async fn settle_foreign(&self) {
        let (Some(kinds), Consumer { log, group, name }) = (&self.kinds, &self.consumer) else { return };
        let Ok(pending) = self.log.pending(log, group, EventId::MIN, LOOKED_AT).await else { return };
        let mut foreign = Vec::new();
        for pending in pending.into_iter().filter(|pending| pending.consumer == *name) {
            let Ok(entries) = self.log.range(log, pending.id, pending.id, 1).await else { return };
            let event = entries.first().and_then(|entry| entry.event.as_ref().ok());
            if event.is_some_and(|event| !kinds.iter().any(|kind| event.is(kind))) {
                foreign.push(pending.id);
            }
        }
        if !foreign.is_empty()
            && let Err(error) = self.log.acknowledge(log, group, foreign).await
        {
            warn!(consumer = ?self.consumer, %error, "events that are nobody's could not be acknowledged");
        }
    }

    /// Gives back what nobody here works on.
    async fn hand_back(&self, delivered: Vec<Delivered>) {
        self.forget(delivered.iter().map(|delivered| delivered.entry.id));
        let is_own = |delivered: &Delivered| match (&self.kinds, &delivered.entry.event) {
            (Some(kinds), Ok(event)) => kinds.iter().any(|kind| event.is(kind)),
            _ => true,
        };
        let (own, foreign): (Vec<_>, Vec<_>) = delivered.into_iter().partition(is_own);
        let ids = |of: Vec<Delivered>| of.iter().map(|delivered| delivered.entry.id).collect::<Vec<_>>();
        let Consumer { log, group, .. } = &self.consumer;
        // What the group does not select is nobody's.
        if !foreign.is_empty()
            && let Err(error) = self.log.acknowledge(log, group, ids(foreign)).await
        {
            warn!(consumer = ?self.consumer, %error, "events that are nobody's could not be acknowledged");
        }
        if own.is_empty() {
            return;
        }
        if let Err(error) = self.log.put_back(&self.consumer, ids(own), self.lease).await {
            warn!(consumer = ?self.consumer, %error, "events could not be given back; others get them later");
        }
    }

    async fn keep(self: Arc<Self>) {
        let beat = self.lease / 3;
        let mut life = interval_at(Instant::now() + beat, beat);
        life.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.closed.load(Ordering::Acquire) {
            tokio::select! {
                biased;
                _ = life.tick() => self.give_sign_of_life().await,
                () = self.work.notified() => {
                    self.settle_queued(&mut life, false).await;
                    self.return_asked().await;
                }
            }
        }
        let farewell = async {
            self.settle_queued(&mut life, true).await;
            self.return_asked().await;
            self.settle_foreign().await;
            self.log.leave(&self.consumer).await
        };
        match timeout(FAREWELL, farewell).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                warn!(consumer = ?self.consumer, %error, "a consumer could not leave its group");
            }
            Err(_) => {
                warn!(consumer = ?self.consumer, "the end of a consumer took too long; others get what it had");
            }
        }
        self.left.send_replace(true);
    }

    /// Ends when the last handle is gone and what it left behind is told.
    pub(super) fn left(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut left = self.left.subscribe();
        async move {
            // Without a sender there is nobody left who could tell anything.
            let _ = left.wait_for(|left| *left).await;
        }
    }

    async fn give_sign_of_life(&self) {
        let ids = self.in_hand();
        if ids.is_empty() {
            return;
        }
        match self.log.set_idle(&self.consumer, ids.clone(), Duration::ZERO).await {
            Ok(mine) if mine.len() < ids.len() => {
                let mine: BTreeSet<_> = mine.into_iter().collect();
                let lost = self.forget(ids.into_iter().filter(|id| !mine.contains(id)));
                if lost > 0 {
                    warn!(consumer = ?self.consumer, lost, "the lease on events ended; another consumer has them");
                    self.room.notify_one();
                }
            }
            Ok(_) => {}
            Err(error) => warn!(consumer = ?self.consumer, %error, "a sign of life could not be given"),
        }
    }

    /// Takes these out of the hands, unless they are on their way to be settled; how many.
    fn forget(&self, ids: impl Iterator<Item = EventId>) -> usize {
        let mut hands = self.hands.lock();
        let queued: BTreeSet<_> = hands.done.iter().map(|done| done.id).collect();
        ids.filter(|id| !queued.contains(id) && hands.ids.remove(id)).count()
    }

    /// Settles all that is queued, trying again as long as the backend is out of reach (and unless it is the `last`
    /// time, as long as anyone is there); signs of life go on.
    async fn settle_queued(&self, life: &mut Interval, last: bool) {
        let backoff = Backoff::exponential(Duration::from_millis(50), Duration::from_secs(1));
        let mut failures = 0;
        while let Some(queued) = self.queued() {
            let (settled, again) = self.settle_all(queued).await;
            let Some((error, again)) = again else {
                self.settled(settled, Vec::new());
                failures = 0;
                continue;
            };
            self.settled(settled, again);
            if failures == 0 {
                warn!(consumer = ?self.consumer, %error, "events could not be settled; it is tried again");
            }
            if self.closed.load(Ordering::Acquire) && !last {
                return;
            }
            let wait = backoff.wait(failures).unwrap_or_default();
            failures += 1;
            tokio::select! {
                biased;
                _ = life.tick() => self.give_sign_of_life().await,
                () = sleep(wait) => {}
            }
        }
    }

    fn settled(&self, settled: Vec<EventId>, again: Vec<Done>) {
        let mut hands = self.hands.lock();
        for id in settled {
            hands.ids.remove(&id);
        }
        hands.done.splice(0..0, again);
        drop(hands);
        self.room.notify_one();
    }

    fn queued(&self) -> Option<Vec<Done>> {
        let mut hands = self.hands.lock();
        let queued = std::mem::take(&mut hands.done);
        for done in queued.iter().filter(|done| done.how.returns()) {
            // Before it is given back: the source may have it again right after.
            hands.ids.remove(&done.id);
        }
        Some(queued).filter(|queued| !queued.is_empty())
    }

    /// Settles these; which are settled, and which are to be tried again with the reason.
    async fn settle_all(&self, queued: Vec<Done>) -> (Vec<EventId>, Option<(Error, Vec<Done>)>) {
        let (dealt, queued): (Vec<_>, Vec<_>) =
            queued.into_iter().partition(|done| matches!(done.how, How::DealtWith));
        let (plain, others): (Vec<_>, Vec<_>) =
            queued.into_iter().partition(|done| matches!(done.how, How::Acknowledged));
        let mut results = Vec::with_capacity(plain.len() + others.len());
        if !plain.is_empty() {
            let ids = plain.iter().map(|done| done.id).collect();
            let Consumer { log, group, .. } = &self.consumer;
            let result = self.log.acknowledge(log, group, ids).await.map(drop);
            results.extend(plain.into_iter().map(|done| (done, result.clone())));
        }
        let (appending, others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|done| matches!(done.how, How::Settled(_)));
        let appending =
            stream::iter(batches(appending)).map(|batch| self.settle_batch(batch)).buffered(AT_ONCE);
        results.extend(appending.collect::<Vec<_>>().await.into_iter().flatten());
        let (unused, others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|done| matches!(done.how, How::PutBack));
        if !unused.is_empty() {
            let result = self.put_back(unused.iter().map(|done| done.id).collect()).await;
            results.extend(unused.into_iter().map(|done| (done, result.clone())));
        }
        let settling = others.into_iter().map(|done| self.settle_one(done));
        results.extend(stream::iter(settling).buffered(TOGETHER).collect::<Vec<_>>().await);

        let mut settled: Vec<_> = dealt.iter().map(|done| done.id).collect();
        let (mut again, mut why) = (Vec::new(), None);
        for (done, result) in results {
            match result {
                Err(error) if error.is_retryable() => {
                    again.push(done);
                    why = Some(error);
                }
                result => {
                    if let Err(error) = &result {
                        warn!(consumer = ?self.consumer, id = %done.id, %error, "an event could not be settled");
                    }
                    if !done.how.returns() {
                        settled.push(done.id);
                    }
                    if let Some(told) = done.told {
                        // Who asked may have gone.
                        let _ = told.send(result);
                    }
                }
            }
        }
        (settled, why.map(|why| (why, again)))
    }

    /// Settles entries that have events appended with that.
    async fn settle_batch(&self, batch: Vec<Done>) -> Vec<(Done, Result<(), Error>)> {
        let entries = batch.iter().filter_map(|done| match &done.how {
            How::Settled(append) => Some((done.id, append.clone())),
            _ => None,
        });
        match self.log.settle_all(&self.consumer, entries.collect()).await {
            Ok(each) => {
                let each = each.into_iter().chain(std::iter::repeat(false));
                batch
                    .into_iter()
                    .zip(each)
                    .map(|(done, was_pending)| {
                        if !was_pending {
                            self.warn_of_another(done.id);
                        }
                        (done, Ok(()))
                    })
                    .collect()
            }
            // One that is refused is no reason to refuse the others.
            Err(error) if !error.is_retryable() && batch.len() > 1 => {
                let each = batch.into_iter().map(|done| self.settle_one(done));
                stream::iter(each).buffered(TOGETHER).collect().await
            }
            Err(error) => batch.into_iter().map(|done| (done, Err(error.clone()))).collect(),
        }
    }

    fn warn_of_another(&self, id: EventId) {
        warn!(consumer = ?self.consumer, %id, "another consumer had an event when it was done");
    }

    async fn settle_one(&self, done: Done) -> (Done, Result<(), Error>) {
        let result = match &done.how {
            How::Acknowledged | How::DealtWith | How::PutBack => Ok(()),
            How::Settled(append) => {
                let settled = self.log.settle(&self.consumer, done.id, append.clone()).await;
                if let Ok(false) = settled {
                    self.warn_of_another(done.id);
                }
                settled.map(drop)
            }
            How::GivenBack(after) => self.give_back(done.id, *after).await,
        };
        (done, result)
    }

    async fn give_back(&self, id: EventId, after: Duration) -> Result<(), Error> {
        let after = after.min(self.lease);
        self.log.set_idle(&self.consumer, vec![id], self.lease.saturating_sub(after)).await?;
        self.claimable_at(Instant::now() + after);
        Ok(())
    }

    async fn put_back(&self, ids: Vec<EventId>) -> Result<(), Error> {
        self.log.put_back(&self.consumer, ids, self.lease).await?;
        self.claimable_at(Instant::now());
        Ok(())
    }

    /// Something can be claimed from then on.
    fn claimable_at(&self, at: Instant) {
        let mut hands = self.hands.lock();
        hands.claim_at = Some(hands.claim_at.map_or(at, |sooner| sooner.min(at)));
        drop(hands);
        self.room.notify_one();
    }
}
