//! Latches: who holds them, in what order, until when.

use super::super::{Error, RunId, Status, Time, history, keys};
use crate::knowledge::{self, Data, HashCommand, Key, KeyCommand, Store, Transaction};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// The latches of a backend. A latch is a hash of its holds; it is free when none of them counts.
///
/// A hold belongs to a run. It counts from its making until it is given back, its lease has ended, or the run is over:
/// that is looked up, not written down, so that nothing has to happen for it. A run that failed and is restarted holds
/// again what it held.
#[derive(Clone)]
pub(super) struct Latches {
    pub(super) store: Arc<dyn Store>,
}

/// What is kept of a hold, under a name that is the same for all attempts at the step that made it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Hold {
    run: RunId,
    since: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
}

/// A hold that counts.
#[derive(Debug)]
pub(super) struct Witness {
    pub(super) name: Data,
    pub(super) run: RunId,
    pub(super) until: Option<Time>,
}

/// Who does something to a latch: a step of a run, the same for all attempts at it.
pub(super) struct Step<'s> {
    pub(super) run: &'s RunId,
    pub(super) place: String,
    pub(super) since: Time,
}

impl Step<'_> {
    fn name(&self) -> String {
        format!("{}/{}@{}", self.run, self.place, self.since.micros())
    }
}

/// Marks a step that gave a hold back, among what is kept of its run.
const GIVEN_BACK: &str = "";

impl Latches {
    async fn holds(&self, latch: &Key) -> Result<Vec<(Data, Hold)>, Error> {
        let pairs = self.store.run(latch, HashCommand::All.into()).await?.pairs(latch)?;
        let holds = pairs.into_iter().filter_map(|(name, hold)| {
            let hold = serde_json::from_slice(&hold);
            let hold = hold.inspect_err(|error| tracing::warn!(%latch, %error, "a hold that cannot be read"));
            Some((name, hold.ok()?))
        });
        Ok(holds.collect())
    }

    /// Makes a hold. Done again by the same step it changes nothing.
    pub(super) async fn acquire(&self, latch: &str, by: &Step<'_>, until: Option<Time>) -> Result<(), Error> {
        let (key, name) = (keys::latch(latch), by.name());
        let hold = Hold { run: by.run.clone(), since: by.since, until };
        let hold = serde_json::to_vec(&hold)
            .map_err(|error| Error::Damaged { id: by.run.clone(), reason: error.to_string() })?;
        let making = Transaction::new()
            .expect_field(&key, name.as_str(), None)
            .hset(&key, name.as_str(), hold)
            .hset(keys::held(by.run), name, latch);
        match self.store.commit(making).await {
            Ok(_) | Err(knowledge::Error::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a hold back: the oldest of this run, or else the oldest of any. Done again by the same step it changes
    /// nothing.
    pub(super) async fn release(&self, latch: &str, by: &Step<'_>) -> Result<bool, Error> {
        let (key, mark, own) = (keys::latch(latch), by.name(), keys::held(by.run));
        loop {
            let known = HashCommand::Has(mark.as_str().into());
            if self.store.run(&own, known.into()).await?.flag(&own)? {
                return Ok(true);
            }
            let holds = self.holds(&key).await?;
            let oldest = holds.iter().min_by_key(|(name, hold)| {
                (hold.run != *by.run, hold.since, name.as_str().map(str::to_owned))
            });
            let Some((name, hold)) = oldest else { return Ok(false) };
            let was = self.store.run(&key, HashCommand::Get(name.clone()).into()).await?.non_nil();
            let Some(was) = was else { continue };
            let giving = Transaction::new()
                .expect_field(&key, name.clone(), Some(was.data(&key)?))
                .expect_field(&own, mark.as_str(), None)
                .hdel(&key, name.clone())
                .hdel(keys::held(&hold.run), name.clone())
                .hset(&own, mark.as_str(), GIVEN_BACK);
            match self.store.commit(giving).await {
                Ok(_) => return Ok(true),
                // Somebody else gave that one back: another may be left.
                Err(knowledge::Error::Conflict(_)) => tokio::task::yield_now().await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A hold that counts, if there is one: the newest, which is likely to stay longest. Those that cannot count any more
    /// are taken away.
    pub(super) async fn witness(&self, latch: &str) -> Result<Option<Witness>, Error> {
        let key = keys::latch(latch);
        let mut holds = self.holds(&key).await?;
        holds.sort_by_key(|(_, hold)| std::cmp::Reverse(hold.since));
        let (mut known, now) = (HashMap::new(), Time::now());
        for (name, hold) in holds {
            if hold.until.is_some_and(|until| until <= now) {
                self.drop_hold(&key, name, &hold).await?;
                continue;
            }
            let status = if let Some(status) = known.get(&hold.run) {
                *status
            } else {
                let status = history::status(&*self.store, &hold.run).await?;
                known.insert(hold.run.clone(), status);
                status
            };
            match status {
                Some(status) if !status.is_over() => {
                    return Ok(Some(Witness { name, run: hold.run, until: hold.until }));
                }
                Some(Status::Failed | Status::Terminated) => {}
                _ => self.drop_hold(&key, name, &hold).await?,
            }
        }
        Ok(None)
    }

    async fn drop_hold(&self, latch: &Key, name: Data, hold: &Hold) -> Result<(), Error> {
        let dropping = Transaction::new().hdel(latch, name.clone()).hdel(keys::held(&hold.run), name);
        self.store.commit(dropping).await?;
        Ok(())
    }

    /// Whether a hold is still there and its run is not over.
    pub(super) async fn counts(&self, latch: &str, witness: &Witness) -> Result<bool, Error> {
        let key = keys::latch(latch);
        let has = self.store.run(&key, HashCommand::Has(witness.name.clone()).into()).await?.flag(&key)?;
        let ended = witness.until.is_some_and(|until| until <= Time::now());
        let status = history::status(&*self.store, &witness.run).await?;
        Ok(has && !ended && status.is_some_and(|status| !status.is_over()))
    }
}

/// Takes all holds of a run away, and what is kept of them.
pub(super) async fn forget(store: &dyn Store, run: &RunId) -> Result<(), Error> {
    let held = keys::held(run);
    let pairs = store.run(&held, HashCommand::All.into()).await?.pairs(&held)?;
    for (name, latch) in pairs {
        if let Some(latch) = latch.as_str().filter(|latch| *latch != GIVEN_BACK) {
            let key = keys::latch(latch);
            store.run(&key, HashCommand::Remove(name.into()).into()).await?;
        }
    }
    store.run(&held, KeyCommand::Delete.into()).await?;
    Ok(())
}
