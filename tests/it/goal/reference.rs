//! A naive evaluator of formulas: every part at every millisecond and item, by the definitions.

use super::ms;
use mape::goal::{Goal, Sample, Signal, State};

/// What comes: two signals, of which either may be missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) x: Option<f64>,
    pub(super) x_uncertainty: f64,
    pub(super) y: Option<f64>,
    pub(super) on: bool,
}

/// A moment: an item, or a millisecond without one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) at: u64,
    pub(super) item: Option<Item>,
}

/// Low and high.
pub(super) type Interval = (f64, f64);
const UNKNOWN: Interval = (f64::NEG_INFINITY, f64::INFINITY);

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    X,
    Y,
    MeanOfY(u64),
    QuantileOfY(f64, u64),
}

#[derive(Clone, Debug)]
pub(super) enum Formula {
    Below(What, f64),
    Above(What, f64),
    Between(What, f64, f64),
    On,
    Not(Box<Formula>),
    And(Box<Formula>, Box<Formula>),
    Or(Box<Formula>, Box<Formula>),
    Implies(Box<Formula>, Box<Formula>),
    Always(u64, Box<Formula>),
    Eventually(u64, Box<Formula>),
    Ratio(f64, u64, Box<Formula>),
    WithinAfter(Box<Formula>, u64, Box<Formula>),
    Deadline(u64),
}

use Formula::*;

impl Formula {
    /// The same for the library.
    pub(super) fn goal(&self) -> Goal<Item> {
        match self {
            Below(what, bound) => what.signal().below(*bound),
            Above(what, bound) => what.signal().above(*bound),
            Between(what, from, to) => what.signal().between(*from..=*to),
            On => Goal::is("on", |item: &Item| item.on),
            Not(part) => !part.goal(),
            And(one, other) => one.goal().and(other.goal()),
            Or(one, other) => one.goal().or(other.goal()),
            Implies(one, other) => one.goal().implies(other.goal()),
            Always(span, part) => part.goal().always(ms(*span)),
            Eventually(span, part) => part.goal().eventually(ms(*span)),
            Ratio(share, span, part) => part.goal().ratio(*share, ms(*span)),
            WithinAfter(answer, limit, trigger) => answer.goal().within(ms(*limit)).after(trigger.goal()),
            Deadline(period) => Goal::deadline(ms(*period)),
        }
    }

    /// Its margin at each point.
    pub(super) fn margins(&self, points: &[Point], stale: u64) -> Vec<Interval> {
        let of = |part: &Formula| part.margins(points, stale);
        let both = |one: &Formula, other: &Formula, join: fn(f64, f64) -> f64| -> Vec<Interval> {
            of(one).iter().zip(of(other)).map(|(a, b)| (join(a.0, b.0), join(a.1, b.1))).collect()
        };
        match self {
            Below(what, bound) => each(&what.values(points, stale), |value| bound - value),
            Above(what, bound) => each(&what.values(points, stale), |value| value - bound),
            Between(what, from, to) => {
                // The extremes over the interval of the value, in quarters of what values are made of.
                let inside = |value: f64| (value - from).min(to - value);
                let of = |(low, high): Interval| {
                    if low.is_infinite() {
                        return UNKNOWN;
                    }
                    let tried = (0..).map(|n| low + f64::from(n) / 16.0).take_while(|value| *value <= high);
                    tried
                        .map(inside)
                        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
                };
                what.values(points, stale).into_iter().map(of).collect()
            }
            On => {
                let on = points.iter().scan(None, |last: &mut Option<(u64, bool)>, point| {
                    *last = point.item.map(|item| (point.at, item.on)).or(*last);
                    Some(last.filter(|(at, _)| point.at < at + stale).map_or(UNKNOWN, |(_, on)| {
                        let margin = if on { 1.0 } else { -1.0 };
                        (margin, margin)
                    }))
                });
                on.collect()
            }
            Not(part) => of(part).iter().map(|(low, high)| (-high, -low)).collect(),
            And(one, other) => both(one, other, f64::min),
            Or(one, other) => both(one, other, f64::max),
            Implies(one, other) => {
                of(one).iter().zip(of(other)).map(|(a, b)| ((-a.1).max(b.0), (-a.0).max(b.1))).collect()
            }
            Always(span, part) => window(points, &of(part), *span, f64::min),
            Eventually(span, part) => window(points, &of(part), *span, f64::max),
            Ratio(share, span, part) => ratio(points, &of(part), *share, *span, |item| part.is_sampled(item)),
            WithinAfter(answer, limit, trigger) => {
                let (answer, trigger) = (of(answer), of(trigger));
                let begun = trigger.iter().position(|margin| *margin != UNKNOWN).unwrap_or(usize::MAX);
                let left = |i: usize, since: Option<usize>| {
                    let limit = *limit as f64 / 1e3;
                    since.map_or(limit, |j| limit - (points[i].at - points[j].at) as f64 / 1e3)
                };
                let all = (0..points.len()).map(|i| {
                    let answered = |j: usize| (j..=i).any(|k| answer[k].0 >= 0.0);
                    let may_be_answered = |j: usize| (j..=i).any(|k| answer[k].1 >= 0.0);
                    // A doubt lasts until it is known that there is no trigger.
                    let may_ask = |j: usize| {
                        j >= begun
                            && trigger[j].0 < 0.0
                            && trigger[j].1 >= 0.0
                            && (j..=i).all(|k| trigger[k].1 >= 0.0 || answer[k].0 >= 0.0)
                    };
                    let low = (0..=i).find(|j| (trigger[*j].0 >= 0.0 || may_ask(*j)) && !answered(*j));
                    let high = (0..=i).find(|j| trigger[*j].0 >= 0.0 && !may_be_answered(*j));
                    // As long as nothing is known of the trigger, nothing is known from below.
                    (if i < begun { f64::NEG_INFINITY } else { left(i, low) }, left(i, high))
                });
                all.collect()
            }
            Deadline(period) => {
                let left = points.iter().scan(points[0].at, |last, point| {
                    *last = if point.item.is_some() { point.at } else { *last };
                    let left = *period as f64 / 1e3 - (point.at - *last) as f64 / 1e3;
                    Some((left, left))
                });
                left.collect()
            }
        }
    }

