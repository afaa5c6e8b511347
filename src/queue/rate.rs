//! How many jobs are begun in a time.

use super::queue::Shared;
use super::settings::Rate;
use crate::knowledge::{Data, Error, Transaction, ValueCommand};
use crate::stream::{Backoff, clock};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep};
use tracing::warn;

/// Lets the workers of a queue begin so many jobs in a time, all together, evenly spread: a virtual scheduling algorithm
/// (GCRA, ITU-T I.371) whose theoretical arrival time is kept in the backend. Each takes what it may begin in the next 50 ms
/// at a time, so the clocks of all have to agree to about that.
pub(super) struct Limiter {
    queue: Arc<Shared>,
    rate: Option<Rate>,
    /// How many more may begin, and until when.
    granted: u32,
    until: Instant,
}

/// For how long ahead a worker takes what it may begin.
const AHEAD: Duration = Duration::from_millis(50);
/// So many turns lie ahead at most; what is further was said by a clock that was wrong.
const TURNS: u32 = 1000;

impl Limiter {
    pub(super) fn new(queue: Arc<Shared>) -> Self {
        let rate = queue.settings.rate;
        Self { queue, rate, granted: 0, until: Instant::now() }
    }

    /// Whether another job may begin at once.
    pub(super) fn has_passed(&self) -> bool {
        // What was not used in its time is gone: it would come on top of what others begin.
        self.rate.is_none() || (self.granted > 0 && Instant::now() < self.until)
    }

    /// Ends when another job may begin.
    ///
    /// # Cancel safety
    /// Dropping the future may give away what could have begun.
    pub(super) async fn pass(&mut self) {
        let Some(rate) = self.rate else { return };
        if !self.has_passed() {
            let spacing = rate.spacing();
            let many = (AHEAD.as_nanos() / spacing.as_nanos().max(1)).clamp(1, u128::from(rate.jobs.max(1)));
            let many = u32::try_from(many).unwrap_or(u32::MAX);
            let wait = self.reserve(spacing.saturating_mul(many)).await;
            sleep(wait).await;
            self.granted = many;
            self.until = Instant::now() + AHEAD.max(spacing.saturating_mul(many));
        }
        self.took();
    }

    /// One more has begun.
    pub(super) const fn took(&mut self) {
        self.granted = self.granted.saturating_sub(1);
    }

    /// Takes the next free time of this length; how long it is until that begins.
    async fn reserve(&self, length: Duration) -> Duration {
        let backoff = Backoff::exponential(Duration::from_millis(5), Duration::from_secs(1));
        let mut failures = 0;
        loop {
            match self.attempt(length).await {
                Ok(Some(wait)) => return wait,
                // Others were faster.
                Ok(None) => {}
                Err(error) => {
                    if failures == 3 {
                        warn!(queue = %self.queue.keys.name(), %error, "the rate of a queue cannot be read; it waits");
                    }
                }
            }
            sleep(backoff.wait(failures).unwrap_or_default()).await;
            failures += 1;
        }
    }

    async fn attempt(&self, length: Duration) -> Result<Option<Duration>, Error> {
        let (store, key) = (&self.queue.store, self.queue.keys.rate());
        let held = store.run(&key, ValueCommand::Get.into()).await?.non_nil();
        let held = held.map(|held| held.data(&key)).transpose()?;
        let free: Option<u64> = held.as_ref().and_then(|held| held.as_str()?.parse().ok());
        let now = clock::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let most = now.saturating_add(length.max(Duration::from_secs(1)).saturating_mul(TURNS));
        let free = free.map(Duration::from_micros).filter(|free| *free <= most);
        let begin = free.unwrap_or(now).max(now);
        let end = begin + length;
        let kept = Data::from(end.as_micros().to_string());
        let transaction = match held {
            Some(held) => Transaction::new().expect_value(key.clone(), held),
            None => Transaction::new().expect_absent(key.clone()),
        };
        // Forgotten when it says nothing any more.
        let lasting = end.saturating_sub(now) + Duration::from_mins(1);
        match store.commit(transaction.set_for(key, kept, lasting)).await {
            Ok(_) => Ok(Some(begin.saturating_sub(now))),
            Err(Error::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
