//! Of many streams, the one that is first.

use futures::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The first of many streams to give an item or end; the others are dropped.
///
/// Without any stream it ends at once. See [`RaceAll`].
///
/// ```text
/// A  -----1--2--|
/// B  ---7----8----9--|
///    ---7----8----9--|
/// ```
pub fn race_all<I>(streams: I) -> RaceAll<I::Item>
where
    I: IntoIterator<Item: Stream>,
{
    RaceAll { racers: streams.into_iter().map(Box::pin).collect(), decided: false }
}

/// Stream of [`race_all`].
///
/// - **Emits when** the winner does: the stream that first gave an item or ended. If several are ready, the
///   one named first wins.
/// - **Back-pressures when** its consumer does; nothing is read ahead.
/// - **Completes when** the winner ends.
/// - **Cancels when** dropped, with what is left; the losers are dropped as soon as there is a winner.
///
/// Memory: one allocation a stream. Source: ReactiveX *Amb*, RxPY `amb`.
///
/// ```
/// use futures::{StreamExt, stream};
/// use mape::stream::race_all;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mirrors = [stream::pending().boxed(), stream::iter([1, 2]).boxed(), stream::iter([3]).boxed()];
/// assert_eq!(race_all(mirrors).collect::<Vec<_>>().await, [1, 2]);
/// # }
/// ```
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct RaceAll<S> {
    racers: Vec<Pin<Box<S>>>,
    decided: bool,
}

impl<S: Stream> Stream for RaceAll<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if self.racers.is_empty() {
            return Poll::Ready(None);
        }
        let first = self.racers.iter_mut().enumerate().find_map(|(index, racer)| {
            match racer.as_mut().poll_next(cx) {
                Poll::Ready(polled) => Some((index, polled)),
                Poll::Pending => None,
            }
        });
        let Some((index, polled)) = first else { return Poll::Pending };
        if !self.decided {
            self.decided = true;
            self.racers.swap(0, index);
            self.racers.truncate(1);
        }
        if polled.is_none() {
            self.racers.clear();
        }
        Poll::Ready(polled)
    }
}
