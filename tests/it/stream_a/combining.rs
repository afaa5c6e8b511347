use super::drive::*;
use futures::{StreamExt, stream};
use mape::stream::Operators;
use proptest::prelude::*;

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
        let end = (a_ended && b_ended) || (a_ended && a.is_none()) || (b_ended && b.is_none());
        (pair.into_iter().collect(), end)
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
