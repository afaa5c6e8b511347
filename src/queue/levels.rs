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

impl<S: Stream + Unpin> Levels<S> {
    /// From the lowest on.
    pub(super) fn new(streams: impl IntoIterator<Item = S>) -> Self {
        let level = |(n, stream)| Level { stream, ready: None, stride: STRIDE >> n, pass: 0 };
        Self { levels: streams.into_iter().enumerate().map(level).collect(), pass: 0 }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    /// Lets go of what is ready, and does something with each stream.
    pub(super) fn empty(&mut self, mut f: impl FnMut(&mut S)) {
        for level in &mut self.levels {
            level.ready = None;
            f(&mut level.stream);
        }
    }

    /// Asks those that have nothing ready; ready itself when all have.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut all = Poll::Ready(());
        for level in &mut self.levels {
            if level.ready.is_none() {
                match Pin::new(&mut level.stream).poll_next(cx) {
                    Poll::Ready(Some(item)) => {
                        level.ready = Some(item);
                        // Who had nothing saves no turns.
                        level.pass = level.pass.max(self.pass);
                    }
                    _ => all = Poll::Pending,
                }
            }
        }
        all
    }

    /// The next item, and which level it comes from.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(usize, S::Item)> {
        let _ = self.poll_fill(cx);
        let ready = self.levels.iter_mut().enumerate().filter(|(_, level)| level.ready.is_some());
        // Of those that are as far, the higher one.
        let next = ready.min_by_key(|(n, level)| (level.pass, usize::MAX - n));
        let Some((n, level)) = next else { return Poll::Pending };
        self.pass = level.pass;
        level.pass += level.stride;
        level.ready.take().map_or(Poll::Pending, |item| Poll::Ready((n, item)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use std::task::Waker;

    fn turns(levels: &mut Levels<stream::Iter<std::vec::IntoIter<u8>>>, count: usize) -> Vec<usize> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut next = || match levels.poll(&mut cx) {
            Poll::Ready((level, _)) => Some(level),
            Poll::Pending => None,
        };
        std::iter::from_fn(&mut next).take(count).collect()
    }

    #[test]
    fn each_level_has_twice_the_turns_of_the_one_below() {
        let mut levels = Levels::new((0..3_u8).map(|n| stream::iter(vec![n; 1000])));
        let turns = turns(&mut levels, 700);
        let of = |level| turns.iter().filter(|turn| **turn == level).count();
        assert_eq!([of(0), of(1), of(2)], [100, 200, 400]);
    }

    #[test]
    fn a_level_that_had_nothing_gets_no_turns_for_that() {
        let mut levels = Levels::new([stream::iter(vec![0; 1000]), stream::iter(Vec::new())]);
        assert_eq!(turns(&mut levels, 500), vec![0; 500]);
        levels.levels[1].stream = stream::iter(vec![1; 1000]);
        let turns = turns(&mut levels, 30);
        // Two of three, and one for being first.
        assert_eq!(turns.iter().filter(|turn| **turn == 1).count(), 21, "{turns:?}");
    }
}
