//! When watched keys cease.

use crate::knowledge::{Data, Key};
use std::collections::{BTreeSet, HashMap};
use tokio::time::Instant;

/// The keys of one watcher that have a time to live, as far as it has heard of it.
///
/// Without being set up for it a server tells nobody when a key ceases; so whoever watches asks when the time has come.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    keys: HashMap<Key, Ending>,
    order: BTreeSet<(Instant, Key)>,
}

#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) at: Instant,
    /// What the key holds, if it is a single value.
    pub(super) value: Option<Data>,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A writer told it.
    Told,
    /// It was found when the watching began.
    Found,
    /// The key was there without a time to live when it should have ceased; somebody may be about to tell why.
    Doubtful,
    /// It has ceased and that was reported; the server may say so too.
    Reported,
}

/// Keys that are kept in mind.
const MOST: usize = 100_000;

impl Deadlines {
    /// Puts a key in mind, in place of what was known of it; `false` if there are too many.
    pub(super) fn put(&mut self, key: &Key, ending: Ending) -> bool {
        self.take(key);
        if self.keys.len() >= MOST {
            return false;
        }
        self.order.insert((ending.at, key.clone()));
        self.keys.insert(key.clone(), ending);
        true
    }

    pub(super) fn take(&mut self, key: &Key) -> Option<Ending> {
        let ending = self.keys.remove(key)?;
        self.order.remove(&(ending.at, key.clone()));
        Some(ending)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Data> {
        self.keys.get_mut(key)?.value.as_mut()
    }

    /// The time of the first, if there is any.
    pub(super) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// One whose time has come.
    pub(super) fn due(&mut self, now: Instant) -> Option<(Key, Ending)> {
        let (at, key) = self.order.first()?;
        if *at > now {
            return None;
        }
        let key = key.clone();
        self.take(&key).map(|ending| (key, ending))
    }
}
