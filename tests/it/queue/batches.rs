//! Lists of items, and their results in another log.

use crate::suite::eventually;
use futures::{SinkExt, StreamExt};
use mape::event::{Delivery, EventId, Log};
use mape::prelude::{App, BoxError, LinkOptions, Operators};
use mape::queue::{Answers, NotNow, Queues, Settings, Task, batches};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Number {
    n: u64,
}

/// The logs, and an element that makes results of `f` in lists of up to 8.
async fn judging<F, E>(
    app: &App,
    f: impl Fn(Vec<Delivery<Number>>) -> F + Clone + Send + Sync + 'static,
) -> (Log, Log)
where
    F: Future<Output = Result<Vec<Number>, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    let (numbers, squares) = (app.logs().log("numbers"), app.logs().log("squares"));
    let judge = app
        .create_loop("judge")
        .unwrap()
        .analyze::<Delivery<Number>>("judge")
        .ops_in(|s| s.buffer_count_or_time(8, Duration::from_millis(20)))
        .each_async(batches(f))
        .spawn()
        .unwrap();
    judge.link_sink(Answers::new(&squares, "square"), LinkOptions::new()).unwrap();
    let source = numbers.group("judges").source::<Number>().await.unwrap();
    judge.feed(source.filter_map(|delivery| async { delivery.ok() }));
    (numbers, squares)
}

fn squared(list: &[Delivery<Number>]) -> Vec<Number> {
    list.iter().map(|delivery| Number { n: delivery.n * delivery.n }).collect()
}

async fn add(log: &Log, numbers: impl IntoIterator<Item = u64>) {
    let mut sink = log.sink::<Number>("number");
    for n in numbers {
        sink.feed(Number { n }).await.unwrap();
    }
    sink.flush().await.unwrap();
}

async fn all(log: &Log) -> Vec<u64> {
    let entries = log.range(EventId::MIN, EventId::MAX, 1000).await.unwrap();
    entries.into_iter().map(|entry| entry.event.unwrap().read::<Number>().unwrap().n).collect()
}

