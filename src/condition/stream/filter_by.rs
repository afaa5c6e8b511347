//! `filter_by`

use super::judged;
use crate::condition::Condition;
use futures::{Stream, ready};
use pin_project_lite::pin_project;
use serde::Serialize;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Items dropped in one poll before other tasks get a turn.
const DROPPED_AT_ONCE: usize = 128;

pin_project! {
    /// The items that fulfil a condition: [`ConditionOperators::filter_by`](super::ConditionOperators::filter_by).
    ///
    /// - **Emits when** an item comes that fulfils the condition.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source does.
    /// - **Cancels when** dropped, with its source.
    ///
    /// It holds nothing.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::condition::{Condition, ConditionOperators};
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), mape::condition::Error> {
    /// let numbers = stream::iter(1..=7).map(|i| json!({"i": i}));
    /// let odd = numbers.filter_by(Condition::parse("i mod 2")?);
    /// assert_eq!(odd.map(|item| item["i"].clone()).collect::<Vec<_>>().await, [1, 3, 5, 7]);
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct FilterBy<S> {
        #[pin]
        source: S,
        condition: Condition,
    }
}

impl<S> FilterBy<S> {
    pub(super) fn new(source: S, condition: Condition) -> Self {
        Self { source, condition }
    }
}

impl<S: Stream<Item: Serialize>> Stream for FilterBy<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        for _ in 0..DROPPED_AT_ONCE {
            match ready!(this.source.as_mut().poll_next(cx)) {
                Some(item) if judged(&item).is_some_and(|value| this.condition.holds(&value)) => {
                    return Poll::Ready(Some(item));
                }
                Some(_) => {}
                None => return Poll::Ready(None),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.source.size_hint().1)
    }
}
