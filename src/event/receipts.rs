//! Taking receipts: what has been done is kept elsewhere, and taken out of the log.

use super::{Delivery, Entry, Error, EventId, EventSource, Group, GroupName, Log};
use futures::{StreamExt, TryStreamExt, future, stream};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Takes the receipts of a log: each is handed over with what it is for, and then both are removed.
///
/// A receipt is acknowledged when it has been kept, and it and its target are removed as soon as every group of the log
/// has read and acknowledged them. Until then they stay; the log itself says what is still to be removed, so whoever
/// takes receipts next goes on with it. Several may do that at the same time.
///
/// Source: `ReceiptListener` of `rqse`, which removes what other groups have not read, and what it could not keep.
///
/// # Delivery
///
/// At least once: a receipt that was kept, but not acknowledged before the process ended, is handed over again. Its place
/// in the log is the same then.
#[doc(alias = "ReceiptListener")]
#[derive(Debug)]
pub struct Receipts {
    log: Log,
    source: EventSource<Json>,
    sweeping: Sweeping,
}

/// A receipt and what it is for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Receipt {
    /// The receipt.
    pub receipt: Entry,
    /// What it is for; nothing if that is no longer in the log.
    pub target: Option<Entry>,
}

/// Receipts to be kept, then [acknowledged](Receipts::kept). Dropped before that, they are handed over again.
#[derive(Debug)]
pub struct ReceiptBatch {
    receipts: Vec<Receipt>,
    deliveries: Vec<Delivery<Json>>,
}

/// When to look for what can be removed.
#[derive(Debug)]
struct Sweeping {
    at: Option<Instant>,
    pause: Duration,
    warned: bool,
}

/// What a sweep has done.
#[derive(Clone, Copy, Debug, Default)]
struct Swept {
    removed: usize,
    left: usize,
}

/// The kind of receipts.
const KIND: &str = "receipt";
/// How many are handed over at a time.
const BATCH: usize = 256;
/// How many targets are read at a time.
const TOGETHER: usize = 32;
/// How long after receipts were kept it is looked for what can be removed: others have mostly read it then.
const SOON: Duration = Duration::from_millis(250);
/// The longest pause while nothing can be removed.
const LATER: Duration = Duration::from_secs(30);

impl Receipts {
    /// The group of those who take receipts.
    pub const GROUP: &str = "__receipt__";

    /// Joins those who take the receipts of a log.
    ///
    /// # Errors
    ///
    /// As of the log; an outage at this moment too.
    ///
    /// # Cancel safety
    ///
    /// Yes: the group may have been made.
    pub async fn of(log: &Log) -> Result<Self, Error> {
        // What cannot be kept is tried again for ever: it is never given up.
        let group = log.group(Self::GROUP).select([KIND]).attempts(u64::MAX);
        let source = group.source().await?;
        let sweeping = Sweeping { at: Some(Instant::now()), pause: SOON, warned: false };
        Ok(Self { log: log.clone(), source, sweeping })
    }

    /// The next receipts, at least one; removes meanwhile what can be removed.
    ///
    /// # Errors
    ///
    /// What the log refuses. Outages are sat out.
    ///
    /// # Cancel safety
    ///
    /// Yes: what it has taken is handed over again after a while.
    pub async fn next(&mut self) -> Result<ReceiptBatch, Error> {
        loop {
            let sweep_at = self.sweeping.at;
            let mut ready = (&mut self.source).ready_chunks(BATCH);
            let delivered = tokio::select! {
                biased;
                () = sleep_until(sweep_at.unwrap_or_else(Instant::now)), if sweep_at.is_some() => None,
                delivered = ready.next() => delivered,
            };
            let Some(delivered) = delivered else {
                self.sweep().await?;
                continue;
            };
            let batch = opened(&self.log, delivered).await?;
            if !batch.receipts.is_empty() {
                return Ok(batch);
            }
        }
    }

    /// Says that these have been kept, and waits until that is certain; they are removed from then on.
    ///
    /// # Errors
    ///
    /// What the backend refuses it for.
    ///
    /// # Cancel safety
    ///
    /// It is said at the first poll; dropping the future only stops waiting.
    pub async fn kept(&mut self, batch: ReceiptBatch) -> Result<(), Error> {
        let told = batch.deliveries.iter().map(Delivery::acknowledged);
        future::try_join_all(told).await?;
        self.sweeping = Sweeping { at: Some(Instant::now() + SOON), pause: SOON, ..self.sweeping };
        Ok(())
    }

