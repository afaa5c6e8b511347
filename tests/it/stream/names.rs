//! All three extension traits in scope: no name of ours is ambiguous.

use futures::stream::{self, Iter};
use futures::{StreamExt, TryStreamExt};
use mape::stream::{Backoff, Notification, Operators};
use tokio_stream::StreamExt as TokioStreamExt;

type Numbers = Iter<std::array::IntoIter<i32, 1>>;
type Results = Iter<std::array::IntoIter<Result<i32, i32>, 1>>;

fn traits_in_scope<S: StreamExt + TokioStreamExt + Operators>(stream: S) -> S {
    stream
}

fn numbers() -> Numbers {
    traits_in_scope(stream::iter([1]))
}

fn results() -> Results {
    fallible_traits_in_scope(stream::iter([Ok(1)]))
}

fn fallible_traits_in_scope<S: TryStreamExt>(stream: S) -> S {
    stream
}

#[tokio::test]
async fn every_operator_can_be_called_beside_those_of_futures_and_tokio_stream() {
    let other = numbers;
    drop(numbers().combine_latest(other()));
    drop(numbers().combine_latest_with(other(), |a, b| a + b));
    drop(numbers().with_latest_from(other()));
    drop(numbers().race_with(other()));
    drop(numbers().zip_longest(other()));
    drop(numbers().start_with([0]));
    drop(numbers().end_with([0]));
    drop(numbers().default_if_empty(0));
    drop(numbers().switch_if_empty(other()));
    assert!(numbers().sequence_equal(other()).await);

    drop(numbers().switch_map(|_| numbers()));
    drop(stream::iter([numbers()]).switch_latest());
    drop(numbers().exhaust_map(|_| numbers()));
    drop(stream::iter([numbers()]).exhaust_all());
    drop(numbers().expand(1, |_| numbers()));

    drop(numbers().materialize());
    drop(results().try_materialize());
    drop(stream::iter([Notification::Next(1)]).dematerialize());
    drop(stream::iter([Notification::<i32, i32>::Error(1)]).try_dematerialize());
    drop(numbers().share());
    drop(numbers().replay(1));
    drop(results().retry(Backoff::default()));
    drop(results().catch_with(|_| results()));
    drop(results().replace_errors(|error| error));
    drop(results().skip_errors(drop));
    drop(results().end_on_error());
    drop(numbers().on_start(|| {}));
    drop(numbers().on_end(|| {}));
    drop(numbers().finally(|| {}));
    drop(numbers().repeat_times(2));

    drop(numbers().distinct_until_changed());
    drop(numbers().distinct_until_changed_by(|n| n % 2));
    drop(numbers().pairwise());
    drop(numbers().distinct(8));
    drop(numbers().distinct_by_key(8, |n| n % 2));
    drop(numbers().take_last(1));
    drop(numbers().skip_last(1));
    drop(numbers().skip_until(async {}));
    drop(numbers().take_while_inclusive(|_| true));
    drop(numbers().ignore_items());
    assert_eq!(numbers().find_first(|_| true).await, Some(1));
    assert_eq!(numbers().find_position(|_| true).await, Some(0));
    assert_eq!(numbers().nth_item(0).await, Some(1));
    assert_eq!(numbers().last_item().await, Some(1));
    assert_eq!(numbers().single().await, Ok(1));
    assert!(stream::empty::<i32>().ends_empty().await);
}
