use super::drive::*;
use mape::stream::Operators;
use proptest::prelude::*;

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