#[tokio::test(start_paused = true)]
async fn a_list_is_full_or_old_and_acknowledged_with_its_results() {
    let app = App::new();
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = sizes.clone();
    let (numbers, squares) = judging(&app, move |list| {
        seen.lock().push(list.len());
        let results = squared(&list);
        async move { Ok::<_, BoxError>(results) }
    })
    .await;
    add(&numbers, 0..20).await;
    eventually("all are there", || async { all(&squares).await.len() == 20 }).await;
    assert_eq!(all(&squares).await, (0..20).map(|n| n * n).collect::<Vec<_>>());
    assert_eq!(*sizes.lock(), [8, 8, 4]);
    let judges = numbers.group("judges").info().await.unwrap().unwrap();
    assert_eq!((judges.lag, judges.pending), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_before_its_results_are_out() {
    let app = App::new();
    let (gate, open) = (Arc::new(tokio::sync::Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (waits, begun) = (gate.clone(), open.clone());
    let (numbers, squares) = judging(&app, move |list| {
        let (waits, begun) = (waits.clone(), begun.clone());
        async move {
            begun.fetch_add(list.len(), Ordering::SeqCst);
            waits.acquire().await?.forget();
            Ok::<_, BoxError>(squared(&list))
        }
    })
    .await;
    add(&numbers, 0..3).await;
    eventually("the list is worked on", || async { open.load(Ordering::SeqCst) == 3 }).await;
    let judges = || async { numbers.group("judges").info().await.unwrap().unwrap() };
    assert_eq!(judges().await.pending, 3);
    assert!(all(&squares).await.is_empty());
    gate.add_permits(1);
    eventually("all are acknowledged", || async { judges().await.pending == 0 }).await;
    assert_eq!(all(&squares).await, [0, 1, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_poisoned_item_is_found_and_goes_to_the_dead_letters_alone() {
    let app = App::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let (numbers, squares) = judging(&app, move |list| {
        counted.fetch_add(1, Ordering::SeqCst);
        let results = squared(&list);
        let is_poisoned = list.iter().any(|delivery| delivery.n == 5);
        async move { if is_poisoned { Err("5 is no good".to_owned()) } else { Ok(results) } }
    })
    .await;
    add(&numbers, 0..8).await;
    let dead = numbers.dead_letters();
    eventually("it is dead", || async { dead.info().await.unwrap().len == 1 }).await;
    let mut there = all(&squares).await;
    there.sort_unstable();
    assert_eq!(there, [0, 1, 4, 9, 16, 36, 49]);
    let letter = dead.range(EventId::MIN, EventId::MAX, 1).await.unwrap()[0].event.clone().unwrap();
    assert_eq!(letter.get("n"), Some(5.into()));
    assert_eq!(letter.get("dead").unwrap()["reason"], "5 is no good");
    // 8, 4 | 4, 2, 1, 1 (poisoned), 2; and the poisoned one twice more.
    assert_eq!(calls.load(Ordering::SeqCst), 9);
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_too_few_results_are_found_like_an_error() {
    let app = App::new();
    let (numbers, squares) = judging(&app, move |list| async move {
        assert!(!list.iter().any(|delivery| delivery.n == 1), "1 is no good");
        let mut results = squared(&list);
        if list.iter().any(|delivery| delivery.n == 2) {
            results.pop();
        }
        Ok::<_, BoxError>(results)
    })
    .await;
    add(&numbers, 0..4).await;
    let dead = numbers.dead_letters();
    eventually("two are dead", || async { dead.info().await.unwrap().len == 2 }).await;
    assert_eq!(all(&squares).await, [0, 9]);
    let letters = dead.range(EventId::MIN, EventId::MAX, 2).await.unwrap();
    let mut reasons: Vec<_> = letters
        .iter()
        .map(|letter| letter.event.as_ref().unwrap().get("dead").unwrap()["reason"].to_string())
        .collect();
    reasons.sort();
    assert_eq!(reasons, ["\"it gave 0 results for 1 items\"", "\"it panicked: 1 is no good\""]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_work_now_keeps_the_list_and_costs_no_attempt() {
    let app = App::new();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = calls.clone();
    let (numbers, squares) = judging(&app, move |list| {
        let count = {
            let mut seen = seen.lock();
            seen.push(list.len());
            seen.len()
        };
        async move { if count <= 20 { Err(NotNow::new("the model is away")) } else { Ok(squared(&list)) } }
    })
    .await;
    add(&numbers, 0..5).await;
    eventually("some attempts were made", || async { calls.lock().len() > 5 }).await;
    assert_eq!(numbers.group("judges").info().await.unwrap().unwrap().pending, 5);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(all(&squares).await, [0, 1, 4, 9, 16]);
    assert!(calls.lock().iter().all(|size| *size == 5), "{calls:?}");
    assert_eq!(numbers.dead_letters().info().await.unwrap().len, 0);
}

#[tokio::test(start_paused = true)]
async fn what_feeds_a_busy_element_waits() {
    let app = App::new();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let waits = gate.clone();
    let (numbers, squares) = judging(&app, move |list| {
        let waits = waits.clone();
        async move {
            waits.acquire().await?.forget();
            Ok::<_, BoxError>(squared(&list))
        }
    })
    .await;
    add(&numbers, 0..20_000).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let judges = numbers.group("judges").info().await.unwrap().unwrap();
    assert!(judges.pending <= 2 * 1024, "{judges:?}");
    gate.add_permits(100_000);
    eventually("all are there", || async { squares.info().await.unwrap().len == 20_000 }).await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_worked_on_in_lists() {
    let app = App::with_backend(super::memory());
    let queue =
        Queues::new(&app).open("numbers", Settings { concurrency: 8, ..Settings::default() }).await.unwrap();
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = sizes.clone();
    let square = app
        .create_loop("queues")
        .unwrap()
        .execute::<Task<u64>>("square")
        .ops_in(|s| s.buffer_count_or_time(8, Duration::from_millis(20)))
        .each_async(batches(move |list: Vec<Task<u64>>| {
            seen.lock().push(list.len());
            async move { Ok::<_, BoxError>(list.iter().map(|task| **task * **task).collect::<Vec<u64>>()) }
        }))
        .spawn()
        .unwrap();
    let _worker = queue.work(&square).await.unwrap();
    let jobs = queue.add_all(0..16_u64).await.unwrap();
    let last = queue.outcome(&jobs[15]).await.unwrap();
    assert_eq!(last.result::<u64>().unwrap(), 225);
    assert_eq!(*sizes.lock(), [8, 8]);
}
