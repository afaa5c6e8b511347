//! A goal as a tree that is judged from its leaves up.

use super::bound::Bound;
use super::deadline::Deadline;
use super::ratio::Ratio;
use super::response::Response;
use super::window::Window;
use super::{Error, Margin};
use std::time::Duration;

/// A part of a goal, with what it remembers.
pub(super) enum Node<T> {
    Bound(Box<Bound<T>>),
    Not(Box<Node<T>>),
    And(Box<Pair<T>>),
    Or(Box<Pair<T>>),
    Window(Box<Window<T>>),
    Ratio(Box<Ratio<T>>),
    Response(Box<Response<T>>),
    Deadline(Deadline),
}

/// Two parts, with the margins that they had last.
pub(super) struct Pair<T> {
    pub(super) parts: [Node<T>; 2],
    pub(super) last: [Margin; 2],
}

/// One moment at which all of a goal is judged.
pub(super) struct Moment<'a, T> {
    pub(super) now: Duration,
    /// What came at this moment, if it is not just time that goes on.
    pub(super) item: Option<&'a T>,
    /// A signal below had a sample in the item.
    pub(super) sampled: bool,
    /// When the margin changes next if nothing comes.
    pub(super) next: Option<Duration>,
    /// The margin changes as time goes on.
    pub(super) moves: bool,
    /// The first thing that was wrong with the item.
    pub(super) error: Option<Error>,
    /// How often a window had too many entries.
    pub(super) coarsened: u64,
}

impl<T> Moment<'_, T> {
    /// Something changes then.
    pub(super) fn changes(&mut self, at: Duration) {
        if at > self.now {
            self.next = Some(self.next.map_or(at, |next| next.min(at)));
        }
    }
}

impl<T> Pair<T> {
    pub(super) fn new(one: Node<T>, other: Node<T>) -> Self {
        Self { parts: [one, other], last: [Margin::UNKNOWN; 2] }
    }

    fn judge(&mut self, moment: &mut Moment<'_, T>) -> [Margin; 2] {
        let [one, other] = &mut self.parts;
        self.last = [one.judge(moment), other.judge(moment)];
        self.last
    }
}

impl<T> Node<T> {
    /// Its margin at a moment. Moments come in order of time.
    pub(super) fn judge(&mut self, moment: &mut Moment<'_, T>) -> Margin {
        match self {
            Self::Bound(bound) => bound.judge(moment),
            Self::Not(part) => part.judge(moment).not(),
            Self::And(pair) => {
                let [one, other] = pair.judge(moment);
                one.and(other)
            }
            Self::Or(pair) => {
                let [one, other] = pair.judge(moment);
                one.or(other)
            }
            Self::Window(window) => window.judge(moment),
            Self::Ratio(ratio) => ratio.judge(moment),
            Self::Response(response) => response.judge(moment),
            Self::Deadline(deadline) => deadline.judge(moment),
        }
    }

    /// Signals that do not say when they are stale are so after this time.
    pub(super) fn stale_after(&mut self, after: Duration) {
        match self {
            Self::Bound(bound) => bound.stale_after = bound.stale_after.or(Some(after)),
            Self::Not(part) => part.stale_after(after),
            Self::And(pair) | Self::Or(pair) => {
                pair.parts.iter_mut().for_each(|part| part.stale_after(after));
            }
            Self::Window(window) => window.part.stale_after(after),
            Self::Ratio(ratio) => ratio.part.stale_after(after),
            Self::Response(response) => {
                response.answer.stale_after(after);
                response.trigger.stale_after(after);
            }
            Self::Deadline(_) => {}
        }
    }

    /// How far back it matters what its parts came to; not what signals were like, which they know themselves. Nothing
    /// if there is no end to that.
    pub(super) fn memory(&self) -> Option<Duration> {
        match self {
            Self::Bound(_) | Self::Deadline(_) => Some(Duration::ZERO),
            Self::Not(part) => part.memory(),
            Self::And(pair) | Self::Or(pair) => {
                let [one, other] = &pair.parts;
                Some(one.memory()?.max(other.memory()?))
            }
            Self::Window(window) => Some(window.part.memory()?.saturating_add(window.span)),
            // What its part was like counts at items only.
            Self::Ratio(ratio) => ratio.part.memory(),
            Self::Response(_) => None,
        }
    }

    /// The unit of its margin; empty if it has none, or several.
    pub(super) fn unit(&self) -> &str {
        match self {
            Self::Bound(bound) => bound.unit(),
            Self::Not(part) => part.unit(),
            Self::And(pair) | Self::Or(pair) => {
                let [one, other] = &pair.parts;
                if one.unit() == other.unit() { one.unit() } else { "" }
            }
            Self::Window(window) => window.part.unit(),
            Self::Ratio(_) => "",
            Self::Response(_) | Self::Deadline(_) => "s",
        }
    }
}

impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Bound(bound) => Self::Bound(bound.clone()),
            Self::Not(part) => Self::Not(part.clone()),
            Self::And(pair) => Self::And(pair.clone()),
            Self::Or(pair) => Self::Or(pair.clone()),
            Self::Window(window) => Self::Window(window.clone()),
            Self::Ratio(ratio) => Self::Ratio(ratio.clone()),
            Self::Response(response) => Self::Response(response.clone()),
            Self::Deadline(deadline) => Self::Deadline(deadline.clone()),
        }
    }
}

impl<T> Clone for Pair<T> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone(), last: self.last }
    }
}
