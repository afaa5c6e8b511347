//! What is wanted, and how goals are put together.

use super::bound::{Bound, Limit};
use super::deadline::Deadline;
use super::node::{Node, Pair};
use super::ratio::Ratio;
use super::response::Response;
use super::window::Window;
use super::{Judge, Signal, Verdict, Watch};
use futures::Stream;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How often the margin is told while the state stays the same, unless told otherwise.
pub(super) const REPORT_EVERY: Duration = Duration::from_secs(1);

/// When an item happened, if not when it comes.
pub(super) type Clock<T> = Arc<dyn Fn(&T) -> SystemTime + Send + Sync>;

/// What is wanted of the items of type `T`: a description, which [`watch`](Self::watch), [`judge`](Self::judge) or
/// [`Loop::goal`](crate::app::Loop::goal) puts to work.
///
/// It begins with the bound of a [`Signal`], or for items that are numbers themselves with [`Goal::below`] and the like,
/// and is put together from there.
///
/// | goal | is met when | margin |
/// |---|---|---|
/// | `signal.below(b)`, `.above(b)`, `.between(a..=b)` | the signal keeps the bound | to the bound |
/// | [`Goal::is`] | a condition holds | 1 or -1 |
/// | [`always`](Self::always)`(w)` | it was met throughout the last `w` | the worst |
/// | [`eventually`](Self::eventually)`(w)` | it was met at least once in the last `w` | the best |
/// | [`ratio`](Self::ratio)`(share, w)` | it was met at this share of the items of the last `w` | of the shares |
/// | [`within`](Self::within)`(d).after(trigger)` | it was met soon enough each time after the trigger | seconds left |
/// | [`Goal::deadline`]`(d)` | items keep coming | seconds left |
/// | [`and`](Self::and), [`or`](Self::or), [`not`](Self::not), [`implies`](Self::implies) | as they say | smaller, larger, other sign |
///
/// A margin of `and` and `or` compares the margins of the parts as numbers, so it says most where they have one unit.
///
/// ```
/// use mape::goal::{Goal, Signal, State};
/// use std::time::Duration;
///
/// let secs = Duration::from_secs;
/// let goal = Signal::new("distance", |metres: &f64| *metres).unit("m").above(20.0).always(secs(3));
/// assert_eq!(goal.to_string(), "always in 3 s (distance >= 20 m)");
///
/// let mut judge = goal.judge();
/// assert_eq!(judge.item(secs(0), &25.0)?.state(), State::Unknown); // who knows what was before
/// assert_eq!(judge.advance(secs(3)).state(), State::Met);
/// assert_eq!(judge.item(secs(4), &12.0)?.state(), State::Violated);
/// assert_eq!(judge.margin().centre(), Some(-8.0));
/// assert_eq!(judge.why(), "distance 12 m was below 20 m in the last 3 s");
/// # Ok::<(), mape::goal::Error>(())
/// ```
#[must_use = "a goal is a description, which nobody follows yet"]
pub struct Goal<T> {
    pub(super) node: Node<T>,
    pub(super) clock: Option<Clock<T>>,
    pub(super) stale_after: Option<Duration>,
    /// If it was said.
    pub(super) report_every: Option<Duration>,
}

impl<T> Clone for Goal<T> {
    fn clone(&self) -> Self {
        Self { node: self.node.clone(), clock: self.clock.clone(), ..*self }
    }
}

/// What goals begin with.
impl<T> Goal<T> {
    fn new(node: Node<T>) -> Self {
        Self { node, clock: None, stale_after: None, report_every: None }
    }

    pub(super) fn bounded(signal: Signal<T>, limit: Limit) -> Self {
        Self::new(Node::Bound(Box::new(Bound::new(signal, limit))))
    }

    /// A condition on the last item; its margin is 1 where it holds, else -1.
    ///
    /// ```
    /// use mape::goal::Goal;
    ///
    /// struct Crossing { train_near: bool, gate_closed: bool }
    /// let closed = Goal::is("gate closed", |c: &Crossing| c.gate_closed);
    /// let goal = Goal::is("train near", |c: &Crossing| c.train_near).implies(closed);
    /// assert_eq!(goal.to_string(), "not train near or gate closed");
    /// ```
    pub fn is(name: impl Into<Arc<str>>, condition: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        let signal = Signal::new(name, move |item: &T| if condition(item) { 1.0 } else { 0.0 });
        Self::bounded(signal, Limit::Holds)
    }

