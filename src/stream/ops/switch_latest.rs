//! Of a stream of streams, always the latest.

use super::switch::Switch;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::switch_latest`](crate::stream::Operators::switch_latest).
    ///
    /// - **Emits when** the latest inner stream gives an item and no newer inner stream is there: the outer
    ///   stream is asked first, so an outdated inner stream never wins.
    /// - **Back-pressures when** its consumer does.
    /// - **Completes when** the outer stream and the latest inner stream have ended.
    /// - **Cancels when** dropped, with the outer and the inner stream; an inner stream is dropped as soon
    ///   as a newer one comes or it ends.
    ///
    /// Memory: one inner stream. Source: ReactiveX *Switch*, RxPY `switch_latest`. There, streams that
    /// deliver while they are subscribed to come through whole; here the outer stream is read up to its
    /// latest first.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let plans = stream::iter([stream::iter(["a1", "a2"]), stream::iter(["b1", "b2"])]);
    /// let got: Vec<_> = plans.switch_latest().collect().await;
    /// assert_eq!(got, ["b1", "b2"]); // the second was there before the first could deliver
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct SwitchLatest<S>
    where
        S: Stream,
    {
        #[pin]
        switch: Switch<S, S::Item, fn(S::Item) -> S::Item>,
    }
}

impl<S: Stream> SwitchLatest<S> {
    pub(crate) const fn new(outer: S) -> Self {
        Self { switch: Switch::new(outer, std::convert::identity) }
    }
}

impl<S> Stream for SwitchLatest<S>
where
    S: Stream,
    S::Item: Stream,
{
    type Item = <S::Item as Stream>::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project().switch.poll_next(cx)
    }
}
