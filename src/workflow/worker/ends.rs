//! The way out: what has ended is written, as much at once as has come together.

use super::super::Ended;
use super::end::End;
use super::hands::Hands;
use super::intake::receipt;
use crate::event::{self, EventId, Group};
use crate::knowledge::{Error, Store, Transaction};
use crate::stream::Backoff;
use crate::stream::meter::Meter;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Writes ends. Each is one with its output, its receipt and the acknowledgement of its start, and is not written if
/// another worker has the start by now.
pub(super) struct Ends {
    pub(super) store: Arc<dyn Store>,
    pub(super) group: Group,
    pub(super) hands: Arc<Hands>,
    pub(super) receipts: bool,
    /// One for each task.
    pub(super) meters: HashMap<String, Arc<Meter>>,
    /// Whether programs of other kinds look for outputs.
    pub(super) is_open: bool,
}

/// What became of a transaction.
enum Kept {
    Yes,
    /// A condition does not hold: that of somebody else's start, or (`unsure`) of what was kept without our hearing of it.
    No {
        unsure: bool,
    },
    Refused(Error),
}

fn patience() -> Backoff {
    Backoff::exponential(Duration::from_millis(50), Duration::from_secs(1))
}

impl Ends {
    pub(super) async fn write(&self, ended: Vec<Ended>) {
        let ends: Vec<End> = ended
            .into_iter()
            .filter_map(|ended| {
                // It may have been given back in the meantime, or have gone on elsewhere.
                let delivery = self.hands.begun(ended.invocation.begun_by()?)?;
                let end = End::of(delivery, ended, self.is_open);
                if let Some(meter) = self.meters.get(end.invocation.base()) {
                    meter.add(end.counted(), 1);
                }
                Some(end)
            })
            .collect();
        let all = ends.iter().map(|end| self.mine(end)).reduce(Transaction::and);
        let Some(all) = all else { return };
        let unsure = match self.keep(all).await {
            Kept::Yes => {
                return ends.iter().for_each(|end| self.hands.settled(end.delivery.id()));
            }
            Kept::No { unsure } => unsure,
            Kept::Refused(_) => false,
        };
        for end in ends {
            self.write_alone(&end, unsure).await;
        }
    }

    async fn write_alone(&self, end: &End, unsure: bool) {
        let id = end.delivery.id();
        let kept = self.keep(self.mine(end)).await;
        let kept = match kept {
            Kept::No { unsure: now } if !unsure && !now && self.is_deleted(id).await => {
                // Whoever removed it from the log has not ended it.
                self.keep(self.anybodys(end)).await
            }
            Kept::Refused(error) => {
                let reason = format!("its output cannot be written: {error}");
                tracing::warn!(workflow = %end.invocation.workflow(), index = end.invocation.index(), %error,
                    "the end of a task cannot be written");
                self.keep(self.mine(&end.but_failed(reason))).await
            }
            kept => kept,
        };
        match kept {
            Kept::Yes => self.hands.settled(id),
            Kept::No { .. } => {
                tracing::info!(%id, "another worker has a task that was done here; only its end counts");
                self.hands.let_go(id);
            }
            Kept::Refused(error) => {
                tracing::error!(%id, %error, "the end of a task cannot be written; it is begun again");
                self.hands.let_go(id);
            }
        }
    }

    /// An end, if its start is still this worker's.
    fn mine(&self, end: &End) -> Transaction {
        Transaction::new().expect_pending(end.delivery.consumer(), end.delivery.id()).and(self.anybodys(end))
    }

    fn anybodys(&self, end: &End) -> Transaction {
        let log = self.group.log().name();
        let written = end.written(log);
        let written = match self.receipts.then(|| receipt(&end.delivery)) {
            Some((log, receipt)) => written.append(log, receipt),
            None => written,
        };
        written.acknowledge(log, self.group.name(), end.delivery.id())
    }

    /// Commits, trying again as long as the store is out of reach.
    async fn keep(&self, transaction: Transaction) -> Kept {
        let transaction = transaction.unversioned();
        let mut failures = 0;
        loop {
            match self.store.commit(transaction.clone()).await {
                Ok(_) => return Kept::Yes,
                Err(Error::Conflict(_)) => return Kept::No { unsure: failures > 0 },
                Err(error @ Error::Unavailable { .. }) => {
                    if failures == 0 {
                        tracing::warn!(%error, "ends of tasks cannot be written; it is tried again");
                    }
                    sleep(patience().wait(failures).unwrap_or_default()).await;
                    failures += 1;
                }
                Err(error) => return Kept::Refused(error),
            }
        }
    }

    /// Whether an event was removed from the log while it was in hand.
    async fn is_deleted(&self, id: EventId) -> bool {
        let mut failures = 0;
        loop {
            match self.ask_whether_deleted(id).await {
                Err(error) if error.is_retryable() => {
                    sleep(patience().wait(failures).unwrap_or_default()).await;
                    failures += 1;
                }
                answer => return answer.unwrap_or(false),
            }
        }
    }

    async fn ask_whether_deleted(&self, id: EventId) -> Result<bool, event::Error> {
        let log = self.group.log();
        let pending = log.event_log().pending(log.name(), self.group.name(), id, 1).await?;
        Ok(pending.iter().all(|pending| pending.id != id) && log.range(id, id, 1).await?.is_empty())
    }
}
