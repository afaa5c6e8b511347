//! Errors, retries and ends.

use super::drive::*;
use futures::{FutureExt, StreamExt, stream};
use mape::stream::{self as streams, Backoff, Notification, Operators};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::time::Duration;

type Item = Result<i32, i32>;

fn fallible(bursts: &[Vec<i32>]) -> Vec<Vec<Item>> {
    let item = |n: &i32| if *n == 4 { Err(*n) } else { Ok(*n) };
    bursts.iter().map(|burst| burst.iter().map(item).collect()).collect()
}

proptest! {
    #[test]
    fn materialize_ends_with_completed_and_dematerialize_undoes_it(bursts in bursts()) {
        let items = bursts.concat();
        let mut model: Vec<_> = items.iter().copied().map(Notification::Next).collect();
        model.push(Notification::Completed);
        prop_assert_eq!(through(&bursts, Operators::materialize), model);
        prop_assert_eq!(through(&bursts, |s| s.materialize().dematerialize()), items);
    }

    #[test]
    fn try_materialize_keeps_errors_in_their_place_and_try_dematerialize_undoes_it(bursts in bursts()) {
        let bursts = fallible(&bursts);
        let items = bursts.concat();
        let note = |item: &Item| item.map_or_else(Notification::Error, Notification::Next);
        let mut model: Vec<_> = items.iter().map(note).collect();
        model.push(Notification::Completed);
        prop_assert_eq!(through(&bursts, Operators::try_materialize), model);
        prop_assert_eq!(through(&bursts, |s| s.try_materialize().try_dematerialize()), items);
    }

    #[test]
    fn errors_are_replaced_skipped_or_the_end(bursts in bursts()) {
        let bursts = fallible(&bursts);
        let items = bursts.concat();
        let replaced: Vec<_> = items.iter().map(|item| item.unwrap_or_else(|error| -error)).collect();
        prop_assert_eq!(through(&bursts, |s| s.replace_errors(|error| -error)), replaced);

        let mut seen = 0;
        let kept: Vec<_> = items.iter().flatten().copied().collect();
        prop_assert_eq!(through(&bursts, |s| s.skip_errors(|_| seen += 1)), kept);
        prop_assert_eq!(seen, items.iter().filter(|item| item.is_err()).count());

        let end = items.iter().position(Result::is_err);
        let head = &items[..end.map_or(items.len(), |at| at + 1)];
        prop_assert_eq!(through(&bursts, Operators::end_on_error), head);
    }

    #[test]
    fn catch_with_goes_on_with_the_replacement_after_the_first_error(bursts in bursts()) {
        let bursts = fallible(&bursts);
        let items = bursts.concat();
        let mut model: Vec<Result<i32, &str>> = items.iter().map_while(|item| item.ok()).map(Ok).collect();
        if items.iter().any(Result::is_err) {
            model.extend([Ok(-4), Err("again"), Ok(0)]);
        }
        let got = through(&bursts, |s| s.catch_with(|error| stream::iter([Ok(-error), Err("again"), Ok(0)])));
        prop_assert_eq!(got, model);
    }

    #[test]
    fn repeat_times_repeats_the_list(items in prop::collection::vec(0..5, 0..5), times in 0..4_usize) {
        let got = stream::iter(items.clone()).repeat_times(times).collect::<Vec<_>>().now_or_never();
        prop_assert_eq!(got, Some(items.repeat(times)));
    }

    #[test]
    fn on_start_on_end_and_finally_are_called_once_and_change_nothing(bursts in bursts()) {
        let calls = RefCell::new(vec![]);
        let call = |name| { let calls = &calls; move || calls.borrow_mut().push(name) };
        let operator = |s: Source<i32>| s.on_start(call("start")).on_end(call("end")).finally(call("finally"));
        prop_assert_eq!(through(&bursts, operator), bursts.concat());
        prop_assert_eq!(&*calls.borrow(), &["start", "end", "finally"]);
    }

    #[test]
    fn retry_gives_up_after_so_many_failures_in_a_row(runs in prop::collection::vec(prop::collection::vec(0..3, 0..3), 1..8), attempts in 0..3_u32) {
        // Each run ends with an error but the last, which ends well.
        let mut model = vec![];
        let mut in_a_row = 0;
        let mut reported = 0;
        for (index, run) in runs.iter().enumerate() {
            model.extend(run.iter().copied().map(Ok));
            if index + 1 == runs.len() {
                break;
            }
            in_a_row = if run.is_empty() { in_a_row } else { 0 };
            if in_a_row == attempts {
                model.push(Err(index));
                break;
            }
            in_a_row += 1;
            reported += 1;
        }

        let seen = Cell::new(0);
        let mut number = 0;
        let make = || {
            let mut run: Vec<Result<i32, usize>> = runs[number].iter().copied().map(Ok).collect();
            if number + 1 < runs.len() {
                run.push(Err(number));
            }
            number += 1;
            stream::iter(run)
        };
        let backoff = Backoff::constant(Duration::ZERO).max_attempts(attempts);
        let got = streams::retry(make, backoff).on_retry(|_, _, _| seen.set(seen.get() + 1));
        prop_assert_eq!(got.collect::<Vec<_>>().now_or_never(), Some(model));
        prop_assert_eq!(seen.get(), reported);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_waits_as_the_backoff_says_and_starts_from_the_beginning() {
    let backoff =
        Backoff::exponential(Duration::from_secs(1), Duration::from_mins(1)).jitter(0.0).max_attempts(3);
    let start = tokio::time::Instant::now();
    let times = RefCell::new(vec![]);
    let factory = || {
        stream::iter([Err::<(), _>("refused")])
            .on_start(|| times.borrow_mut().push(start.elapsed().as_secs()))
    };
    assert_eq!(streams::retry(factory, backoff).collect::<Vec<_>>().await, [Err("refused")]);
    assert_eq!(*times.borrow(), [0, 1, 3, 7]);
}

#[tokio::test(start_paused = true)]
async fn retry_of_a_stream_that_can_be_cloned_begins_again() {
    let source = stream::iter([Ok(1), Err("gone"), Ok(2)]);
    let got: Vec<_> =
        source.retry(Backoff::constant(Duration::from_secs(1)).max_attempts(1)).take(3).collect().await;
    assert_eq!(got, [Ok(1), Ok(1), Ok(1)]);
}

#[test]
fn retry_drops_the_failed_source_before_it_waits() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _guard = runtime.enter();
    let (hand, failing) = source::<Item>();
    let mut once = Some(failing);
    let mut consumer =
        Consumer::new(streams::retry(|| once.take().unwrap(), Backoff::constant(Duration::from_secs(1))));
    hand.give(Err(1));
    assert!(consumer.take().is_empty());
    assert!(hand.is_dropped());
}

#[tokio::test]
async fn a_stream_that_always_fails_at_once_lets_other_tasks_run() {
    let mut failing = stream::iter([Err::<(), _>("refused")]).retry(Backoff::constant(Duration::ZERO));
    assert!(failing.next().now_or_never().is_none());
}

#[test]
fn dematerialize_drops_its_source_at_completed() {
    let (hand, source) = source::<Notification<i32>>();
    let mut consumer = Consumer::new(source.dematerialize().chain(stream::pending()));
    hand.give(Notification::Completed);
    consumer.take();
    assert!(hand.is_dropped());
}

#[test]
fn catch_with_and_end_on_error_drop_their_source_at_the_error() {
    let (hand, caught) = source::<Item>();
    let mut consumer = Consumer::new(caught.catch_with(|_| stream::pending::<Item>()));
    hand.give(Err(1));
    consumer.take();
    assert!(hand.is_dropped());

    let (hand, ended) = source::<Item>();
    let mut consumer = Consumer::new(ended.end_on_error().chain(stream::pending()));
    hand.give(Err(1));
    assert_eq!(consumer.take(), [Err(1)]);
    assert!(hand.is_dropped());
}

#[test]
fn finally_is_called_when_dropped_before_the_end_and_on_end_is_not() {
    let calls = RefCell::new(vec![]);
    let (hand, source) = source::<i32>();
    let stream = source.on_end(|| calls.borrow_mut().push("end")).finally(|| {
        assert!(hand.is_dropped());
        calls.borrow_mut().push("finally");
    });
    let mut consumer = Consumer::new(stream);
    hand.give(1);
    assert_eq!(consumer.take(), [1]);
    drop(consumer);
    assert_eq!(*calls.borrow(), ["finally"]);
}
