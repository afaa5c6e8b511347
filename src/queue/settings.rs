//! How a queue works.

use super::Error;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a queue works. All processes that use it should say the same; what was said last counts for those that say nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = QueueSettings))]
#[serde(default)]
pub struct Settings {
    /// How many jobs a worker has in hand at a time, at least 1. Default: 10.
    pub concurrency: usize,
    /// How many levels of priority there are, 1 to 8. Default: 1.
    pub priorities: u8,
    /// How many jobs may be begun in a time, by all workers together. Default: any number.
    pub rate: Option<Rate>,
    /// How many times a job is tried before it goes to the dead letters, at least once. What a killed worker had in hand
    /// counts as tried, also the few jobs (with several levels of priority) that it had got and not begun. Default: 5.
    pub attempts: u32,
    /// How long after a failure it is tried again; twice as long after each further one. Default: 1 s.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "http", schema(value_type = u64, default = 1000))]
    pub retry_after: Duration,
    /// The longest of these waits. Default: 5 min.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "http", schema(value_type = u64, default = 300_000))]
    pub retry_at_most: Duration,
    /// How long one attempt may take, for functions made by [`working`](super::working). Default: any time.
    #[serde(with = "millis::option")]
    #[cfg_attr(feature = "http", schema(value_type = Option<u64>))]
    pub timeout: Option<Duration>,
    /// For how long a [key](super::NewJob::key) keeps other jobs with it out. Default: 24 h.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "http", schema(value_type = u64, default = 86_400_000))]
    pub unique_for: Duration,
    /// How long after the last sign of life of a worker others take its jobs. As long as it lives it gives a sign every
    /// third of it, so a job may take any time. Default: 3 s.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "http", schema(value_type = u64, default = 3000))]
    pub lease: Duration,
    /// How many outcomes are kept, about; 0 keeps none, and nobody is told of any. Default: 10,000.
    pub keep: u64,
    /// How many bytes a job may have as JSON. A result that has more is told as `null`. Default: 1 MiB.
    pub max_bytes: usize,
}

/// So many jobs in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = QueueRate))]
pub struct Rate {
    /// How many jobs.
    pub jobs: u32,
    /// In which time.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "http", schema(value_type = u64))]
    pub per: Duration,
}

impl Rate {
    /// So many jobs a second.
    #[must_use]
    pub const fn per_second(jobs: u32) -> Self {
        Self { jobs, per: Duration::from_secs(1) }
    }

    /// The time between two jobs.
    pub(super) fn spacing(self) -> Duration {
        self.per / self.jobs.max(1)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 10,
            priorities: 1,
            rate: None,
            attempts: 5,
            retry_after: Duration::from_secs(1),
            retry_at_most: Duration::from_mins(5),
            timeout: None,
            unique_for: Duration::from_hours(24),
            lease: Duration::from_secs(3),
            keep: 10_000,
            max_bytes: 1024 * 1024,
        }
    }
}

/// The most levels of priority.
pub(super) const MOST_LEVELS: u8 = 8;
/// The longest of all times here.
pub(super) const LONGEST: Duration = Duration::from_hours(24 * 365 * 100);
/// The most jobs that a worker may have in hand.
const MOST_AT_A_TIME: usize = 65_536;
/// The shortest lease.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);

impl Settings {
    /// Says what is wrong with them, for a queue of this name.
    ///
    /// # Errors
    /// [`Error::Settings`].
    pub fn check(&self, queue: &str) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Settings { queue: queue.to_owned(), reason });
        if !(1..=MOST_AT_A_TIME).contains(&self.concurrency) {
            return wrong(format!("concurrency is {}: write 1 to {MOST_AT_A_TIME}", self.concurrency));
        }
        if !(1..=MOST_LEVELS).contains(&self.priorities) {
            return wrong(format!("priorities is {}: write 1 to 8", self.priorities));
        }
        if self.attempts == 0 {
            return wrong("attempts is 0: a job is tried at least once".to_owned());
        }
        if self.lease < SHORTEST_LEASE {
            return wrong(format!("lease is {:?}: write 100 ms or more", self.lease));
        }
        let times = [self.retry_after, self.retry_at_most, self.unique_for, self.lease];
        if times.into_iter().chain(self.rate.map(|rate| rate.per)).any(|time| time > LONGEST) {
            return wrong("a time is longer than 100 years".to_owned());
        }
        let times = [Some(self.retry_after), Some(self.retry_at_most), Some(self.unique_for), self.timeout];
        let is_too_short = |time: Duration| !time.is_zero() && time < Duration::from_millis(1);
        if times.into_iter().chain([self.rate.map(|rate| rate.per)]).flatten().any(is_too_short) {
            return wrong("a time is shorter than 1 ms: write 1ms or more".to_owned());
        }
        if let Some(rate) = self.rate
            && (rate.jobs == 0 || rate.spacing().is_zero())
        {
            let Rate { jobs, per } = rate;
            return wrong(format!(
                "rate is {jobs} jobs in {per:?}: leave it out for any number, or pause the queue"
            ));
        }
        if self.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return wrong("timeout is 0: leave it out for any time".to_owned());
        }
        Ok(())
    }

    /// How long is waited before the attempt behind this one, counted from 1.
    pub(super) fn pause_after(&self, attempt: u32) -> Duration {
        let doubled = attempt.saturating_sub(1).min(31);
        self.retry_after.saturating_mul(1 << doubled).min(self.retry_at_most)
    }
}

/// Times as numbers of milliseconds.
mod millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }

    pub(super) mod option {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};
        use std::time::Duration;

        #[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
        pub(in super::super) fn serialize<S: Serializer>(
            time: &Option<Duration>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Duration>, D::Error> {
            Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
        }
    }
}
