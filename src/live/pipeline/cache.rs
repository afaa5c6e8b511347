//! The parts of jobs, for those who ask for the same.

use super::dedup::Key;
use crate::live::{Delivered, Settings};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of parts that a cache keeps, at most.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The parts of a job that were handed out, as long as they are not too many.
pub(in crate::live) struct Record {
    parts: Vec<Arc<Delivered>>,
    bytes: usize,
    most: usize,
    most_bytes: usize,
    is_whole: bool,
    keepers: Vec<(Arc<Cache>, Key)>,
}

impl Record {
    /// Of as many as may wait for a client.
    pub(in crate::live) fn new(settings: &Settings) -> Self {
        Self {
            parts: Vec::new(),
            bytes: 0,
            most: settings.client_buffer,
            most_bytes: settings.client_bytes,
            is_whole: true,
            keepers: Vec::new(),
        }
    }

    pub(in crate::live) fn push(&mut self, part: &Arc<Delivered>) {
        if !self.is_whole {
            return;
        }
        self.bytes += part.json().len();
        if self.parts.len() >= self.most || self.bytes > self.most_bytes {
            self.is_whole = false;
            self.parts = Vec::new();
        } else {
            self.parts.push(part.clone());
        }
    }

    /// All parts so far, if it has them all.
    pub(in crate::live) fn parts(&self) -> Option<&[Arc<Delivered>]> {
        self.is_whole.then_some(&*self.parts)
    }

    /// The job has ended well.
    pub(in crate::live) fn keep(self) {
        if !self.is_whole || self.parts.iter().any(|part| part.error().is_some()) {
            return;
        }
        let parts: Arc<[_]> = self.parts.into();
        for (cache, key) in self.keepers {
            cache.keep(key, parts.clone(), self.bytes);
        }
    }

    pub(super) fn keep_in(&mut self, cache: Arc<Cache>, key: Key) {
        self.keepers.push((cache, key));
    }
}

/// The parts of jobs that have ended well.
pub(in crate::live) struct Cache {
    state: Mutex<State>,
}

struct State {
    lasting: Duration,
    most: usize,
    known: HashMap<Key, Known>,
    /// The oldest first.
    order: BTreeMap<u64, Key>,
    numbers: u64,
    bytes: usize,
}

struct Known {
    parts: Arc<[Arc<Delivered>]>,
    bytes: usize,
    since: Instant,
    number: u64,
}

impl Cache {
    pub(super) fn new(lasting: Duration, most: usize) -> Arc<Self> {
        let state =
            State { lasting, most, known: HashMap::new(), order: BTreeMap::new(), numbers: 0, bytes: 0 };
        Arc::new(Self { state: Mutex::new(state) })
    }

    pub(super) fn set(&self, lasting: Duration, most: usize) {
        let mut state = self.state.lock();
        (state.lasting, state.most) = (lasting, most);
        state.make_room();
    }

    pub(super) fn find(&self, key: &Key, now: Instant) -> Option<Arc<[Arc<Delivered>]>> {
        let mut state = self.state.lock();
        let known = state.known.get(key)?;
        if now < known.since + state.lasting {
            return Some(known.parts.clone());
        }
        state.forget(key);
        None
    }

    fn keep(&self, key: Key, parts: Arc<[Arc<Delivered>]>, bytes: usize) {
        let mut state = self.state.lock();
        state.forget(&key);
        state.numbers += 1;
        let number = state.numbers;
        state.bytes += bytes;
        state.order.insert(number, key.clone());
        state.known.insert(key, Known { parts, bytes, since: Instant::now(), number });
        state.make_room();
    }
}

impl State {
    fn forget(&mut self, key: &Key) {
        if let Some(known) = self.known.remove(key) {
            self.order.remove(&known.number);
            self.bytes -= known.bytes;
        }
    }

    fn make_room(&mut self) {
        while self.known.len() > self.most || self.bytes > MOST_BYTES {
            let Some((_, key)) = self.order.first_key_value() else { return };
            let key = key.clone();
            self.forget(&key);
        }
    }
}
