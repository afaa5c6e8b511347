//! What travels and is kept in these benchmarks.

use serde::{Deserialize, Serialize};

/// A measured value, about 55 bytes as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Who measured it.
    pub sensor: String,
    /// What was measured.
    pub celsius: f64,
    /// Its number.
    pub tick: u64,
}

impl Reading {
    /// The reading of this number, always the same.
    pub fn number(tick: u64) -> Self {
        let (sensor, celsius) = (format!("boiler-{}", tick % 100), 20.0 + (tick % 1000) as f64 / 8.0);
        Self { sensor, celsius, tick }
    }

    /// Those of the numbers below `count`.
    pub fn below(count: u64) -> impl Iterator<Item = Self> + Clone + Send + 'static {
        (0..count).map(Self::number)
    }

    /// What the numbers below `count` add up to.
    pub fn sum(count: u64) -> u64 {
        (0..count).sum()
    }
}
