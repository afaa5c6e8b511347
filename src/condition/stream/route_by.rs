//! `route_by`

use super::judged;
use crate::condition::Conditions;
use futures::Stream;
use pin_project_lite::pin_project;
use serde::Serialize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

pin_project! {
    /// Each item with where it is to go: [`ConditionOperators::route_by`](super::ConditionOperators::route_by).
    ///
    /// - **Emits when** an item comes.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source does.
    /// - **Cancels when** dropped, with its source.
    ///
    /// It holds nothing. The first condition that holds wins, and those behind it are not judged. An item that fulfils
    /// none comes without a route: nothing is dropped. With `group_by` each route becomes a stream; where the names are
    /// paths of elements, a loop's router sends each item to its own.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::condition::{ConditionOperators, Conditions};
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), mape::condition::Error> {
    /// let orders = stream::iter([7, 70, 700]).map(|sum| json!({"sum": sum}));
    /// let routed = orders.route_by(Conditions::parse("by_hand: sum ge 100, at_once: sum lt 10")?);
    /// let routes: Vec<_> = routed.map(|order| order.route).collect().await;
    /// assert_eq!(routes, [Some("at_once".into()), None, Some("by_hand".into())]);
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct RouteBy<S> {
        #[pin]
        source: S,
        conditions: Conditions,
    }
}

/// An item with the name of the first condition that it fulfils.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Routed<T> {
    /// The item.
    pub item: T,
    /// The name, or none if it fulfils no condition.
    pub route: Option<Arc<str>>,
}

impl<S> RouteBy<S> {
    pub(super) fn new(source: S, conditions: Conditions) -> Self {
        Self { source, conditions }
    }
}

impl<S: Stream<Item: Serialize>> Stream for RouteBy<S> {
    type Item = Routed<S::Item>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let conditions = &*this.conditions;
        this.source.poll_next(cx).map(|item| {
            item.map(|item| {
                let route = judged(&item).and_then(|value| conditions.first(&value));
                Routed { item, route }
            })
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
