//! What the samples of a window come to: their mean, or one of their quantiles.

use super::LARGEST;
use std::collections::VecDeque;
use std::time::Duration;

/// So many samples leave one by one; if there are more, what is left is sorted anew.
const FEW: usize = 16;

/// What is made of the samples of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Figure {
    Mean,
    /// The smallest sample that a share of this size does not exceed.
    Quantile(f64),
}

/// The samples of the last `span` and what they come to.
#[derive(Clone, Debug)]
pub(super) struct Rolling {
    figure: Figure,
    span: Duration,
    samples: VecDeque<(Duration, f64, f64)>,
    values: Sum,
    uncertainties: Sum,
    /// Lower and upper ends, in order; only for quantiles.
    low: Vec<f64>,
    high: Vec<f64>,
    removed: usize,
}

impl Rolling {
    pub(super) fn new(figure: Figure, span: Duration) -> Self {
        Self {
            figure,
            span,
            samples: VecDeque::new(),
            values: Sum::default(),
            uncertainties: Sum::default(),
            low: Vec::new(),
            high: Vec::new(),
            removed: 0,
        }
    }

    pub(super) fn figure(&self) -> (Figure, Duration) {
        (self.figure, self.span)
    }

    /// Adds a sample; `true` if the oldest had to leave early for it.
    pub(super) fn push(&mut self, now: Duration, value: f64, uncertainty: f64) -> bool {
        self.samples.push_back((now, value, uncertainty));
        if let Figure::Quantile(_) = self.figure {
            insert(&mut self.low, value - uncertainty);
            insert(&mut self.high, value + uncertainty);
        } else {
            self.values.add(value);
            self.uncertainties.add(uncertainty);
        }
        let full = self.samples.len() > LARGEST;
        if full {
            self.pop();
        }
        full
    }

    pub(super) fn expire(&mut self, now: Duration) {
        let span = self.span;
        let leaving = self.samples.partition_point(|(at, _, _)| at.saturating_add(span) <= now);
        if leaving > FEW {
            self.samples.drain(..leaving);
            self.recount();
        } else {
            (0..leaving).for_each(|_| self.pop());
        }
    }

    pub(super) fn leaves(&self) -> Option<Duration> {
        self.samples.front().map(|(at, _, _)| at.saturating_add(self.span))
    }

    fn pop(&mut self) {
        let Some((_, value, uncertainty)) = self.samples.pop_front() else { return };
        if let Figure::Quantile(_) = self.figure {
            remove(&mut self.low, value - uncertainty);
            remove(&mut self.high, value + uncertainty);
            return;
        }
        self.removed += 1;
        if self.removed > self.samples.len() {
            // What was added and taken away again leaves rounding errors; so it is added up anew now and then.
            self.recount();
        } else {
            self.values.add(-value);
            self.uncertainties.add(-uncertainty);
        }
    }

    /// Makes everything anew of the samples.
    fn recount(&mut self) {
        if let Figure::Quantile(_) = self.figure {
            let sorted = |end: fn(f64, f64) -> f64| {
                let mut all: Vec<_> = self.samples.iter().map(|(_, value, off)| end(*value, *off)).collect();
                all.sort_unstable_by(f64::total_cmp);
                all
            };
            (self.low, self.high) = (sorted(|value, off| value - off), sorted(|value, off| value + off));
            return;
        }
        self.removed = 0;
        (self.values, self.uncertainties) = (Sum::default(), Sum::default());
        for (_, value, uncertainty) in &self.samples {
            self.values.add(*value);
            self.uncertainties.add(*uncertainty);
        }
    }

    /// The value and its uncertainty, unless there are no samples.
    pub(super) fn value(&self) -> Option<(f64, f64)> {
        let count = self.samples.len();
        if count == 0 {
            return None;
        }
        match self.figure {
            Figure::Mean => {
                let count = count as f64;
                Some((self.values.value() / count, (self.uncertainties.value() / count).max(0.0)))
            }
            Figure::Quantile(q) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "between 0 and count"
                )]
                let rank = (q.clamp(0.0, 1.0) * count as f64).ceil() as usize;
                let index = rank.saturating_sub(1).min(count - 1);
                let (low, high) = (*self.low.get(index)?, *self.high.get(index)?);
                Some((low + (high - low) / 2.0, (high - low) / 2.0))
            }
        }
    }
}

fn insert(sorted: &mut Vec<f64>, value: f64) {
    let at = sorted.partition_point(|other| other.total_cmp(&value).is_lt());
    sorted.insert(at, value);
}

fn remove(sorted: &mut Vec<f64>, value: f64) {
    let at = sorted.partition_point(|other| other.total_cmp(&value).is_lt());
    if at < sorted.len() {
        sorted.remove(at);
    }
}

/// A sum that remembers what rounding took away (Neumaier 1974).
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost +=
            if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn value(self) -> f64 {
        self.sum + self.lost
    }
}
