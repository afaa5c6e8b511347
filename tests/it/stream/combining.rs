//! Operators that combine streams, step by step.

use super::drive::*;
use futures::{FutureExt, StreamExt, stream};
use mape::stream::{Operators, combine_latest_all, race_all};
use proptest::prelude::*;
use std::collections::VecDeque;

/// Both latest items as ReactiveX's diagrams have them.
fn latest_model() -> impl FnMut(Step) -> Reply<(i32, i32)> {
    let (mut a, mut b, mut a_ended, mut b_ended) = (None, None, false, false);
    move |step| {
        match step {
            Step::A(item) => a = Some(item),
            Step::B(item) => b = Some(item),
            Step::EndA => a_ended = true,
            Step::EndB => b_ended = true,
            Step::Start => {}
        }
        let is_item = matches!(step, Step::A(_) | Step::B(_));
        let pair = a.zip(b).filter(|_| is_item);
        let none_can_follow = (a_ended && a.is_none()) || (b_ended && b.is_none());
        (pair.into_iter().collect(), none_can_follow || (a_ended && b_ended))
    }
}

fn race_model() -> impl FnMut(Step) -> Reply<i32> {
    let mut winner = None;
    move |step| {
        let event = match step {
            Step::A(item) => ('a', Some(item)),
            Step::B(item) => ('b', Some(item)),
            Step::EndA => ('a', None),
            Step::EndB => ('b', None),
            Step::Start => return (vec![], false),
        };
        if *winner.get_or_insert(event.0) == event.0 {
            (event.1.into_iter().collect(), event.1.is_none())
        } else {
            (vec![], false)
        }
    }
}

proptest! {
    #[test]
    fn combine_latest_pairs_the_latest_of_both(steps in steps()) {
        follows(&steps, Operators::combine_latest, latest_model());
    }

    #[test]
    fn combine_latest_with_hands_both_to_the_function(steps in steps()) {
        follows(&steps, |a, b| a.combine_latest_with(b, |a, b| (*a, *b)), latest_model());
    }

    #[test]
    fn combine_latest_all_lists_the_latest_of_each(steps in steps()) {
        let mut pairs = latest_model();
        follows(&steps, |a, b| combine_latest_all([a, b]), |step| {
            let (items, end) = pairs(step);
            (items.into_iter().map(|(a, b)| vec![a, b]).collect(), end)
        });
    }

    #[test]
    fn with_latest_from_takes_the_latest_of_the_other(steps in steps()) {
        let mut latest = None;
        follows(&steps, Operators::with_latest_from, |step| match step {
            Step::A(item) => (latest.map(|latest| (item, latest)).into_iter().collect(), false),
            Step::B(item) => {
                latest = Some(item);
                (vec![], false)
            }
            Step::EndA => (vec![], true),
            Step::EndB => (vec![], latest.is_none()),
            Step::Start => (vec![], false),
        });
    }

    #[test]
    fn a_race_is_won_by_the_first_event(steps in steps()) {
        follows(&steps, Operators::race_with, race_model());
        follows(&steps, |a, b| race_all([a, b]), race_model());
    }

    #[test]
    fn zip_longest_pairs_by_position(steps in steps()) {
        let (mut a, mut b) = (VecDeque::new(), VecDeque::new());
        let (mut a_ended, mut b_ended) = (false, false);
        follows(&steps, Operators::zip_longest, |step| {
            match step {
                Step::A(item) => a.push_back(item),
                Step::B(item) => b.push_back(item),
                Step::EndA => a_ended = true,
                Step::EndB => b_ended = true,
                Step::Start => {}
            }
            let mut pairs = vec![];
            while (!a.is_empty() || a_ended) && (!b.is_empty() || b_ended) && !(a.is_empty() && b.is_empty()) {
                pairs.push((a.pop_front(), b.pop_front()));
            }
            (pairs, a_ended && b_ended)
        });
    }

    #[test]
    fn sequence_equal_answers_as_soon_as_it_can(steps in steps()) {
        let (mut a, mut b, mut a_ended, mut b_ended) = (vec![], vec![], false, false);
        follows(&steps, |a, b| a.sequence_equal(b).into_stream(), |step| {
            match step {
                Step::A(item) => a.push(item),
                Step::B(item) => b.push(item),
                Step::EndA => a_ended = true,
                Step::EndB => b_ended = true,
                Step::Start => {}
            }
            let common = a.len().min(b.len());
            let differ = a[..common] != b[..common]
                || (a_ended && b.len() > a.len())
                || (b_ended && a.len() > b.len());
            match (differ, a_ended && b_ended) {
                (true, _) => (vec![false], true),
                (false, true) => (vec![true], true),
                (false, false) => (vec![], false),
            }
        });
    }

    #[test]
    fn switch_if_empty_asks_the_other_only_then(steps in steps()) {
        let (mut some, mut a_ended, mut b, mut b_ended) = (false, false, vec![], false);
        follows(&steps, Operators::switch_if_empty, |step| {
            match step {
                Step::A(item) => {
                    some = true;
                    return (vec![item], false);
                }
                Step::B(item) => b.push(item),
                Step::EndA => a_ended = true,
                Step::EndB => b_ended = true,
                Step::Start => {}
            }
            match (a_ended, some) {
                (true, true) => (vec![], true),
                (true, false) => (std::mem::take(&mut b), b_ended),
                (false, _) => (vec![], false),
            }
        });
    }

    #[test]
    fn end_with_puts_items_after(bursts in bursts(), last in prop::collection::vec(0..5, 0..4)) {
        let model = [bursts.concat(), last.clone()].concat();
        prop_assert_eq!(through(&bursts, |s| s.end_with(last)), model);
    }

    #[test]
    fn default_if_empty_fills_an_empty_stream(bursts in bursts()) {
        let items = bursts.concat();
        let model = if items.is_empty() { vec![9] } else { items };
        prop_assert_eq!(through(&bursts, |s| s.default_if_empty(9)), model);
    }

    #[test]
    fn start_with_puts_items_before(bursts in bursts(), first in prop::collection::vec(0..5, 0..4)) {
        let model = [first.clone(), bursts.concat()].concat();
        prop_assert_eq!(through(&bursts, |s| s.start_with(first)), model);
    }
}

