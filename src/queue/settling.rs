//! What becomes of attempts that failed.

use super::job::JobId;
use super::later::Waiting;
use super::queue::{Shared, later_by};
use super::{Error, metered, outcome};
use crate::event::{self, Consumer, Event, EventId};
use crate::knowledge::{self, Transaction};
use crate::stream::Backoff;
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tracing::warn;

/// An attempt that failed.
pub(super) struct Failure {
    pub(super) job: JobId,
    pub(super) level: u8,
    pub(super) consumer: Consumer,
    pub(super) id: EventId,
    pub(super) event: Event,
    pub(super) attempt: u32,
    pub(super) took: Duration,
    pub(super) reason: String,
    /// Whether it is not to be tried again.
    pub(super) for_good: bool,
    /// Says that the event was dealt with.
    pub(super) settled: Box<dyn FnOnce() + Send>,
}

/// Writes down what failed. Its task ends when the last clone is gone and all is written.
#[derive(Clone)]
pub(super) struct Settler(mpsc::UnboundedSender<Failure>);

/// How many are written at a time.
const AT_ONCE: usize = 64;

impl Settler {
    pub(super) fn new(queue: Arc<Shared>) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "each holds its delivery, of which sources give out as many as may be in hand"
        )]
        let (sender, failures) = mpsc::unbounded_channel();
        let settling = UnboundedReceiverStream::new(failures).for_each_concurrent(AT_ONCE, move |failure| {
            let queue = queue.clone();
            async move { queue.settle(failure).await }
        });
        // It ends by itself, soon after the last handle is gone.
        drop(tokio::spawn(settling));
        Self(sender)
    }

    pub(super) fn settle(&self, failure: Failure) {
        // Its task lives as long as a sender.
        let _ = self.0.send(failure);
    }
}

impl Shared {
    async fn settle(&self, failure: Failure) {
        let is_over = failure.for_good || failure.attempt >= self.settings.attempts;
        let transaction = if is_over { Ok(self.burial(&failure)) } else { self.retrial(&failure) };
        let transaction = match transaction {
            Ok(transaction) => transaction,
            Err(error) => {
                // Dropped, it goes back, and is tried again.
                warn!(queue = %self.keys.name(), job = %failure.job, %error, "a failed job could not be written down");
                return;
            }
        };
        let backoff = Backoff::exponential(Duration::from_millis(50), Duration::from_secs(1));
        let mut failures = 0;
        loop {
            match self.store.commit(transaction.clone()).await {
                Ok(_) => {
                    self.meter.add(if is_over { metered::DEAD } else { metered::FAILED }, 1);
                    break;
                }
                // An attempt whose answer was lost did it.
                Err(knowledge::Error::Conflict(_)) if failures > 0 => {
                    self.meter.add(if is_over { metered::DEAD } else { metered::FAILED }, 1);
                    break;
                }
                Err(knowledge::Error::Conflict(_)) => {
                    warn!(queue = %self.keys.name(), job = %failure.job, "another worker had a job when it failed here");
                    break;
                }
                Err(error) => {
                    if failures == 0 {
                        warn!(queue = %self.keys.name(), job = %failure.job, %error, "a failed job could not be written down; it is tried again");
                    }
                    sleep(backoff.wait(failures).unwrap_or_default()).await;
                    failures += 1;
                }
            }
        }
        (failure.settled)();
    }

    /// Of the event itself: only while it is pending here.
    fn acknowledging(failure: &Failure) -> Transaction {
        let Consumer { log, group, .. } = &failure.consumer;
        Transaction::new().expect_pending(&failure.consumer, failure.id).acknowledge(
            log.clone(),
            group.clone(),
            failure.id,
        )
    }

    fn telling(&self, transaction: Transaction, told: Event) -> Transaction {
        if self.settings.keep == 0 { transaction } else { transaction.append(self.keys.outcomes(), told) }
    }

    fn retrial(&self, failure: &Failure) -> Result<Transaction, Error> {
        let at = later_by(self.settings.pause_after(failure.attempt));
        let event =
            failure.event.clone().with("attempt", failure.attempt + 1).with("error", failure.reason.as_str());
        let waiting = Waiting { level: failure.level, event: Some(event), schedule: None };
        let transaction = waiting.adding(Self::acknowledging(failure), self, failure.job.as_str(), at)?;
        let told = outcome::failed(&failure.job, failure.attempt, failure.took, &failure.reason, at);
        Ok(self.telling(transaction, told))
    }

    fn burial(&self, failure: &Failure) -> Transaction {
        let Consumer { log, group, .. } = &failure.consumer;
        let (event, attempts) = (failure.event.clone(), failure.attempt.into());
        let letter = event::dead_letter(event, log, group, failure.id, attempts, &failure.reason);
        let transaction = Self::acknowledging(failure).append(log.dead(), letter);
        self.telling(transaction, outcome::dead(&failure.job, failure.attempt, &failure.reason))
    }
}