    /// The item says something of one of its signals.
    fn is_sampled(&self, item: &Item) -> bool {
        match self {
            Below(what, _) | Above(what, _) | Between(what, ..) => match what {
                What::X => item.x.is_some(),
                _ => item.y.is_some(),
            },
            On => true,
            Not(part) | Always(_, part) | Eventually(_, part) | Ratio(_, _, part) => part.is_sampled(item),
            And(one, other) | Or(one, other) | Implies(one, other) | WithinAfter(one, _, other) => {
                one.is_sampled(item) || other.is_sampled(item)
            }
            Deadline(_) => false,
        }
    }
}

impl What {
    fn signal(self) -> Signal<Item> {
        let y = Signal::new("y", |item: &Item| item.y);
        match self {
            Self::X => Signal::new("x", |item: &Item| {
                item.x.map(|value| Sample::new(value).plus_minus(item.x_uncertainty))
            }),
            Self::Y => y,
            Self::MeanOfY(span) => y.mean(ms(span)),
            Self::QuantileOfY(q, span) => y.quantile(q, ms(span)),
        }
    }

    fn values(self, points: &[Point], stale: u64) -> Vec<Interval> {
        let sample = |point: &Point| {
            let item = point.item?;
            match self {
                Self::X => item.x.map(|x| (x - item.x_uncertainty, x + item.x_uncertainty)),
                _ => item.y.map(|y| (y, y)),
            }
        };
        let at = |i: usize| {
            let now = points[i].at;
            let before = || points[..=i].iter().rev();
            let Some((last, held)) = before().find_map(|p| Some((p.at, sample(p)?))) else { return UNKNOWN };
            if now >= last + stale {
                return UNKNOWN;
            }
            let within = |span: u64| -> Vec<f64> {
                before().filter(|p| p.at + span > now).filter_map(|p| Some(sample(p)?.0)).collect()
            };
            match self {
                Self::X | Self::Y => held,
                Self::MeanOfY(span) => {
                    let values = within(span);
                    let mean = values.iter().sum::<f64>() / values.len() as f64;
                    if values.is_empty() { UNKNOWN } else { (mean, mean) }
                }
                Self::QuantileOfY(q, span) => {
                    let mut values = within(span);
                    values.sort_by(f64::total_cmp);
                    let share = |value: f64| values.iter().filter(|other| **other <= value).count() as f64;
                    let found = values.iter().find(|value| share(**value) >= q * values.len() as f64);
                    found.map_or(UNKNOWN, |value| (*value, *value))
                }
            }
        };
        (0..points.len()).map(at).collect()
    }
}

fn each(values: &[Interval], margin: impl Fn(f64) -> f64) -> Vec<Interval> {
    values
        .iter()
        .map(|(low, high)| (margin(*low).min(margin(*high)), margin(*low).max(margin(*high))))
        .collect()
}

/// The extreme over what was in the last `span`: all points in it, and what was held when it began.
fn window(points: &[Point], part: &[Interval], span: u64, join: fn(f64, f64) -> f64) -> Vec<Interval> {
    let at = |i: usize| {
        let now = points[i].at;
        let mut all: Vec<Interval> =
            (0..=i).filter(|j| points[*j].at + span > now).map(|j| part[j]).collect();
        let held = (0..=i).rev().find(|j| points[*j].at + span <= now);
        all.push(held.map_or(UNKNOWN, |j| part[j]));
        all.into_iter().reduce(|a, b| (join(a.0, b.0), join(a.1, b.1))).unwrap()
    };
    (0..points.len()).map(at).collect()
}

fn ratio(
    points: &[Point],
    part: &[Interval],
    wanted: f64,
    span: u64,
    counts: impl Fn(&Item) -> bool,
) -> Vec<Interval> {
    let at = |i: usize| {
        let items: Vec<State> = (0..=i)
            .filter(|j| {
                points[*j].at + span > points[i].at && points[*j].item.is_some_and(|item| counts(&item))
            })
            .map(|j| state(part[j]))
            .collect();
        if items.is_empty() {
            return (-wanted, 1.0 - wanted);
        }
        let share = |which: &[State]| {
            items.iter().filter(|state| which.contains(state)).count() as f64 / items.len() as f64
        };
        (share(&[State::Met]) - wanted, share(&[State::Met, State::Unknown]) - wanted)
    };
    (0..points.len()).map(at).collect()
}

/// The state of a margin, by the definition.
pub(super) fn state((low, high): Interval) -> State {
    match (low >= 0.0, high < 0.0) {
        (true, _) => State::Met,
        (_, true) => State::Violated,
        _ => State::Unknown,
    }
}
