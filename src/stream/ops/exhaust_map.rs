//! A stream for an item, undisturbed until it ends.

use super::exhaust::Exhaust;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Stream of [`Operators::exhaust_map`](crate::stream::Operators::exhaust_map).
    ///
    /// - **Emits when** the inner stream gives an item.
    /// - **Back-pressures when** its consumer does: then neither stream is read. While the inner stream
    ///   waits, the outer one is read and its items are dropped, without a call of the function.
    /// - **Completes when** the outer stream and the inner stream have ended.
    /// - **Cancels when** dropped, with the outer and the inner stream; an inner stream is dropped when it
    ///   ends.
    ///
    /// Memory: one inner stream. Source: ReactiveX *FlatMap* (`exhaustMap`, `flatMapFirst`), RxPY
    /// `exclusive`.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    /// use std::time::Duration;
    /// use tokio::time::sleep;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// // A repair takes 3 s; alarms meanwhile do not start another one.
    /// let alarms = stream::iter(["leak", "leak again"]);
    /// let repairs = alarms.exhaust_map(|alarm| {
    ///     stream::once(async move {
    ///         sleep(Duration::from_secs(3)).await;
    ///         format!("{alarm}: mended")
    ///     })
    /// });
    /// assert_eq!(repairs.collect::<Vec<_>>().await, ["leak: mended"]);
    /// # }
    /// ```
    #[derive(Clone)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ExhaustMap<S, U, F> {
        #[pin]
        exhaust: Exhaust<S, U, F>,
    }
}

impl<S, U, F> ExhaustMap<S, U, F> {
    pub(crate) const fn new(outer: S, f: F) -> Self {
        Self { exhaust: Exhaust::new(outer, f) }
    }
}

impl<S, U, F> Stream for ExhaustMap<S, U, F>
where
    S: Stream,
    U: Stream,
    F: FnMut(S::Item) -> U,
{
    type Item = U::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<U::Item>> {
        self.project().exhaust.poll_next(cx)
    }
}
