//! Operators over streams of streams.

use super::drive::*;
use futures::{FutureExt, StreamExt, stream};
use mape::stream::Operators;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// A stream of streams: which inner stream gives an item or ends, and when a new one comes.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// The outer stream gives its next inner stream.
    Open,
    /// The inner stream (modulo those opened) gives an item.
    Give(usize, i32),
    EndInner(usize),
    EndOuter,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => Just(Act::Open),
        6 => (0..8_usize, 0..9).prop_map(|(inner, item)| Act::Give(inner, item)),
        2 => (0..8_usize).prop_map(Act::EndInner),
        1 => Just(Act::EndOuter),
    ];
    prop::collection::vec(act, 0..30)
}

/// Plays the acts and compares with a model that knows which inner streams it listens to.
fn play<S>(
    acts: &[Act],
    operator: impl FnOnce(Source<Source<i32>>) -> S,
    // (current inner stream, newly opened one) -> the one to listen to
    choose: impl Fn(Option<usize>, usize) -> usize,
) where
    S: futures::Stream<Item = i32>,
{
    let (outer, source_outer) = source();
    let mut consumer = Consumer::new(operator(source_outer));
    let mut inners: Vec<Hand<i32>> = Vec::new();
    let mut ended: Vec<bool> = Vec::new();
    let mut current = None;
    let mut outer_ended = false;
    assert!(consumer.take().is_empty());
    for act in acts {
        let mut expected = Vec::new();
        match *act {
            Act::Open if !outer_ended => {
                let (hand, inner) = source();
                inners.push(hand);
                ended.push(false);
                outer.give(inner);
                current = Some(choose(current, inners.len() - 1));
            }
            Act::Give(n, item) if !inners.is_empty() => {
                let n = n % inners.len();
                if !ended[n] {
                    inners[n].give(item);
                    expected.extend((current == Some(n)).then_some(item));
                }
            }
            Act::EndInner(n) if !inners.is_empty() => {
                let n = n % inners.len();
                inners[n].end();
                ended[n] = true;
                current = current.filter(|c| *c != n);
            }
            Act::EndOuter if !outer_ended => {
                outer.end();
                outer_ended = true;
            }
            _ => continue,
        }
        assert_eq!(consumer.take(), expected, "after {act:?} of {acts:?}");
        assert_eq!(consumer.ended, outer_ended && current.is_none(), "after {act:?} of {acts:?}");
        for (n, inner) in inners.iter().enumerate() {
            assert_eq!(inner.is_dropped(), current != Some(n), "inner {n} after {act:?} of {acts:?}");
        }
        if consumer.ended {
            return;
        }
    }
}

/// What a number falls into: a small tree.
fn parts(n: u32) -> Vec<u32> {
    if n > 3 { vec![n / 2, n / 3] } else { vec![] }
}

proptest! {
    #[test]
    fn switch_latest_listens_to_the_newest_and_drops_the_others(acts in acts()) {
        play(&acts, Operators::switch_latest, |_, new| new);
    }

    #[test]
    fn switch_map_listens_to_the_newest_and_drops_the_others(acts in acts()) {
        play(&acts, |s| s.switch_map(|inner| inner), |_, new| new);
    }

    #[test]
    fn exhaust_all_stays_with_the_running_one_and_drops_the_others(acts in acts()) {
        play(&acts, Operators::exhaust_all, Option::unwrap_or);
    }

    #[test]
    fn exhaust_map_stays_with_the_running_one_and_drops_the_others(acts in acts()) {
        play(&acts, |s| s.exhaust_map(|inner| inner), Option::unwrap_or);
    }

    #[test]
    fn expand_with_limit_one_is_breadth_first(roots in prop::collection::vec(1..20_u32, 0..4)) {
        let mut model = vec![];
        for &root in &roots {
            let mut queue = VecDeque::from([root]);
            model.push(root);
            while let Some(n) = queue.pop_front() {
                let children = parts(n);
                model.extend(&children);
                queue.extend(children);
            }
        }
        let got = stream::iter(roots).expand(1, |n| stream::iter(parts(n))).collect::<Vec<_>>();
        prop_assert_eq!(got.now_or_never(), Some(model));
    }

    #[test]
    fn expand_finds_all_and_runs_at_most_limit_at_a_time(root in 1..40_u32, limit in 0..5_usize, picks in prop::collection::vec(0..64_usize, 500)) {
        let running = Rc::new(RefCell::new(Vec::<(Hand<u32>, u32)>::new()));
        let opened = running.clone();
        let expand = stream::iter([root]).expand(limit, move |n| {
            let (hand, source) = source();
            opened.borrow_mut().push((hand, n));
            source
        });
        let mut consumer = Consumer::new(expand);
        let mut got = consumer.take();
        // The inner streams deliver in any order.
        for pick in picks {
            if running.borrow().is_empty() {
                break;
            }
            prop_assert!(running.borrow().len() <= limit.max(1));
            let place = pick % running.borrow().len();
            let (hand, n) = running.borrow_mut().swap_remove(place);
            for part in parts(n) {
                hand.give(part);
            }
            hand.end();
            got.extend(consumer.take());
        }
        prop_assert!(consumer.ended);
        let mut model = vec![root];
        let mut next = 0;
        while let Some(&n) = model.get(next) {
            model.extend(parts(n));
            next += 1;
        }
        got.sort_unstable();
        model.sort_unstable();
        prop_assert_eq!(got, model);
    }
}

#[test]
fn dropping_switch_map_drops_outer_and_inner() {
    let (outer, source_outer) = source();
    let (inner, source_inner) = source::<i32>();
    let mut consumer = Consumer::new(source_outer.switch_map(|inner| inner));
    outer.give(source_inner);
    consumer.take();
    drop(consumer);
    assert!(outer.is_dropped() && inner.is_dropped());
}

#[tokio::test]
async fn an_outer_stream_that_is_always_ready_does_not_starve_the_inner() {
    let got: Vec<_> = stream::iter(0..).switch_map(|n| stream::iter([n])).take(2).collect().await;
    assert!(got[0] < got[1], "{got:?}");
}

#[test]
fn exhaust_map_does_not_call_the_function_for_what_it_drops() {
    let (outer, source_outer) = source();
    let calls = RefCell::new(vec![]);
    let mut consumer = Consumer::new(source_outer.exhaust_map(|n| {
        calls.borrow_mut().push(n);
        stream::pending::<i32>()
    }));
    outer.give(1);
    outer.give(2);
    consumer.take();
    assert_eq!(*calls.borrow(), [1]);
    assert_eq!(outer.left(), 0);
}

#[test]
fn dropping_exhaust_map_and_expand_drops_all_sources() {
    let (outer, source_outer) = source();
    let (inner, source_inner) = source::<i32>();
    let mut consumer = Consumer::new(source_outer.exhaust_all());
    outer.give(source_inner);
    consumer.take();
    drop(consumer);
    assert!(outer.is_dropped() && inner.is_dropped());

    let (outer, source_outer) = source();
    let (inner, source_inner) = source::<i32>();
    let mut inner_once = Some(source_inner);
    let mut consumer = Consumer::new(source_outer.expand(1, |_| inner_once.take().unwrap()));
    outer.give(1);
    assert_eq!(consumer.take(), [1]);
    drop(consumer);
    assert!(outer.is_dropped() && inner.is_dropped());
}
