//! Jobs that failed for good.

use super::job::{Head, JobId};
use super::queue::Queue;
use super::settings::MOST_LEVELS;
use super::{Error, metered};
use crate::event::{Entry, Event, EventId, Log};
use crate::knowledge::{self, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::time::Duration;

/// A job in the dead letters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeadJob {
    /// Where it is among the dead letters of its level.
    pub place: EventId,
    /// Its level of priority.
    pub priority: u8,
    /// Its id; none if what stood in the queue was no job.
    pub job: Option<JobId>,
    /// What was to be done; or all there is, if that was no job.
    pub data: Json,
    /// The key that it was added with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many times it was tried.
    pub attempts: u64,
    /// Why it is here.
    pub reason: String,
}

/// What the field `dead` says.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Dead {
    attempts: u64,
    reason: String,
}

/// How many are looked at in one go.
const PAGE: usize = 256;
/// For how long it is known that a dead job was replayed.
const KNOWN: Duration = Duration::from_hours(1);

impl Queue {
    /// The first `count` jobs in the dead letters, those of the highest priority first, of each the oldest first.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn dead(&self, count: usize) -> Result<Vec<DeadJob>, Error> {
        self.dead_of(count, None).await
    }

    /// The first dead jobs; all, or this one.
    pub(super) async fn dead_of(&self, count: usize, only: Option<&JobId>) -> Result<Vec<DeadJob>, Error> {
        let mut all = Vec::new();
        for level in (0..MOST_LEVELS).rev() {
            let log = self.dead_log(level);
            let mut after = EventId::MIN;
            while all.len() < count {
                let page = log.range(after, EventId::MAX, PAGE).await;
                let page = page.map_err(|error| self.shared().event_error(error))?;
                let Some(last) = page.last() else { break };
                after = last.id.next();
                let dead = page.iter().filter_map(|entry| read(entry, level));
                all.extend(dead.filter(|dead| only.is_none() || dead.job.as_ref() == only));
            }
        }
        all.truncate(count);
        Ok(all)
    }

    /// Queues a dead job again, as if it had just been added; its attempts begin anew.
    ///
    /// # Errors
    /// [`Error::NoJob`] if it is not there; what the backend says.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether it happens; doing it again does no harm.
    pub async fn replay(&self, job: &JobId) -> Result<(), Error> {
        self.each_dead(Some(job), true).await.and_then(|count| self.found(count, job))
    }

    /// Queues all dead jobs again; how many. What was never a job stays.
    ///
    /// # Errors
    /// What the backend says; some may be queued then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves those that were not reached where they are; none is queued twice.
    pub async fn replay_all(&self) -> Result<u64, Error> {
        self.each_dead(None, true).await
    }

    /// Takes a dead job away.
    ///
    /// # Errors
    /// [`Error::NoJob`] if it is not there; what the backend says.
    ///
    /// # Cancel safety
    /// As [`replay`](Self::replay).
    pub async fn discard(&self, job: &JobId) -> Result<(), Error> {
        self.each_dead(Some(job), false).await.and_then(|count| self.found(count, job))
    }

    /// Takes all dead jobs away, and what was none; how many.
    ///
    /// # Errors
    /// What the backend says; some may be gone then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves those that were not reached where they are.
    pub async fn discard_all(&self) -> Result<u64, Error> {
        self.each_dead(None, false).await
    }

    fn found(&self, count: u64, job: &JobId) -> Result<(), Error> {
        if count > 0 {
            return Ok(());
        }
        let place = "among its dead letters";
        Err(Error::NoJob { queue: self.name().to_owned(), job: job.clone(), place })
    }

    fn dead_log(&self, level: u8) -> Log {
        let shared = self.shared();
        shared.log(shared.keys.level(level)).dead_letters()
    }

    /// Replays or discards what is there now, all or those of one job; how many.
    async fn each_dead(&self, only: Option<&JobId>, replayed: bool) -> Result<u64, Error> {
        let shared = self.shared();
        let failed = |error| shared.event_error(error);
        let mut count = 0;
        for level in 0..MOST_LEVELS {
            let log = self.dead_log(level);
            // What fails again meanwhile is not replayed in a circle.
            let end = log.info().await.map_err(failed)?.last;
            let mut after = EventId::MIN;
            loop {
                let page = log.range(after, end, PAGE).await.map_err(failed)?;
                let Some(last) = page.last() else { break };
                after = last.id.next();
                let mut over = Vec::new();
                for entry in &page {
                    let job = entry
                        .event
                        .as_ref()
                        .ok()
                        .and_then(|event| event.get("job")?.as_str().map(JobId::from));
                    if only.is_some() && job.as_ref() != only {
                        continue;
                    }
                    if replayed {
                        let Some(event) = entry.event.as_ref().ok().and_then(as_added) else { continue };
                        self.replay_one(&log, entry.id, level, event).await?;
                    }
                    over.push(entry.id);
                }
                count += over.len() as u64;
                if !over.is_empty() {
                    log.delete(over).await.map_err(failed)?;
                }
                if after > end {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// Queues it again, once: if this ends before it is deleted, the next replay knows.
    async fn replay_one(&self, log: &Log, id: EventId, level: u8, event: Event) -> Result<(), Error> {
        let shared = self.shared();
        let mark = shared.keys.replayed(log.name(), id);
        let transaction = Transaction::new()
            .expect_absent(mark.clone())
            .set_for(mark, "1", KNOWN)
            .append(shared.served(level), event);
        match shared.store.commit(transaction).await {
            Ok(_) => shared.meter.add(metered::REPLAYED, 1),
            Err(knowledge::Error::Conflict(_)) => {}
            Err(error) => return Err(shared.error(error)),
        }
        Ok(())
    }
}

fn read(entry: &Entry, level: u8) -> Option<DeadJob> {
    let event = entry.event.as_ref().ok()?;
    let dead: Dead = event.json("dead").and_then(|dead| serde_json::from_str(dead).ok()).unwrap_or_default();
    let (job, key, data) = match (event.read::<Head>(), event.get("data")) {
        (Ok(head), Some(data)) => (Some(head.job), head.key, data),
        _ => (None, None, serde_json::from_str(&event.to_string()).unwrap_or_default()),
    };
    let Dead { attempts, reason } = dead;
    Some(DeadJob { place: entry.id, priority: level, job, data, key, attempts, reason })
}

/// The event as it was when it was added; nothing if it is no job.
fn as_added(event: &Event) -> Option<Event> {
    event.read::<Head>().ok().filter(|_| event.has("data"))?;
    let kept = event.fields().filter(|(name, _)| !matches!(*name, "dead" | "attempt" | "error"));
    kept.map(|(name, json)| (name, json.to_owned()))
        .try_fold(Event::default(), |event, (name, json)| event.with_json(name, json))
        .ok()
}
