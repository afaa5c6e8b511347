//! Metrics of one name.

use crate::stream::meter;
use std::borrow::Cow;

/// All metrics of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name, with the unit and without the `_total` of counters.
    pub name: Cow<'static, str>,
    /// What it means, in a sentence.
    pub help: &'static str,
    /// What becomes of its values.
    pub kind: FamilyKind,
    /// In what it is measured: `seconds`, `bytes`, or empty where things are counted.
    pub unit: &'static str,
    /// One for each set of labels.
    pub samples: Vec<Sample>,
}

/// What becomes of the values of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyKind {
    /// It only grows, until the process ends.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often values of each size were seen.
    Histogram,
}

/// One metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What tells it apart from the others of its family.
    pub labels: Vec<(&'static str, String)>,
    /// Its value now.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a counter that counts things.
    Count(u64),
    /// Of a gauge, or of a counter of what is no whole number.
    Number(f64),
    /// Of a histogram.
    Histogram(Box<Histogram>),
}

/// How often durations of each size were seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// How many are in each bucket; [`bound`](meter::Histogram::bound) says where it ends.
    pub counts: [u64; meter::BUCKETS],
    /// All durations together, in seconds.
    pub sum: f64,
}

impl Histogram {
    /// How many durations there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl From<&meter::Histogram> for Histogram {
    fn from(from: &meter::Histogram) -> Self {
        Self { counts: from.counts(), sum: from.sum() }
    }
}

impl Value {
    /// Both together: what two things with the same labels have.
    pub(super) fn join(&mut self, other: Self) {
        match (self, other) {
            (Self::Count(a), Self::Count(b)) => *a += b,
            (Self::Number(a), Self::Number(b)) => *a += b,
            (Self::Histogram(a), Self::Histogram(b)) => {
                a.counts.iter_mut().zip(b.counts).for_each(|(a, b)| *a += b);
                a.sum += b.sum;
            }
            (one, other) => *one = other,
        }
    }
}
