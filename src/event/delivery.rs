//! An event in the hands of a consumer.

use super::keeper::{Done, How, Keeper};
use super::metered;
use super::{Consumer, Error, Event, EventId, LogName};
use crate::stream::trace::{Parent, Span, SpanKind, TraceContext};
use crate::stream::{Backoff, meter};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// An event as a consumer has it, a `T` to be worked on and then to be [acknowledged](Self::acknowledge). Cheap to clone.
///
/// If all clones are dropped without that (the work failed, an element panicked), the event is delivered again after a
/// back-off, to any consumer of the group, until its attempts are used up; then it goes to the dead letters.
pub struct Delivery<T>(Arc<Inner<T>>);

struct Inner<T> {
    value: T,
    held: Held,
}

/// What there is besides the value.
pub(super) struct Held {
    pub(super) id: EventId,
    pub(super) attempt: u64,
    pub(super) event: Event,
    pub(super) keeper: Arc<Keeper>,
    pub(super) backoff: Backoff,
    pub(super) receipts: bool,
    settled: AtomicBool,
    since: Option<Instant>,
    /// In which it is in hand, if it is in a trace.
    span: Option<Box<Span>>,
}

impl<T> Delivery<T> {
    pub(super) fn new(value: T, held: Held) -> Self {
        let meter = &held.keeper.shared().meter;
        meter.add(metered::DELIVERED, 1);
        if held.attempt > 1 {
            meter.add(metered::REDELIVERED, 1);
        }
        Self(Arc::new(Inner { value, held }))
    }

    /// Its place in the log.
    #[must_use]
    pub fn id(&self) -> EventId {
        self.0.held.id
    }

    /// The how manieth time it is delivered, from 1.
    #[must_use]
    pub fn attempt(&self) -> u64 {
        self.0.held.attempt
    }

    /// The event itself, with all its fields.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.0.held.event
    }

    /// The span in which it is in hand, or what the event says if that is not recorded, for whoever goes on with it; nothing
    /// if it is in no trace.
    #[must_use]
    pub fn context(&self) -> Option<&TraceContext> {
        self.0.held.span.as_ref()?.context()
    }

    /// Who has it, for [`Transaction::expect_pending`](crate::knowledge::Transaction::expect_pending).
    #[must_use]
    pub fn consumer(&self) -> &Consumer {
        &self.0.held.keeper.shared().consumer
    }

    /// Says that it is done. It is told to the backend in the background, together with others; if this process ends
    /// before that, it is delivered again.
    ///
    /// Only the first word on an event counts, whichever clone says it.
    pub fn acknowledge(&self) {
        self.0.held.say(How::Acknowledged, None);
    }

    /// Says that it is done and waits until the backend has confirmed it, through an outage too.
    ///
    /// # Errors
    ///
    /// What the backend refuses it for.
    ///
    /// # Cancel safety
    ///
    /// It is said at the first poll; dropping the future only stops waiting.
    pub async fn acknowledged(&self) -> Result<(), Error> {
        let (told, confirmed) = oneshot::channel();
        self.0.held.say(How::Acknowledged, Some(told));
        // Nobody tells if another clone has said it before: that one waits.
        confirmed.await.unwrap_or(Ok(()))
    }

    /// Says that it is done, and appends these events together with that, as one; nothing is appended if another
    /// consumer has it by now.
    pub fn acknowledge_with(&self, append: impl IntoIterator<Item = (LogName, Event)>) {
        self.0.held.say(How::Settled(append.into_iter().collect()), None);
    }

    /// Says that it failed: it is delivered again after `after` (or the group's back-off), if attempts are left.
    pub fn give_back(&self, after: Option<Duration>) {
        let after = after.unwrap_or_else(|| self.0.held.pause());
        self.0.held.say(How::GivenBack(after), None);
    }

    /// Says that it was not begun: it is delivered again at once, to any consumer of the group, and this delivery does not
    /// count as an attempt.
    pub fn put_back(&self) {
        self.0.held.put_back();
    }

    /// Says that it can never be done: it goes to the dead letters at once.
    pub fn bury(&self, reason: &str) {
        self.0.held.bury(reason);
    }

    /// As [`acknowledge`](Self::acknowledge), without a receipt, whatever the group says.
    pub fn acknowledge_quietly(&self) {
        self.0.held.acknowledge_unseen();
    }

    /// Says that it was dealt with elsewhere: by a transaction that acknowledged it.
    pub fn settled(&self) {
        self.0.held.dealt_with();
    }
}

