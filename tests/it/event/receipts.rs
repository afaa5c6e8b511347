//! Taking receipts, on every backend.

use super::conformance::log;
use crate::suite::eventually;
use futures::StreamExt;
use mape::backend::Backend;
use mape::event::{Event, EventId, Log, ReceiptBatch, Receipts};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The tests of all claims here: `suite! { backend, fresh backend }`, with `start_paused = true` where no server runs.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), event::receipts:
            a_receipt_that_was_kept_goes_with_what_it_is_for,
            a_receipt_that_was_not_kept_stays_and_is_handed_over_again,
            what_a_group_has_not_acknowledged_stays_and_whoever_comes_next_removes_it,
            a_receipt_whose_target_is_gone_is_handed_over_and_removed,
            receipts_and_what_has_none_are_told_apart,
        }
    };
}
pub(crate) use suite;

/// Who works in a group until this is dropped: acknowledges all there is, and gives a receipt for each order.
struct Worker(JoinHandle<()>);

impl Worker {
    async fn of(log: &Log, group: &str) -> Self {
        let group = log.group(group).select(["order"]).receipts();
        let mut source = group.source::<serde_json::Value>().await.unwrap();
        Self(tokio::spawn(async move {
            while let Some(delivery) = source.next().await {
                delivery.unwrap().acknowledge();
            }
        }))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A log in which this many events were acknowledged with receipts, and by whom.
async fn processed(backend: &Backend, events: usize) -> (Log, Vec<EventId>, Worker) {
    let log = log(backend);
    let ids = log.append_all((0..events).map(|n| Event::new("order").with("n", n)).collect()).await.unwrap();
    let worker = Worker::of(&log, "baristas").await;
    eventually("all are acknowledged", async || len(&log).await == 2 * events as u64).await;
    (log, ids, worker)
}

async fn len(log: &Log) -> u64 {
    log.info().await.unwrap().len
}

async fn next(receipts: &mut Receipts) -> ReceiptBatch {
    timeout(Duration::from_secs(20), receipts.next()).await.unwrap().unwrap()
}

/// Takes receipts until the log has this many entries.
async fn until_len(receipts: &mut [Receipts], log: &Log, left: u64) {
    let work = async {
        while len(log).await != left {
            for receipts in receipts.iter_mut() {
                if let Ok(batch) = timeout(Duration::from_millis(50), receipts.next()).await {
                    receipts.kept(batch.unwrap()).await.unwrap();
                }
            }
        }
    };
    timeout(Duration::from_secs(20), work).await.expect("what can be removed is");
}

pub(crate) async fn a_receipt_that_was_kept_goes_with_what_it_is_for(backend: Backend) {
    let (log, ids, _worker) = processed(&backend, 3).await;
    assert_eq!(len(&log).await, 6);
    let mut receipts = Receipts::of(&log).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let batch = next(&mut receipts).await;
        for receipt in batch.receipts() {
            assert!(receipt.receipt.event.as_ref().unwrap().is("receipt"));
            seen.push(receipt.target.as_ref().unwrap().id);
        }
        receipts.kept(batch).await.unwrap();
    }
    assert_eq!(seen, ids);
    until_len(&mut [receipts], &log, 0).await;
}

pub(crate) async fn a_receipt_that_was_not_kept_stays_and_is_handed_over_again(backend: Backend) {
    let (log, ids, _worker) = processed(&backend, 1).await;
    let mut receipts = Receipts::of(&log).await.unwrap();
    for _ in 0..8 {
        // It could not be written.
        let batch = next(&mut receipts).await;
        assert_eq!(batch.receipts()[0].target.as_ref().unwrap().id, ids[0]);
        drop(batch);
        assert_eq!(len(&log).await, 2);
    }
    drop(receipts);
    let mut receipts = Receipts::of(&log).await.unwrap();
    let batch = next(&mut receipts).await;
    receipts.kept(batch).await.unwrap();
    until_len(&mut [receipts], &log, 0).await;
}

pub(crate) async fn what_a_group_has_not_acknowledged_stays_and_whoever_comes_next_removes_it(
    backend: Backend,
) {
    let (log, _, _worker) = processed(&backend, 4).await;
    log.group("cooks").create().await.unwrap();
    let mut receipts = Receipts::of(&log).await.unwrap();
    let mut kept = 0;
    while kept < 4 {
        let batch = next(&mut receipts).await;
        kept += batch.receipts().len();
        receipts.kept(batch).await.unwrap();
    }
    let again = timeout(Duration::from_secs(2), receipts.next()).await;
    assert!(again.is_err(), "they are kept");
    assert_eq!(len(&log).await, 8);
    drop(receipts);
    // One that begins anew knows of nothing but what is in the log.
    let mut receipts = Receipts::of(&log).await.unwrap();
    assert!(timeout(Duration::from_secs(1), receipts.next()).await.is_err());
    assert_eq!(len(&log).await, 8);
    let _cooks = Worker::of(&log, "cooks").await;
    until_len(&mut [receipts], &log, 0).await;
}

pub(crate) async fn a_receipt_whose_target_is_gone_is_handed_over_and_removed(backend: Backend) {
    let log = log(&backend);
    log.append(Event::receipt(EventId::new(1, 0), "processed")).await.unwrap();
    log.append(Event::new("receipt").with("for", "nonsense")).await.unwrap();
    log.append(Event::new("receipt")).await.unwrap();
    let mut receipts = Receipts::of(&log).await.unwrap();
    let mut kept = 0;
    while kept < 3 {
        let batch = next(&mut receipts).await;
        assert!(batch.receipts().iter().all(|receipt| receipt.target.is_none()));
        kept += batch.receipts().len();
        receipts.kept(batch).await.unwrap();
    }
    until_len(&mut [receipts], &log, 0).await;
}

pub(crate) async fn receipts_and_what_has_none_are_told_apart(backend: Backend) {
    let (log, _, _worker) = processed(&backend, 300).await;
    log.append(Event::new("news")).await.unwrap();
    let two = (Receipts::of(&log).await.unwrap(), Receipts::of(&log).await.unwrap());
    until_len(&mut [two.0, two.1], &log, 1).await;
}
