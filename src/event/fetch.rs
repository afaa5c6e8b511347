//! Getting events for a consumer.

use super::keeper::Shared;
use super::{Delivered, Error, Group};
use crate::stream::{Answer, Backoff};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

/// Asks for new events and for what others left behind, a batch at a time.
pub(super) struct Fetch {
    group: Group,
    shared: Arc<Shared>,
    reading: Option<Answer<Result<Vec<Delivered>, Error>>>,
    /// When to look for what others left behind.
    claim_at: Instant,
    /// What an answer that never arrived may have delivered is to be asked for.
    unsure: bool,
    failures: u32,
}

/// Events asked for at a time.
const BATCH: usize = 256;

/// The pauses between attempts to reach a backend that is away.
fn patience() -> Backoff {
    Backoff::exponential(Duration::from_millis(50), Duration::from_secs(1))
}

impl Fetch {
    pub(super) fn new(group: Group, shared: Arc<Shared>) -> Self {
        // A consumer that comes back under its name goes on with what it had.
        let unsure = group.consumer.is_some();
        Self { group, shared, reading: None, claim_at: Instant::now(), unsure, failures: 0 }
    }

    /// The next events; waits until there are some and the consumer has room for them. They are in hand then.
    ///
    /// An error is one that a retry does not mend; asking again goes on after a pause.
    pub(super) async fn next(&mut self) -> Result<Vec<Delivered>, Error> {
        loop {
            match self.attempt().await {
                Ok(delivered) => {
                    self.failures = 0;
                    if !delivered.is_empty() {
                        self.shared.take(delivered.iter().map(|delivered| delivered.entry.id));
                        return Ok(delivered);
                    }
                }
                Err(error) => self.failed(error).await?,
            }
        }
    }

    async fn attempt(&mut self) -> Result<Vec<Delivered>, Error> {
        let room = self.shared.room().min(BATCH);
        if room == 0 && self.reading.is_none() {
            self.shared.room.notified().await;
            return Ok(Vec::new());
        }
        let (log, consumer) = (&self.shared.log, &self.shared.consumer);
        if self.unsure {
            let forgotten = log.forgotten(consumer, self.shared.in_hand()).await?;
            self.unsure = false;
            return Ok(forgotten);
        }
        let claim_at = self.shared.claim_at().map_or(self.claim_at, |sooner| sooner.min(self.claim_at));
        if claim_at <= Instant::now() && room > 0 {
            let claimed = log.claim(consumer, self.group.lease, room).await?;
            self.shared.claiming();
            // A full batch says that there may be more.
            if claimed.len() < room {
                self.claim_at = Instant::now() + self.claim_interval();
            }
            if !claimed.is_empty() {
                return Ok(claimed);
            }
        }
        let reading = self.reading.get_or_insert_with(|| log.read(consumer, room));
        tokio::select! {
            biased;
            read = &mut *reading => {
                self.reading = None;
                read
            }
            () = sleep_until(claim_at), if room > 0 => Ok(Vec::new()),
            () = self.shared.room.notified() => Ok(Vec::new()),
        }
    }

    async fn failed(&mut self, error: Error) -> Result<(), Error> {
        self.reading = None;
        match error {
            Error::NoGroup { .. } => {
                warn!(consumer = ?self.shared.consumer, "the group or its log is gone; it is made again");
                // Whatever comes into a log made anew is behind its start.
                let start = super::EventId::MIN;
                let Group { log, name, .. } = &self.group;
                match self.shared.log.create_group(log.name(), name, start).await {
                    Ok(_) => return Ok(()),
                    Err(error) if error.is_retryable() => {}
                    Err(error) => return Err(error),
                }
            }
            error if error.is_retryable() => {
                if self.failures == 0 {
                    warn!(consumer = ?self.shared.consumer, %error, "events cannot be read; it is tried again");
                }
                self.unsure = true;
            }
            error => {
                sleep(patience().wait(self.failures).unwrap_or_default()).await;
                self.failures += 1;
                return Err(error);
            }
        }
        sleep(patience().wait(self.failures).unwrap_or_default()).await;
        self.failures += 1;
        Ok(())
    }

    /// Often enough that a dead consumer's events are taken up soon after its lease has ended.
    fn claim_interval(&self) -> Duration {
        (self.group.lease / 4).clamp(Duration::from_millis(10), Duration::from_secs(5))
    }
}

/// What `ask` answers, asked again as long as the backend is out of reach.
pub(super) async fn patiently<R>(mut ask: impl FnMut() -> Answer<Result<R, Error>>) -> Result<R, Error> {
    let mut failures = 0;
    loop {
        match ask().await {
            Err(error) if error.is_retryable() => {
                if failures == 0 {
                    warn!(%error, "a log cannot be read; it is tried again");
                }
                sleep(patience().wait(failures).unwrap_or_default()).await;
                failures += 1;
            }
            other => return other,
        }
    }
}
