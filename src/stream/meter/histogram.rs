//! Durations, counted by size.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How many sizes are told apart: up to 1.024 µs, twice that, and so on to 17.2 s, and all above.
pub const BUCKETS: usize = 26;
/// The first bucket ends at two to the power of this many nanoseconds.
const FIRST: u32 = 10;

/// How often durations of each size were seen: buckets whose bounds double, from 1 µs to 17 s.
///
/// Recording is two relaxed atomic additions, from any thread. A quantile is interpolated inside its bucket, so it is
/// at most a factor of two away from the true one, and mostly much nearer.
///
/// ```
/// use mape::stream::meter::Histogram;
/// use std::time::Duration;
///
/// let latency = Histogram::default();
/// for _ in 0..99 {
///     latency.record(Duration::from_micros(100));
/// }
/// latency.record(Duration::from_secs(2));
/// assert_eq!(latency.count(), 100);
/// assert!(latency.quantile(0.5) < 0.0002);
/// assert!(latency.quantile(1.0) > 1.0);
/// ```
#[derive(Debug)]
pub struct Histogram {
    counts: [AtomicU64; BUCKETS],
    nanoseconds: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: std::array::from_fn(|_| AtomicU64::new(0)), nanoseconds: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts one duration.
    #[inline]
    pub fn record(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get(bucket(nanoseconds)) {
            count.fetch_add(1, Relaxed);
        }
        self.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts().iter().sum()
    }

    /// All of them together, in seconds.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.nanoseconds.load(Relaxed) as f64 / 1e9
    }

    /// How many of each size.
    #[must_use]
    pub fn counts(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|i| self.counts.get(i).map_or(0, |count| count.load(Relaxed)))
    }

    /// The upper bound of a bucket in seconds; infinite for the last.
    #[must_use]
    pub fn bound(bucket: usize) -> f64 {
        match u32::try_from(bucket) {
            Ok(i) if bucket + 1 < BUCKETS => (1_u64 << (FIRST + i)) as f64 / 1e9,
            _ => f64::INFINITY,
        }
    }

    /// The duration in seconds that a share of `q` (0 to 1) of all stays below; 0 when there are none.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        quantile(&self.counts(), q)
    }

    /// What people look at.
    #[must_use]
    pub fn latency(&self) -> Latency {
        let counts = self.counts();
        Latency {
            count: counts.iter().sum(),
            p50_seconds: quantile(&counts, 0.5),
            p99_seconds: quantile(&counts, 0.99),
        }
    }
}

#[inline]
fn bucket(nanoseconds: u64) -> usize {
    // The number of the highest bit of what is above the first bound.
    let above = u64::BITS - (nanoseconds.saturating_sub(1) >> FIRST).leading_zeros();
    (above as usize).min(BUCKETS - 1)
}

fn quantile(counts: &[u64; BUCKETS], q: f64) -> f64 {
    let all: u64 = counts.iter().sum();
    let upto = q.clamp(0.0, 1.0) * all as f64;
    let mut below = 0.0;
    for (i, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let count = *count as f64;
        if below + count >= upto {
            let from = if i == 0 { 0.0 } else { Histogram::bound(i - 1) };
            let to = if i + 1 == BUCKETS { 2.0 * from } else { Histogram::bound(i) };
            return from + (to - from) * ((upto - below) / count).clamp(0.0, 1.0);
        }
        below += count;
    }
    0.0
}

/// How long something takes, in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct Latency {
    /// How many were measured: of items that travel in batches, one a batch.
    pub count: u64,
    /// Half of them took no longer, in seconds.
    pub p50_seconds: f64,
    /// All but one in a hundred took no longer, in seconds.
    pub p99_seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_where_its_bound_says() {
        for i in 0..BUCKETS - 1 {
            let bound = 1_u64 << (FIRST + u32::try_from(i).unwrap());
            assert_eq!(bucket(bound), i);
            assert_eq!(bucket(bound + 1), i + 1);
        }
        assert_eq!((bucket(0), bucket(u64::MAX)), (0, BUCKETS - 1));
    }
}
