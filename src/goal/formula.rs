//! A goal in words: its formula, and why it is as it is.

use super::bound::{Bound, Limit};
use super::duration::{Length, Number};
use super::node::{Node, Pair};
use super::ratio::Ratio;
use super::response::Response;
use super::rolling::Figure;
use super::window::Window;
use super::{Margin, Signal, State};
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

impl<T> Display for Node<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound(bound) => bound.fmt(f),
            Self::Not(part) => write!(f, "not {}", Inner(part)),
            Self::And(pair) => write!(f, "{} and {}", Inner(&pair.parts[0]), Inner(&pair.parts[1])),
            Self::Or(pair) => write!(f, "{} or {}", Inner(&pair.parts[0]), Inner(&pair.parts[1])),
            Self::Window(window) => {
                let word = if window.always { "always" } else { "eventually" };
                write!(f, "{word} in {} ({})", Length(window.span), window.part)
            }
            Self::Ratio(ratio) => {
                let percent = Number(ratio.wanted * 100.0, "%");
                write!(f, "in {percent} of {} ({})", Length(ratio.span), ratio.part)
            }
            Self::Response(r) => {
                write!(f, "{} within {} after {}", Inner(&r.answer), Length(r.limit), Inner(&r.trigger))
            }
            Self::Deadline(deadline) => write!(f, "an item every {}", Length(deadline.period)),
        }
    }
}

/// A part inside of another one, in parentheses where it needs them.
struct Inner<'a, T>(&'a Node<T>);

impl<T> Display for Inner<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Node::And(_) | Node::Or(_) | Node::Response(_) => write!(f, "({})", self.0),
            part => part.fmt(f),
        }
    }
}

impl<T> Display for Bound<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (signal, unit) = (Named(&self.signal), self.unit());
        match self.limit {
            Limit::Below(bound) => write!(f, "{signal} <= {}", Number(bound, unit)),
            Limit::Above(bound) => write!(f, "{signal} >= {}", Number(bound, unit)),
            Limit::Between(from, to) => write!(f, "{signal} in {} to {}", Number(from, ""), Number(to, unit)),
            Limit::Holds => signal.fmt(f),
        }
    }
}

/// A signal with what is made of its samples.
struct Named<'a, T>(&'a Signal<T>);

impl<T> Display for Named<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.0.name;
        match self.0.rolling.as_ref().map(super::rolling::Rolling::figure) {
            None => f.write_str(name),
            Some((Figure::Mean, window)) => write!(f, "mean of {name} in {}", Length(window)),
            Some((Figure::Quantile(q), window)) => {
                write!(f, "{} quantile of {name} in {}", Number(q, ""), Length(window))
            }
        }
    }
}

/// Why a part had a margin.
pub(super) struct Why<'a, T> {
    pub(super) part: &'a Node<T>,
    pub(super) margin: Margin,
    pub(super) now: Duration,
    /// It was so at some time in a window; what the part is like now does not matter.
    pub(super) past: bool,
}

impl<'a, T> Why<'a, T> {
    fn of(&self, part: &'a Node<T>, margin: Margin) -> Self {
        Self { part, margin, now: self.now, past: self.past }
    }

    fn bound(&self, bound: &Bound<T>, f: &mut Formatter<'_>) -> fmt::Result {
        let (signal, unit) = (Named(&bound.signal), bound.unit());
        let (Some(centre), Some(uncertainty)) = (self.margin.centre(), self.margin.uncertainty()) else {
            return match bound.sampled_at {
                Some(at) if !self.past && bound.value.is_none() => {
                    write!(f, "the last sample of {signal} is {} old", Length(self.now.saturating_sub(at)))
                }
                _ => write!(f, "nothing is known of {signal}"),
            };
        };
        let is = if self.past { "was" } else { "is" };
        let state = self.margin.state();
        let value = match bound.limit {
            Limit::Holds => {
                let word = match (state, self.past) {
                    (State::Met, false) => "holds",
                    (State::Met, true) => "held",
                    (_, false) => "does not hold",
                    (_, true) => "did not hold",
                };
                return write!(f, "{signal} {word}");
            }
            Limit::Above(limit) => limit + centre,
            Limit::Below(limit) => limit - centre,
            Limit::Between(..) => match bound.value {
                Some((value, _)) if !self.past => value,
                _ => return write!(f, "{bound} {is} off by {}", Number(-centre, unit)),
            },
        };
        write!(f, "{signal} {}", Number(value, if uncertainty > 0.0 { "" } else { unit }))?;
        if uncertainty > 0.0 {
            write!(f, " ± {}", Number(uncertainty, unit))?;
        }
        let may = if state == State::Unknown { "may be" } else { is };
        match (bound.limit, state) {
            (Limit::Above(limit), State::Met) => write!(f, " {may} at least {}", Number(limit, unit)),
            (Limit::Above(limit), _) => write!(f, " {may} below {}", Number(limit, unit)),
            (Limit::Below(limit), State::Met) => write!(f, " {may} at most {}", Number(limit, unit)),
            (Limit::Below(limit), _) => write!(f, " {may} above {}", Number(limit, unit)),
            (Limit::Between(from, to), State::Met) => {
                write!(f, " {may} within {} to {}", Number(from, ""), Number(to, unit))
            }
            (Limit::Between(from, to), _) => {
                write!(f, " {may} outside {} to {}", Number(from, ""), Number(to, unit))
            }
            (Limit::Holds, _) => Ok(()),
        }
    }