    /// Items have to keep coming: each within `period` after the one before, the first within `period` after the
    /// beginning. The margin is the time that is left, in seconds; an item exactly at the end is in time.
    ///
    /// Source: the deadline policy of DDS (OMG Data Distribution Service 1.4, 2.2.3.7).
    pub fn deadline(period: Duration) -> Self {
        Self::new(Node::Deadline(Deadline::new(period)))
    }
}

/// Goals on items that are numbers themselves.
impl<T: Copy + Into<f64> + 'static> Goal<T> {
    fn value() -> Signal<T> {
        Signal::new("value", |item: &T| (*item).into())
    }

    /// The last item is at most `bound`.
    pub fn below(bound: f64) -> Self {
        Self::value().below(bound)
    }

    /// The last item is at least `bound`.
    pub fn above(bound: f64) -> Self {
        Self::value().above(bound)
    }

    /// The last item is within these bounds.
    pub fn between(bounds: RangeInclusive<f64>) -> Self {
        Self::value().between(bounds)
    }
}

/// How goals are put together.
impl<T> Goal<T> {
    fn with(mut self, other: Self, join: impl FnOnce(Node<T>, Node<T>) -> Node<T>) -> Self {
        let least = |one: Option<Duration>, other: Option<Duration>| one.into_iter().chain(other).min();
        self.clock = self.clock.or(other.clock);
        self.stale_after = least(self.stale_after, other.stale_after);
        self.report_every = least(self.report_every, other.report_every);
        self.node = join(self.node, other.node);
        self
    }

    /// Both are met.
    pub fn and(self, other: Self) -> Self {
        self.with(other, |one, other| Node::And(Box::new(Pair::new(one, other))))
    }

    /// At least one of both is met.
    pub fn or(self, other: Self) -> Self {
        self.with(other, |one, other| Node::Or(Box::new(Pair::new(one, other))))
    }

    /// It is violated; also as `!goal`. At a margin of exactly 0 both a goal and its opposite are met.
    #[allow(
        clippy::should_implement_trait,
        reason = "the trait is implemented, and this reads better in a chain"
    )]
    pub fn not(mut self) -> Self {
        self.node = Node::Not(Box::new(self.node));
        self
    }

    /// When it is met, the other one is as well: `self.not().or(other)`.
    pub fn implies(self, other: Self) -> Self {
        self.not().or(other)
    }

    /// It was met throughout the last `window`. As long as the window reaches back before the first sample, this can be
    /// violated but not met.
    ///
    /// Around a goal whose margin is a time (`within … after`, `deadline`) it counts what that was at items, at the end
    /// of that time, and now.
    #[doc(alias = "historically")]
    #[doc(alias = "globally")]
    #[doc(alias = "holds_for")]
    pub fn always(mut self, window: Duration) -> Self {
        self.node = Node::Window(Box::new(Window::new(self.node, true, window)));
        self
    }

    /// It was met at least once in the last `window`, that is, it was never violated for as long as that. As long as the
    /// window reaches back before the first sample, this can be met but not violated.
    ///
    /// Around a goal whose margin is a time, see [`always`](Self::always).
    #[doc(alias = "once")]
    #[doc(alias = "finally")]
    pub fn eventually(mut self, window: Duration) -> Self {
        self.node = Node::Window(Box::new(Window::new(self.node, false, window)));
        self
    }

    /// It was met at a share of at least `at_least` (0 to 1) of the items that came in the last `window`. Only items
    /// with a sample of one of its signals count; where it is unknown whether it was met at some of them, so may be this.
    /// The margin is the difference of the shares.
    pub fn ratio(mut self, at_least: f64, window: Duration) -> Self {
        self.node = Node::Ratio(Box::new(Ratio::new(self.node, at_least, window)));
        self
    }

    /// What has to be met within `limit` after something else: say [`after`](Within::after) what.
    pub fn within(self, limit: Duration) -> Within<T> {
        Within { response: self, limit }
    }

    /// Signals are unknown once their last sample is this old. A part for which it was said already keeps that. Without
    /// it a signal holds its last sample for ever.
    ///
    /// Where [`time`](Self::time) is said, age is told by the times of items, and besides, if for this long no item
    /// comes by tokio's clock, nothing is known. Of goals that are put together the shortest such time counts for that.
    /// Items that are left out do not count as having come.
    pub fn stale_after(mut self, age: Duration) -> Self {
        self.node.stale_after(age);
        self.stale_after = Some(self.stale_after.map_or(age, |other| other.min(age)));
        self
    }

    /// When an item happened. Time then goes on with items only, in their order; one that is older than another before it
    /// is an [error](super::Error::Late) and left out, and so is one that is [ahead](super::Error::Ahead) of the clock by
    /// more than a day: after it all others would be late. By default an item happens when it comes.
    pub fn time(mut self, time: impl Fn(&T) -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(time));
        self
    }

    /// How often a changed margin is told while the state stays the same. The default is a second; zero tells it with
    /// each item, and only then. Changes of state are always told at once. Of goals that are put together the shortest
    /// interval that was said counts.
    pub fn report_every(mut self, interval: Duration) -> Self {
        self.report_every = Some(interval);
        self
    }

    /// Puts it to work on items that are handed over one by one, with their times.
    pub fn judge(&self) -> Judge<T> {
        Judge::new(self.node.clone())
    }

    /// Puts it to work on a stream: what it comes to is told as [`Verdict`]s of this name.
    pub fn watch<S: Stream<Item = T>>(&self, name: impl Into<Arc<str>>, items: S) -> Watch<S, T> {
        Watch::new(self.clone(), name.into(), items)
    }

    /// The verdict before anything came.
    pub(crate) fn before(&self, name: Arc<str>, at: SystemTime) -> Verdict {
        Verdict {
            goal: name,
            state: super::State::Unknown,
            margin: None,
            uncertainty: None,
            unit: self.node.unit().into(),
            at,
            since: at,
            why: "it was not judged yet".into(),
            formula: self.to_string().into(),
        }
    }
}