#[tokio::test]
async fn combine_latest_reads_sources_that_are_always_ready_in_turns() {
    let got: Vec<_> = stream::iter(0..).combine_latest(stream::iter(0..)).take(5).collect().await;
    assert_eq!(got, [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)]);
}

#[test]
fn combine_latest_drops_a_source_when_it_ends() {
    let (a, source_a) = source::<i32>();
    let (_b, source_b) = source::<i32>();
    let mut consumer = Consumer::new(source_a.combine_latest(source_b));
    a.give(1);
    a.end();
    consumer.take();
    assert!(a.is_dropped());
    assert!(!consumer.ended);
}

#[test]
fn the_loser_of_a_race_is_dropped_at_once() {
    let (a, source_a) = source();
    let (b, source_b) = source();
    let mut consumer = Consumer::new(source_a.race_with(source_b));
    assert!(consumer.take().is_empty());
    assert!(!a.is_dropped() && !b.is_dropped());
    b.give(1);
    assert_eq!(consumer.take(), [1]);
    assert!(a.is_dropped() && !b.is_dropped());
}

#[tokio::test]
async fn of_no_streams_there_is_no_winner_and_no_latest() {
    let none: [stream::Pending<i32>; 0] = [];
    assert!(race_all(none.clone()).collect::<Vec<_>>().await.is_empty());
    assert!(combine_latest_all(none).collect::<Vec<_>>().await.is_empty());
}

#[test]
fn switch_if_empty_drops_the_other_at_the_first_item() {
    let (a, source_a) = source();
    let (b, source_b) = source();
    let mut consumer = Consumer::new(source_a.switch_if_empty(source_b));
    a.give(1);
    consumer.take();
    assert!(b.is_dropped());
}

#[tokio::test]
async fn with_latest_from_an_endless_ready_stream_still_gives_items() {
    let got = stream::iter([1, 2]).with_latest_from(stream::repeat(7)).collect::<Vec<_>>().await;
    assert_eq!(got, [(1, 7), (2, 7)]);
}
