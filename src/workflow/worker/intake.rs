//! The way in: what a worker is told to begin, and to stop.

use super::super::Tasks;
use super::cancels::Cancel;
use super::end::{End, dead_letter};
use super::hands::Hands;
use super::start::Start;
use crate::event::{Delivery, Event, EventSource, LogName};
use futures::{Stream, StreamExt, stream};
use serde::de::IgnoredAny;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

/// A `start-task`, as a worker has it; read only if it is its own.
pub(super) type Begins = Delivery<IgnoredAny>;

/// What comes in.
#[derive(Clone, Debug)]
pub(super) enum Come {
    /// A task that is to begin.
    Start(Begins),
    /// One that is to stop.
    Cancel(Cancel),
}

/// Takes what comes in, as far as it is this worker's.
pub(super) struct Intake {
    pub(super) tasks: Arc<Tasks>,
    pub(super) hands: Arc<Hands>,
    pub(super) attempts: u64,
    pub(super) receipts: bool,
}

impl Intake {
    pub(super) fn take(&self, come: Come) {
        match come {
            Come::Start(delivery) => self.start(delivery),
            Come::Cancel(cancel) => {
                for (delivery, invocation) in self.hands.cancel(cancel) {
                    self.answer(&End::cancelled(delivery, invocation), None);
                }
            }
        }
    }

    fn start(&self, delivery: Begins) {
        let kind = match Start::task(delivery.event()) {
            Ok(task) => match self.tasks.position(&task) {
                Some(kind) => kind,
                // Somebody else's; nothing of it stays here.
                None => return delivery.acknowledge(),
            },
            Err(reason) => return self.refuse(&delivery, &reason),
        };
        let start = match Start::read(delivery.event()) {
            Ok(start) => start,
            Err(reason) => return self.refuse(&delivery, &reason),
        };
        let attempts = delivery.attempt().saturating_sub(1);
        if attempts >= self.attempts {
            return self.give_up(delivery, start, attempts);
        }
        if let Some((delivery, invocation)) = self.hands.accept(delivery, start, kind) {
            self.answer(&End::cancelled(delivery, invocation), None);
        }
    }

    /// It says nothing that could be begun, and nobody to whom that could be told.
    fn refuse(&self, delivery: &Begins, reason: &str) {
        tracing::warn!(id = %delivery.id(), reason, "an event does not say what task to begin; it is in the dead letters");
        let letter = dead_letter(delivery, delivery.attempt(), reason);
        let receipt = self.receipts.then(|| receipt(delivery));
        delivery.acknowledge_with(std::iter::once(letter).chain(receipt));
    }

    /// Whoever began it did not live to end it, again and again.
    fn give_up(&self, delivery: Begins, start: Start, attempts: u64) {
        let reason = format!("it was begun {attempts} times by workers that did not live to end it");
        tracing::warn!(id = %delivery.id(), %reason, "a task is given up; it is in the dead letters");
        let letter = dead_letter(&delivery, attempts, &reason);
        let invocation = start.invocation(delivery.id(), self.hands.begun_by(delivery.id()));
        self.answer(&End::failed(delivery, invocation, reason), Some(letter));
    }

    /// Ends what has not begun.
    fn answer(&self, end: &End, letter: Option<(LogName, Event)>) {
        let delivery = &end.delivery;
        let ended = (delivery.consumer().log.clone(), end.event());
        let receipt = self.receipts.then(|| receipt(delivery));
        delivery.acknowledge_with(letter.into_iter().chain([ended]).chain(receipt));
    }
}

/// The receipt of a start, and where it goes.
pub(super) fn receipt(delivery: &Begins) -> (LogName, Event) {
    (delivery.consumer().log.clone(), Event::receipt(delivery.id(), "processed"))
}

/// What the group gives, until it is told to stop; `_gone` goes when nothing can come any more.
pub(super) fn starts(
    source: EventSource<IgnoredAny>,
    stop: watch::Receiver<bool>,
    gone: oneshot::Sender<()>,
) -> impl Stream<Item = Come> + Send {
    stream::unfold((source, stop, gone), |(mut source, mut stop, gone)| async {
        loop {
            let taken = tokio::select! {
                biased;
                // An error says that whoever could tell is gone.
                _ = stop.wait_for(|stop| *stop) => return None,
                taken = source.next() => taken?,
            };
            match taken {
                Ok(delivery) => return Some((Come::Start(delivery), (source, stop, gone))),
                Err(error) => tracing::warn!(%error, "an event cannot be read by a worker"),
            }
        }
    })
}
