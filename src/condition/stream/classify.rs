//! `classify`

use super::judged;
use crate::condition::Conditions;
use futures::Stream;
use pin_project_lite::pin_project;
use serde::Serialize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

pin_project! {
    /// Each item with what it is: [`ConditionOperators::classify`](super::ConditionOperators::classify).
    ///
    /// - **Emits when** an item comes.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source does.
    /// - **Cancels when** dropped, with its source.
    ///
    /// It holds nothing. Names come in the order of the conditions; an item that fulfils none comes with no names.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::condition::{ConditionOperators, Conditions};
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), mape::condition::Error> {
    /// let orders = stream::iter([json!({"sum": 7}), json!({"sum": 700, "vip": true})]);
    /// let classified = orders.classify(Conditions::parse("large: sum ge 100, vip: vip, first: :large and :vip")?);
    /// let classes: Vec<_> = classified.map(|order| order.classes.join(" ")).collect().await;
    /// assert_eq!(classes, ["", "large vip first"]);
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Classify<S> {
        #[pin]
        source: S,
        conditions: Conditions,
    }
}

/// An item with the names of the conditions that it fulfils.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Classified<T> {
    /// The item.
    pub item: T,
    /// The names, in the order of the conditions.
    pub classes: Vec<Arc<str>>,
}

impl<S> Classify<S> {
    pub(super) fn new(source: S, conditions: Conditions) -> Self {
        Self { source, conditions }
    }
}

impl<S: Stream<Item: Serialize>> Stream for Classify<S> {
    type Item = Classified<S::Item>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let conditions = &*this.conditions;
        this.source.poll_next(cx).map(|item| {
            item.map(|item| {
                let classes = judged(&item).map(|value| conditions.classify(&value)).unwrap_or_default();
                Classified { item, classes }
            })
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
