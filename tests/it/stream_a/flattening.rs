use super::drive::*;
use futures::{StreamExt, stream};
use mape::stream::Operators;
use proptest::prelude::*;

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
    assert_eq!(consumer.take(), []);
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

proptest! {
    #[test]
    fn switch_latest_listens_to_the_newest_and_drops_the_others(acts in acts()) {
        play(&acts, Operators::switch_latest, |_, new| new);
    }

    #[test]
    fn switch_map_listens_to_the_newest_and_drops_the_others(acts in acts()) {
        play(&acts, |s| s.switch_map(|inner| inner), |_, new| new);
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