impl Held {
    pub(super) fn new(
        keeper: &Arc<Keeper>,
        id: EventId,
        attempt: u64,
        event: Event,
        backoff: Backoff,
        receipts: bool,
    ) -> Self {
        Self {
            id,
            attempt,
            event,
            keeper: keeper.clone(),
            backoff,
            receipts,
            settled: AtomicBool::new(false),
            since: meter::now(),
            span: None,
        }
    }

    /// The same in a span, if the event is in a trace.
    pub(super) fn traced(mut self) -> Self {
        if let Some(context) = self.event.context() {
            let log = &self.keeper.shared().consumer.log;
            let name = format_args!("process {log}");
            let span = Span::begin(SpanKind::Consumer, name, Parent::Span(context));
            span.note("messaging.destination.name", log);
            self.span = Some(Box::new(span));
        }
        self
    }

    /// Does something in that span.
    pub(super) fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        match &self.span {
            Some(span) => span.run(f),
            None => f(),
        }
    }

    fn count(&self, how: usize) {
        let meter = &self.keeper.shared().meter;
        meter.add(how, 1);
        if how == metered::ACKNOWLEDGED
            && let Some(since) = self.since
        {
            meter.record(since.elapsed());
        }
    }

    fn say(&self, how: How, told: Option<oneshot::Sender<Result<(), Error>>>) {
        if self.settled.swap(true, Ordering::AcqRel) {
            return;
        }
        self.count(if how.returns() { metered::RETURNED } else { metered::ACKNOWLEDGED });
        let log = || self.keeper.shared().consumer.log.clone();
        let receipt = || (log(), Event::receipt(self.id, "processed"));
        let how = match how {
            How::Acknowledged if self.receipts => How::Settled(vec![receipt()]),
            How::Settled(mut append) if self.receipts => {
                append.push(receipt());
                How::Settled(append)
            }
            how => how,
        };
        self.keeper.settle(Done { id: self.id, how, told });
    }

    pub(super) fn acknowledge_unseen(&self) {
        if !self.settled.swap(true, Ordering::AcqRel) {
            self.keeper.settle(Done { id: self.id, how: How::Acknowledged, told: None });
        }
    }

    fn dealt_with(&self) {
        if !self.settled.swap(true, Ordering::AcqRel) {
            self.count(metered::ACKNOWLEDGED);
            self.keeper.settle(Done { id: self.id, how: How::DealtWith, told: None });
        }
    }

    pub(super) fn bury(&self, reason: &str) {
        if self.settled.swap(true, Ordering::AcqRel) {
            return;
        }
        self.count(metered::BURIED);
        let consumer = &self.keeper.shared().consumer;
        let (log, group) = (&consumer.log, &consumer.group);
        let letter = super::dead_letter(self.event.clone(), log, group, self.id, self.attempt, reason);
        let letter = (log.dead(), letter);
        self.keeper.settle(Done { id: self.id, how: How::Settled(vec![letter]), told: None });
    }

    pub(super) fn put_back(&self) {
        self.say(How::PutBack, None);
    }

    /// The wait after this attempt failed.
    fn pause(&self) -> Duration {
        let failed = u32::try_from(self.attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.backoff.wait(failed).unwrap_or(self.backoff.ceiling)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let pause = self.pause();
        self.say(How::GivenBack(pause), None);
    }
}

impl<T> Clone for Delivery<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Delivery<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Delivery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id())
            .field("attempt", &self.attempt())
            .field("value", &self.0.value)
            .finish_non_exhaustive()
    }
}
