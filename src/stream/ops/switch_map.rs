//! A stream for each item, always only the latest.

use super::switch::Switch;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::switch_map`](crate::stream::Operators::switch_map).
    ///
    /// - **Emits when** the inner stream of the latest item gives an item and no newer item is there: the
    ///   outer stream is asked first, so an outdated inner stream never wins.
    /// - **Back-pressures when** its consumer does.
    /// - **Completes when** the outer stream and the latest inner stream have ended.
    /// - **Cancels when** dropped, with the outer and the inner stream; an inner stream is dropped as soon
    ///   as a newer one comes or it ends.
    ///
    /// Memory: one inner stream. Source: ReactiveX *FlatMap* (`flatMapLatest`, `switchMap`), RxPY
    /// `flat_map_latest`. There, streams that deliver while they are subscribed to come through whole; here
    /// the outer stream is read up to its latest first (the function is called for each item).
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    /// use std::time::Duration;
    /// use tokio::time::sleep;
    /// use tokio_stream::wrappers::ReceiverStream;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// // Two questions a second apart; an answer takes 3 s, so the first is given up.
    /// let (ask, asked) = tokio::sync::mpsc::channel(1);
    /// tokio::spawn(async move {
    ///     for question in ["where?", "when?"] {
    ///         ask.send(question).await.unwrap();
    ///         sleep(Duration::from_secs(1)).await;
    ///     }
    /// });
    /// let answers = ReceiverStream::new(asked).switch_map(|question| {
    ///     stream::once(async move {
    ///         sleep(Duration::from_secs(3)).await;
    ///         format!("{question} done")
    ///     })
    /// });
    /// assert_eq!(answers.collect::<Vec<_>>().await, ["when? done"]);
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "streams do nothing unless polled"]
    pub struct SwitchMap<S, U, F> {
        #[pin]
        switch: Switch<S, U, F>,
    }
}

impl<S, U, F> SwitchMap<S, U, F> {
    pub(crate) const fn new(outer: S, f: F) -> Self {
        Self { switch: Switch::new(outer, f) }
    }
}

impl<S, U, F> Stream for SwitchMap<S, U, F>
where
    S: Stream,
    U: Stream,
    F: FnMut(S::Item) -> U,
{
    type Item = U::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<U::Item>> {
        self.project().switch.poll_next(cx)
    }
}
