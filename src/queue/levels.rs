//! Whose turn it is.

use futures::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Streams of rising priority as one: among those that have something, each gets twice as many turns as the one below, by
/// stride scheduling (Waldspurger and Weihl, 1995), so that none ever waits for ever. It ends never.
pub(super) struct Levels<S: Stream> {
    levels: Vec<Level<S>>,
    /// The place of the level that had the last turn.
    pass: u64,
}

struct Level<S: Stream> {
    stream: S,
    ready: Option<S::Item>,
    /// How far a turn takes it.
    stride: u64,
    pass: u64,
}

/// How far a turn takes the lowest of eight levels.
const STRIDE: u64 = 1 << 20;

impl<S: Stream> Levels<S> {
    /// From the lowest on.
    pub(super) fn new(streams: impl IntoIterator<Item = S>) -> Self {
        let level = |(n, stream)| Level { stream, ready: None, stride: STRIDE >> n, pass: 0 };
        Self { levels: streams.into_iter().enumerate().map(level).collect(), pass: 0 }
    }
}

impl<S: Stream + Unpin> Stream for Levels<S>
where
    S::Item: Unpin,
{
    /// Which level it comes from, and the item.
    type Item = (usize, S::Item);

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        for level in &mut this.levels {
            if level.ready.is_none()
                && let Poll::Ready(Some(item)) = Pin::new(&mut level.stream).poll_next(cx)
            {
                level.ready = Some(item);
                // Who had nothing saves no turns.
                level.pass = level.pass.max(this.pass);
            }
        }
        let ready = this.levels.iter_mut().enumerate().filter(|(_, level)| level.ready.is_some());
        // Of those that are as far, the higher one.
        let next = ready.min_by_key(|(n, level)| (level.pass, usize::MAX - n));
        let Some((n, level)) = next else { return Poll::Pending };
        this.pass = level.pass;
        level.pass += level.stride;
        Poll::Ready(level.ready.take().map(|item| (n, item)))
    }
}
