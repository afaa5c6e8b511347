//! The latest items of many streams.

use super::budget::Budget;
use futures::Stream;
use futures::stream::SelectAll;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The latest items of many streams, in the streams' order, a new list for each new item.
///
/// Without any stream it ends at once. See [`CombineLatestAll`].
///
/// ```text
/// A  1-----2-----|
/// B  ---3-----4--|
///    ---a--b--c--|   a = [1, 3], b = [2, 3], c = [2, 4]
/// ```
pub fn combine_latest_all<I>(streams: I) -> CombineLatestAll<I::Item>
where
    I: IntoIterator<Item: Stream>,
{
    let mut sources = SelectAll::new();
    for (index, stream) in streams.into_iter().enumerate() {
        sources.push(Numbered { index, stream: Some(Box::pin(stream)) });
    }
    CombineLatestAll {
        latest: std::iter::repeat_with(|| None).take(sources.len()).collect(),
        missing: sources.len(),
        sources,
    }
}

/// Stream of [`combine_latest_all`].
///
/// - **Emits when** any stream gives an item and all have given one.
/// - **Back-pressures when** its consumer does.
/// - **Completes when** all have ended, or one has without an item (no list can follow).
/// - **Cancels when** dropped, all streams with it; each stream is dropped when it ends.
///
/// Memory: one item and one allocation a stream, and a new `Vec` of clones for each item emitted. Only the
/// streams that have something to say are polled. Source: ReactiveX `CombineLatest`, RxPY `combine_latest`.
///
/// ```
/// use futures::{StreamExt, stream};
/// use mape::stream::combine_latest_all;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let sensors = [stream::iter([20]), stream::iter([21]), stream::iter([19])];
/// assert_eq!(combine_latest_all(sensors).collect::<Vec<_>>().await, [[20, 21, 19]]);
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct CombineLatestAll<S: Stream> {
    sources: SelectAll<Numbered<S>>,
    latest: Vec<Option<S::Item>>,
    missing: usize,
}

// Nothing in it is pinned in place: the streams are boxed.
impl<S: Stream> Unpin for CombineLatestAll<S> {}

impl<S> Stream for CombineLatestAll<S>
where
    S: Stream,
    S::Item: Clone,
{
    type Item = Vec<S::Item>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let mut budget = Budget::new();
        loop {
            let Some((index, item)) = ready!(Pin::new(&mut this.sources).poll_next(cx)) else {
                return Poll::Ready(None);
            };
            let Some(slot) = this.latest.get_mut(index) else { continue };
            match item {
                Some(item) => {
                    if slot.replace(item).is_none() {
                        this.missing -= 1;
                    }
                    if this.missing == 0 {
                        return Poll::Ready(Some(this.latest.iter().flatten().cloned().collect()));
                    }
                }
                None if slot.is_none() => {
                    this.sources.clear();
                    return Poll::Ready(None);
                }
                None => {}
            }
            if !budget.spend_or_wake(cx) {
                return Poll::Pending;
            }
        }
    }
}

/// A stream whose items carry its place; its end is an item too.
struct Numbered<S> {
    index: usize,
    stream: Option<Pin<Box<S>>>,
}

impl<S: Stream> Stream for Numbered<S> {
    type Item = (usize, Option<S::Item>);

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        let item = ready!(stream.as_mut().poll_next(cx));
        if item.is_none() {
            self.stream = None;
        }
        Poll::Ready(Some((self.index, item)))
    }
}
