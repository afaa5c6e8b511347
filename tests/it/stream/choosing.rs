//! Operators that choose, against models.

use super::drive::*;
use futures::{FutureExt, StreamExt};
use mape::stream::{Operators, ops::NotSingle};
use proptest::prelude::*;
use std::collections::VecDeque;

proptest! {
    #[test]
    fn distinct_until_changed_is_dedup(bursts in bursts()) {
        let mut model = bursts.concat();
        model.dedup();
        prop_assert_eq!(through(&bursts, Operators::distinct_until_changed), model);
    }

    #[test]
    fn distinct_until_changed_by_is_dedup_by_key(bursts in bursts()) {
        let mut model = bursts.concat();
        model.dedup_by_key(|n| *n / 2);
        prop_assert_eq!(through(&bursts, |s| s.distinct_until_changed_by(|n| n / 2)), model);
    }

    #[test]
    fn pairwise_is_windows_of_two(bursts in bursts()) {
        let items = bursts.concat();
        let model: Vec<_> = items.windows(2).map(|w| (w[0], w[1])).collect();
        prop_assert_eq!(through(&bursts, Operators::pairwise), model);
    }

    #[test]
    fn distinct_drops_what_is_among_the_last_different_ones(bursts in bursts(), capacity in 0..6_usize) {
        let mut seen = VecDeque::new();
        let mut model = bursts.concat();
        model.retain(|n| {
            let new = !seen.contains(n);
            if new {
                seen.push_back(*n);
                seen.drain(..seen.len().saturating_sub(capacity));
            }
            new
        });
        prop_assert_eq!(through(&bursts, |s| s.distinct(capacity)), model.clone());
        prop_assert_eq!(through(&bursts, |s| s.distinct_by_key(capacity, |n| n + 1)), model);
    }

    #[test]
    fn take_last_and_skip_last_split_the_list(bursts in bursts(), count in 0..6_usize) {
        let items = bursts.concat();
        let (head, tail) = items.split_at(items.len().saturating_sub(count));
        prop_assert_eq!(through(&bursts, |s| s.take_last(count)), tail);
        prop_assert_eq!(through(&bursts, |s| s.skip_last(count)), head);
    }

    #[test]
    fn skip_until_waits_for_the_future(steps in steps()) {
        let mut open = false;
        follows(&steps, |a, b| a.skip_until(b.into_future().map(drop)), |step| match step {
            Step::A(item) => (if open { vec![item] } else { vec![] }, false),
            Step::B(_) | Step::EndB => {
                open = true;
                (vec![], false)
            }
            Step::EndA => (vec![], true),
            Step::Start => (vec![], false),
        });
    }

    #[test]
    fn take_while_inclusive_takes_the_first_that_fails_too(bursts in bursts()) {
        let items = bursts.concat();
        let end = items.iter().position(|n| *n == 4).map_or(items.len(), |at| at + 1);
        prop_assert_eq!(through(&bursts, |s| s.take_while_inclusive(|n| *n != 4)), &items[..end]);
    }

    #[test]
    fn ignore_items_keeps_only_the_end(bursts in bursts()) {
        prop_assert!(through(&bursts, Operators::ignore_items).is_empty());
    }

    #[test]
    fn one_item_is_found_as_in_a_list(bursts in bursts(), n in 0..6_usize) {
        let items = bursts.concat();
        let even = |n: &i32| n % 2 == 0;
        prop_assert_eq!(through(&bursts, |s| s.find_first(even).into_stream()), [items.iter().copied().find(even)]);
        prop_assert_eq!(through(&bursts, |s| s.find_position(even).into_stream()), [items.iter().position(even)]);
        prop_assert_eq!(through(&bursts, |s| s.nth_item(n).into_stream()), [items.get(n).copied()]);
        prop_assert_eq!(through(&bursts, |s| s.last_item().into_stream()), [items.last().copied()]);
        prop_assert_eq!(through(&bursts, |s| s.ends_empty().into_stream()), [items.is_empty()]);
        let single = match *items {
            [] => Err(NotSingle::Empty),
            [only] => Ok(only),
            [first, second, ..] => Err(NotSingle::Several { first, second }),
        };
        prop_assert_eq!(through(&bursts, |s| s.single().into_stream()), [single]);
    }
}

#[tokio::test]
async fn a_source_that_only_repeats_lets_other_tasks_run() {
    let endless = futures::stream::repeat(1).distinct_until_changed();
    let mut consumer = Consumer::new(endless);
    assert_eq!(consumer.take_one(), Some(1));
    let other = async { 7 };
    let mut endless = std::pin::pin!(futures::stream::repeat(1).distinct_until_changed());
    let next = futures::StreamExt::next(&mut endless).await;
    assert_eq!(next, Some(1));
    tokio::select! {
        biased;
        item = futures::StreamExt::next(&mut endless) => panic!("{item:?} is not different"),
        seven = other => assert_eq!(seven, 7),
    }
}

#[test]
fn a_source_is_dropped_as_soon_as_nothing_more_is_wanted() {
    let wanted_up_to_two: [fn(Source<i32>) -> futures::stream::LocalBoxStream<'static, ()>; 5] = [
        |s| s.take_while_inclusive(|n| *n < 2).map(drop).boxed_local(),
        |s| s.find_first(|n| *n == 2).map(drop).into_stream().boxed_local(),
        |s| s.find_position(|n| *n == 2).map(drop).into_stream().boxed_local(),
        |s| s.nth_item(1).map(drop).into_stream().boxed_local(),
        |s| s.single().map(drop).into_stream().boxed_local(),
    ];
    for operator in wanted_up_to_two {
        let (hand, source) = source();
        let mut consumer = Consumer::new(operator(source).chain(futures::stream::pending()));
        hand.give(1);
        consumer.take();
        assert!(!hand.is_dropped());
        hand.give(2);
        consumer.take();
        assert!(hand.is_dropped());
    }
}
