//! One run and what it took.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has to stop")]

use std::time::{Duration, Instant};

/// How much was done in which time.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// How many items.
    pub count: u64,
    /// The time that passed.
    pub wall: Duration,
    /// The time for which this thread had a processor.
    pub cpu: Duration,
}

impl Run {
    /// None at all.
    pub const NONE: Self = Self { count: 0, wall: Duration::ZERO, cpu: Duration::ZERO };

    /// Does the work as a task of its own, as a program would, and takes the time. On a current-thread runtime the
    /// processor's time is that of all its tasks.
    ///
    /// # Panics
    ///
    /// If the work does.
    pub async fn of(count: u64, work: impl Future<Output = ()> + Send + 'static) -> Self {
        let (clock, before) = (Instant::now(), thread_time());
        tokio::spawn(work).await.unwrap();
        let (wall, after) = (clock.elapsed(), thread_time());
        Self { count, wall, cpu: after.saturating_sub(before) }
    }

    /// The same run without the processor's time, for work that other threads do as well.
    #[must_use]
    pub fn wall_only(self) -> Self {
        Self { cpu: Duration::ZERO, ..self }
    }

    /// Items a second.
    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.wall.as_secs_f64()
    }
}

/// The time for which this thread has had a processor (Linux).
fn thread_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}