    /// Removes what can be removed, and decides when to look again.
    async fn sweep(&mut self) -> Result<(), Error> {
        let swept = match sweep(&self.log).await {
            Ok(swept) => swept,
            Err(error) if error.is_retryable() => Swept { removed: 0, left: 1 },
            Err(error) => return Err(error),
        };
        if swept.removed > 0 {
            tracing::debug!(log = %self.log.name(), removed = swept.removed, left = swept.left, "receipts are removed");
            self.sweeping.warned = false;
        }
        let pause = if swept.removed > 0 { SOON } else { (self.sweeping.pause * 2).min(LATER) };
        self.sweeping.pause = pause;
        self.sweeping.at = (swept.left > 0).then(|| Instant::now() + pause);
        if pause == LATER && swept.left > 0 && !self.sweeping.warned {
            self.sweeping.warned = true;
            warn_of(&self.log, swept.left).await;
        }
        Ok(())
    }
}

impl ReceiptBatch {
    /// The receipts, in the order of the log.
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }
}

/// Receipts with their targets.
async fn opened(log: &Log, delivered: Vec<Result<Delivery<Json>, Error>>) -> Result<ReceiptBatch, Error> {
    let mut deliveries = Vec::with_capacity(delivered.len());
    for delivered in delivered {
        match delivered {
            Ok(delivery) => deliveries.push(delivery),
            // Other programs write what is no event; it is in the dead letters.
            Err(error @ (Error::Malformed { .. } | Error::Decode { .. } | Error::Dead { .. })) => {
                tracing::warn!(%error, "an entry is no receipt");
            }
            Err(error) => return Err(error),
        }
    }
    let entries =
        deliveries.iter().map(|delivery| Entry { id: delivery.id(), event: Ok(delivery.event().clone()) });
    let entries: Vec<Entry> = entries.collect();
    let receipts = stream::iter(entries).map(|receipt| with_target(log, receipt)).buffered(TOGETHER);
    Ok(ReceiptBatch { receipts: receipts.try_collect().await?, deliveries })
}

async fn with_target(log: &Log, receipt: Entry) -> Result<Receipt, Error> {
    let target = match target(&receipt) {
        Some(id) => super::fetch::patiently(|| log.event_log().range(log.name(), id, id, 1)).await?.pop(),
        None => None,
    };
    Ok(Receipt { receipt, target })
}

/// What an entry is a receipt for.
fn target(entry: &Entry) -> Option<EventId> {
    let Json::String(id) = entry.event.as_ref().ok()?.get("for")? else { return None };
    id.parse().ok()
}

/// Removes the receipts that were acknowledged, each after what it is for.
async fn sweep(log: &Log) -> Result<Swept, Error> {
    let (group, mut swept) = (log.group(Receipts::GROUP), Swept::default());
    let Some(info) = group.info().await? else { return Ok(swept) };
    let (mut from, until) = (EventId::MIN, info.last_delivered);
    while from <= until {
        let page = log.range(from, until, BATCH).await?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else { break };
        let kept = kept(&group, first.id, &page).await?;
        from = last.id.next();
        let targets: Vec<EventId> = kept.iter().filter_map(|receipt| target(receipt)).collect();
        let mut gone: BTreeSet<EventId> = log.delete(targets.clone()).await?.into_iter().collect();
        swept.removed += gone.len();
        let left = targets.into_iter().filter(|id| !gone.contains(id)).collect::<Vec<_>>();
        let there =
            stream::iter(left).map(async |id| Ok::<_, Error>((id, log.range(id, id, 1).await?.is_empty())));
        let there: Vec<(EventId, bool)> = there.buffered(TOGETHER).try_collect().await?;
        gone.extend(there.into_iter().filter(|(_, is_gone)| *is_gone).map(|(id, _)| id));
        let done = kept.iter().filter(|receipt| target(receipt).is_none_or(|target| gone.contains(&target)));
        let removed = log.delete(done.map(|receipt| receipt.id).collect()).await?.len();
        swept.removed += removed;
        swept.left += kept.len() - removed;
    }
    Ok(swept)
}

/// The receipts of a page that were acknowledged.
async fn kept<'p>(group: &Group, first: EventId, page: &'p [Entry]) -> Result<Vec<&'p Entry>, Error> {
    // As many as the page has entries are all that can be pending in it.
    let (log, name) = (group.log(), group.name());
    let pending = log.event_log().pending(log.name(), name, first, page.len()).await?;
    let pending: BTreeSet<EventId> = pending.into_iter().map(|pending| pending.id).collect();
    let is_receipt = |entry: &&Entry| entry.event.as_ref().is_ok_and(|event| event.is(KIND));
    Ok(page.iter().filter(is_receipt).filter(|entry| !pending.contains(&entry.id)).collect())
}

/// Says for whom receipts wait.
async fn warn_of(log: &Log, left: usize) {
    let Ok(info) = log.info().await else { return };
    let behind = info.groups.iter().filter(|group| group.lag > 0 || group.pending > 0);
    let groups: Vec<&GroupName> = behind.map(|group| &group.name).collect();
    tracing::warn!(
        log = %log.name(), left, ?groups,
        "receipts stay in the log until these groups have read and acknowledged what is there; remove a group that \
         nobody is in"
    );
}
