//! Try again after an error.

use super::budget::Budget;
use super::until_end::UntilEnd;
use crate::stream::Backoff;
use futures::Stream;
use pin_project_lite::pin_project;
use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// A stream that is made anew after each error.
///
/// `make` is called at the first poll and after each wait. See [`Retry`].
///
/// ```text
/// first   --1--x
/// second          --2--|
///         --1-------2--|   after a wait
/// ```
///
/// ```
/// use futures::{StreamExt, stream};
/// use mape::stream::{self as streams, Backoff};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let mut connections = 0;
/// let connect = || {
///     connections += 1;
///     stream::iter(if connections < 3 { vec![Err("refused")] } else { vec![Ok(7)] })
/// };
/// let readings = streams::retry(connect, Backoff::constant(Duration::from_secs(1)));
/// assert_eq!(readings.collect::<Vec<_>>().await, [Ok(7)]);
/// # }
/// ```
pub fn retry<F, S, T, E>(make: F, backoff: Backoff) -> Retry<F, S, OnRetry<E>>
where
    F: FnMut() -> S,
    S: Stream<Item = Result<T, E>>,
    E: Debug,
{
    Retry::new(make, backoff, warn)
}

/// What [`retry`] does with an error before it tries again, unless told: log it as a warning.
pub type OnRetry<E> = fn(&E, u32, Duration);

fn warn<E: Debug>(error: &E, attempt: u32, wait: Duration) {
    tracing::warn!(?error, attempt, ?wait, "stream failed, trying again");
}

pin_project! {
    /// Stream of [`Operators::retry`](crate::stream::Operators::retry) and [`retry`].
    ///
    /// An `Err` of the source drops it; after the wait that the [`Backoff`] says it is made anew, from its
    /// beginning. Each such error is logged as a warning, or handed to [`on_retry`](Self::on_retry). An
    /// `Ok` item resets the count of attempts, so `max_attempts` bounds the failures in a row.
    ///
    /// - **Emits when** the source gives an `Ok` item; an `Err` only when the attempts are used up, as the
    ///   last item.
    /// - **Back-pressures when** its consumer does; nothing is read ahead.
    /// - **Completes when** the source ends, or after that last error.
    /// - **Cancels when** dropped, with the source or the wait; the source is dropped already at its error.
    ///
    /// Memory: none but a timer while waiting. Waits need a tokio runtime with time, unless they are zero.
    /// Source: ReactiveX *Retry* (`retryWhen`), RxPY `retry`, which tries again at once and never resets.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mape::stream::{Backoff, Operators};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let mut seen = Vec::new();
    /// let got: Vec<_> = stream::iter([Err::<i32, _>("refused")])
    ///     .retry(Backoff::constant(Duration::from_secs(1)).max_attempts(2))
    ///     .on_retry(|error, attempt, wait| seen.push((*error, attempt, wait.as_secs())))
    ///     .collect()
    ///     .await;
    /// assert_eq!(got, [Err("refused")]);
    /// assert_eq!(seen, [("refused", 0, 1), ("refused", 1, 1)]);
    /// # }
    /// ```
    #[must_use = "streams do nothing unless polled"]
    pub struct Retry<F, S, H> {
        make: F,
        backoff: Backoff,
        hook: H,
        // Before the first poll, while waiting and after the end: none.
        #[pin]
        source: Option<UntilEnd<S>>,
        // Boxed, so that this stream can be moved when the source can.
        wait: Option<Pin<Box<Sleep>>>,
        attempt: u32,
        ended: bool,
    }
}

impl<F, S, H> Retry<F, S, H> {
    pub(crate) const fn new(make: F, backoff: Backoff, hook: H) -> Self {
        Self { make, backoff, hook, source: None, wait: None, attempt: 0, ended: false }
    }

    /// Calls the function instead of logging: the error, the number of the attempt that follows (from 0 in
    /// each row of failures), and the wait before it.
    pub fn on_retry<T, E, G>(self, hook: G) -> Retry<F, S, G>
    where
        S: Stream<Item = Result<T, E>>,
        G: FnMut(&E, u32, Duration),
    {
        Retry::new(self.make, self.backoff, hook)
    }
}

impl<F, S, H, T, E> Stream for Retry<F, S, H>
where
    F: FnMut() -> S,
    S: Stream<Item = Result<T, E>>,
    H: FnMut(&E, u32, Duration),
{
    type Item = Result<T, E>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let mut budget = Budget::new();
        while !*this.ended {
            if let Some(wait) = this.wait {
                ready!(wait.as_mut().poll(cx));
                *this.wait = None;
            }
            let Some(source) = this.source.as_mut().as_pin_mut() else {
                let source = (this.make)();
                this.source.set(Some(UntilEnd::new(source)));
                continue;
            };
            let error = match ready!(source.poll_next(cx)) {
                Some(Ok(item)) => {
                    *this.attempt = 0;
                    return Poll::Ready(Some(Ok(item)));
                }
                Some(Err(error)) => error,
                None => {
                    *this.ended = true;
                    break;
                }
            };
            this.source.set(None);
            let Some(wait) = this.backoff.wait(*this.attempt) else {
                *this.ended = true;
                return Poll::Ready(Some(Err(error)));
            };
            (this.hook)(&error, *this.attempt, wait);
            *this.attempt = this.attempt.saturating_add(1);
            if !wait.is_zero() {
                *this.wait = Some(Box::pin(tokio::time::sleep(wait)));
            } else if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
        Poll::Ready(None)
    }
}