    /// The one of two parts that decides.
    fn decides(&self, pair: &'a Pair<T>, all: bool) -> Self {
        let [one, other] = &pair.last;
        let first = match (self.margin.state(), all) {
            (State::Unknown, _) => one.state() == State::Unknown,
            (State::Violated, true) => one.high <= other.high,
            (State::Met, true) => one.low <= other.low,
            (State::Violated, false) => one.high >= other.high,
            (State::Met, false) => one.low >= other.low,
        };
        let (part, margin) = if first { (&pair.parts[0], *one) } else { (&pair.parts[1], *other) };
        self.of(part, margin)
    }

    fn window(&self, window: &'a Window<T>, f: &mut Formatter<'_>) -> fmt::Result {
        let span = Length(window.span);
        let state = self.margin.state();
        let Some(centre) = self.margin.centre() else {
            return write!(f, "nothing is known of {} in the last {span}", window.part);
        };
        if window.part.is_single() {
            // What is only known from one side is that so far.
            let so_far = Margin { low: centre, high: centre };
            let margin = if self.margin.uncertainty().is_some() { self.margin } else { so_far };
            Why { part: &window.part, margin, now: self.now, past: true }.fmt(f)?;
        } else {
            write!(f, "{} had a margin of {}", window.part, Number(centre, window.part.unit()))?;
        }
        match (state, window.always) {
            (State::Unknown, _) => write!(f, " so far, but not all of the last {span} is known for certain"),
            (State::Violated, true) | (State::Met, false) => write!(f, " in the last {span}"),
            (State::Met, true) => write!(f, " at the worst of the last {span}"),
            (State::Violated, false) => write!(f, " at the best of the last {span}"),
        }
    }

    fn ratio(ratio: &Ratio<T>, f: &mut Formatter<'_>) -> fmt::Result {
        let (items, met) = ratio.items();
        let (span, wanted) = (Length(ratio.span), Number(ratio.wanted * 100.0, "%"));
        if items == 0 {
            return write!(f, "there were no items in the last {span}");
        }
        let share = Number((met as f64 / items as f64 * 1e3).round() / 10.0, "%");
        write!(
            f,
            "{} in {share} of the {items} items of the last {span}, {wanted} is wanted",
            Inner(&ratio.part)
        )
    }

    fn response(&self, response: &Response<T>, f: &mut Formatter<'_>) -> fmt::Result {
        let answer = Inner(&response.answer);
        let left = |seconds: f64| Length(Duration::try_from_secs_f64(seconds.abs()).unwrap_or_default());
        match (self.margin.state(), response.is_due()) {
            (State::Violated, _) => write!(f, "{answer} is overdue by {}", left(self.margin.high)),
            (State::Unknown, _) if self.margin.low.is_infinite() => {
                write!(f, "nothing is known of {}", Inner(&response.trigger))
            }
            (State::Unknown, _) => write!(f, "{answer} may be overdue by {}", left(self.margin.low)),
            (State::Met, true) => write!(f, "{answer} is due in {}", left(self.margin.low)),
            (State::Met, false) => {
                write!(f, "nothing is due")?;
                response.took.map_or(Ok(()), |took| write!(f, ", the last time it took {}", Length(took)))
            }
        }
    }
}

impl<T> Display for Why<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.part {
            Node::Bound(bound) => self.bound(bound, f),
            // That the part is violated is why this is met; the words for the part say how it is.
            Node::Not(part) => self.of(part, self.margin.not()).fmt(f),
            Node::And(pair) => self.decides(pair, true).fmt(f),
            Node::Or(pair) => self.decides(pair, false).fmt(f),
            Node::Window(window) => self.window(window, f),
            Node::Ratio(ratio) => Self::ratio(ratio, f),
            Node::Response(response) => self.response(response, f),
            Node::Deadline(deadline) => {
                let left = self.margin.centre().unwrap_or_default();
                let passed = deadline.period.as_secs_f64() - left;
                let passed = Length(Duration::try_from_secs_f64(passed).unwrap_or_default());
                write!(f, "the last item came {passed} ago, one is wanted every {}", Length(deadline.period))
            }
        }
    }
}

impl<T> Node<T> {
    /// Its margin tells what its only signal was like.
    fn is_single(&self) -> bool {
        match self {
            Self::Bound(_) => true,
            Self::Not(part) => part.is_single(),
            _ => false,
        }
    }
}
