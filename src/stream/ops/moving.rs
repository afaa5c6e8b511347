//! `moving_*`: what the latest items come to.

use super::aggregate::Aggregate;
use super::alarm::CAPACITY;
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// How far back a moving aggregate looks: a number of items (`usize`, 0 counts as 1) or a [`Duration`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// The latest items, so many.
    Items(usize),
    /// The items that came within this time before the latest, or with it; at most 65,536.
    Time(Duration),
}

impl From<usize> for Span {
    fn from(items: usize) -> Self {
        Self::Items(items)
    }
}

impl From<Duration> for Span {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

pin_project! {
    /// Stream of [`Operators::moving`](crate::stream::Operators::moving), `moving_sum`, `moving_min`, `moving_max`,
    /// `moving_average`, `moving_deviation` and `moving_count`.
    ///
    /// A value follows each item, from the first on, over as many items as there are; `.skip(n - 1)` leaves out those
    /// over fewer than `n`. An item is too old for a time span when it came exactly that long ago. Nothing is emitted when
    /// items get too old, only with the next one.
    ///
    /// An item costs `O(1)` on average (at most three combinations), whatever the aggregate: nothing is subtracted, so
    /// rounding errors do not add up, and a NaN leaves with its item.
    ///
    /// - **Emits when** the source emits.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: an aggregate for each item in the span, at most 65,536 for a time (then the oldest leave early). Source:
    /// two-stacks aggregation (Tangwongsan, Hirzel, Schneider: General Incremental Sliding-Window Aggregation, VLDB 2015);
    /// in ReactiveX, `buffer` with skip 1 and an aggregate.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use futures::{StreamExt, stream};
    /// use mape::stream::Operators;
    ///
    /// let peaks = stream::iter([3, 1, 2, 1, 1]).moving_max(3);
    /// assert_eq!(peaks.collect::<Vec<_>>().await, [3, 3, 3, 2, 2]);
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Moving<S, A> {
        #[pin]
        source: S,
        span: Span,
        window: TwoStacks<A>,
    }
}

impl<S, A> Moving<S, A> {
    pub(crate) fn new(source: S, span: Span) -> Self {
        Self { source, span, window: TwoStacks { older: Vec::new(), newer: Vec::new(), newer_all: None } }
    }
}

impl<S: Stream, A: Aggregate<S::Item>> Stream for Moving<S, A> {
    type Item = A::Output;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<A::Output>> {
        let this = self.project();
        let Some(item) = ready!(this.source.poll_next(cx)) else { return Poll::Ready(None) };
        let window = this.window;
        let keep = match *this.span {
            Span::Items(n) => n.max(1),
            Span::Time(_) => CAPACITY,
        };
        while window.len() >= keep {
            window.pop(A::and);
        }
        let came = if let Span::Time(time) = *this.span {
            let now = Instant::now();
            while window.oldest().is_some_and(|came| now.saturating_duration_since(came) >= time) {
                window.pop(A::and);
            }
            Some(now)
        } else {
            None
        };
        Poll::Ready(Some(window.push(came, A::of(item), A::and).value()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}

/// A queue that knows what its content comes to.
///
/// `newer` holds what came since `older` was last filled, `newer_all` what that comes to; an entry of `older` holds what
/// it and all entries below it, which are younger, come to.
#[derive(Debug)]
struct TwoStacks<A> {
    older: Vec<(Option<Instant>, A)>,
    newer: Vec<(Option<Instant>, A)>,
    newer_all: Option<A>,
}

impl<A: Clone> TwoStacks<A> {
    fn len(&self) -> usize {
        self.older.len() + self.newer.len()
    }

    fn oldest(&self) -> Option<Instant> {
        self.older.last().or(self.newer.first()).and_then(|(came, _)| *came)
    }

    /// Adds the youngest; what all come to.
    fn push(&mut self, came: Option<Instant>, item: A, and: impl Fn(&A, &A) -> A) -> A {
        let newer_all = self.newer_all.as_ref().map_or_else(|| item.clone(), |all| and(all, &item));
        self.newer.push((came, item));
        let all = self.older.last().map_or_else(|| newer_all.clone(), |(_, older)| and(older, &newer_all));
        self.newer_all = Some(newer_all);
        all
    }

    /// Takes out the oldest.
    fn pop(&mut self, and: impl Fn(&A, &A) -> A) {
        if self.older.is_empty() {
            self.newer_all = None;
            while let Some((came, item)) = self.newer.pop() {
                let all = self.older.last().map_or_else(|| item.clone(), |(_, younger)| and(&item, younger));
                self.older.push((came, all));
            }
        }
        self.older.pop();
    }
}
