//! A goal at work, item by item.

use super::formula::Why;
use super::node::{Moment, Node};
use super::{Error, Margin};
use std::fmt;
use std::time::Duration;

/// A goal at work: gets items with their times, and knows the margin. It knows no clock, so recorded items are judged as
/// they were. Made by [`Goal::judge`](super::Goal::judge).
///
/// Times count from wherever one likes, and only go on.
pub struct Judge<T> {
    node: Node<T>,
    now: Option<Duration>,
    next: Option<Duration>,
    moves: bool,
    margin: Margin,
    coarsened: u64,
}

impl<T> Judge<T> {
    pub(super) fn new(node: Node<T>) -> Self {
        Self { node, now: None, next: None, moves: false, margin: Margin::UNKNOWN, coarsened: 0 }
    }

    /// The margin with one more item.
    ///
    /// # Errors
    /// [`Error::Late`]: the item is left out. [`Error::NotFinite`], [`Error::Uncertainty`]: one of its samples is left
    /// out, everything else in it counts.
    pub fn item(&mut self, at: Duration, item: &T) -> Result<Margin, Error> {
        let by = self.now.unwrap_or_default().saturating_sub(at);
        if !by.is_zero() {
            return Err(Error::Late { by });
        }
        self.pass(at);
        self.judge(at, Some(item))
    }

    /// The margin as time goes on without an item. Nothing changes if the time is not later than the last.
    pub fn advance(&mut self, to: Duration) -> Margin {
        if self.now.is_none_or(|now| to > now) {
            self.pass(to);
            // Without an item there is nothing that could be wrong with it.
            let _ = self.judge(to, None);
        }
        self.margin
    }

    /// Everything that changes before that time, and still matters then.
    fn pass(&mut self, to: Duration) {
        let from = self.node.memory().and_then(|memory| to.checked_sub(memory));
        if let Some(from) = from.filter(|from| self.next.is_some_and(|next| next < *from)) {
            let _ = self.judge(from, None);
        }
        while let Some(next) = self.next.filter(|next| *next < to) {
            let _ = self.judge(next, None);
        }
    }

    fn judge(&mut self, now: Duration, item: Option<&T>) -> Result<Margin, Error> {
        let mut moment =
            Moment { now, item, sampled: false, next: None, moves: false, error: None, coarsened: 0 };
        self.margin = self.node.judge(&mut moment);
        (self.now, self.next, self.moves) = (Some(now), moment.next, moment.moves);
        self.coarsened += moment.coarsened;
        moment.error.map_or(Ok(self.margin), Err)
    }

    /// The margin at the last time.
    #[must_use]
    pub fn margin(&self) -> Margin {
        self.margin
    }

    /// The last time.
    pub(super) fn now(&self) -> Option<Duration> {
        self.now
    }

    /// When it changes next if no item comes, other than by itself as a time that is left does. It may turn out to be
    /// the same.
    #[must_use]
    pub fn next_change(&self) -> Option<Duration> {
        self.next
    }

    /// The margin changes as time goes on, for time is running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.moves
    }

    /// How often a window had more than 65,536 entries: then an `always` or `eventually` gets a wider margin, and the
    /// oldest items leave a ratio, mean or quantile early.
    #[must_use]
    pub fn coarsened(&self) -> u64 {
        self.coarsened
    }

    /// In plain words what the margin comes from.
    #[must_use]
    pub fn why(&self) -> String {
        let now = self.now.unwrap_or_default();
        Why { part: &self.node, margin: self.margin, now, past: false }.to_string()
    }
}

impl<T> fmt::Debug for Judge<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge")
            .field("goal", &format_args!("{}", self.node))
            .field("now", &self.now)
            .field("margin", &self.margin)
            .finish_non_exhaustive()
    }
}