impl<T> std::ops::Not for Goal<T> {
    type Output = Self;
    fn not(self) -> Self {
        Goal::not(self)
    }
}

/// Something that has to be met within a time; made by [`Goal::within`].
#[must_use = "say after what"]
pub struct Within<T> {
    response: Goal<T>,
    limit: Duration,
}

impl<T> Within<T> {
    /// Whenever `trigger` is met, the goal before is met at that moment or at most the limit later; exactly then is in
    /// time. While it still may be, it counts as met, and the margin is the time left for the oldest that is not
    /// answered, in seconds. When nothing is due, it is all of the limit. What the trigger may have been while it was
    /// unknown leaves the goal unknown only until it is known not to be met; as long as nothing was ever known of it, the
    /// goal is unknown.
    ///
    /// Source: bounded response, `always (trigger -> eventually[0, limit] response)`.
    ///
    /// ```
    /// use mape::goal::{Goal, State};
    /// use std::time::Duration;
    ///
    /// let secs = Duration::from_secs;
    /// let mut judge = Goal::<i32>::below(0.0).within(secs(5)).after(Goal::above(10.0)).judge();
    /// judge.item(secs(0), &11)?;
    /// assert_eq!((judge.advance(secs(4)).low, judge.advance(secs(7)).low), (1.0, -2.0));
    /// assert_eq!(judge.why(), "value <= 0 is overdue by 2 s");
    /// assert_eq!(judge.item(secs(8), &-1)?.state(), State::Met);
    /// assert_eq!(judge.why(), "nothing is due, the last time it took 8 s");
    /// # Ok::<(), mape::goal::Error>(())
    /// ```
    pub fn after(self, trigger: Goal<T>) -> Goal<T> {
        let limit = self.limit;
        self.response.with(trigger, |response, trigger| {
            Node::Response(Box::new(Response::new(response, trigger, limit)))
        })
    }
}

impl<T> fmt::Debug for Within<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Within").field("response", &self.response).field("limit", &self.limit).finish()
    }
}

impl<T> fmt::Display for Goal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl<T> fmt::Debug for Goal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Goal").field(&format_args!("{self}")).finish()
    }
}
