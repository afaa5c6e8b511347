//! What is to happen when.

use std::collections::BTreeMap;
use tokio::time::Instant;

/// Keys with their times; the earliest first.
pub(super) struct Due<K> {
    times: BTreeMap<Ticket, K>,
    numbers: u64,
}

/// By which a key is taken back.
pub(super) type Ticket = (Instant, u64);

impl<K> Due<K> {
    pub(super) fn new() -> Self {
        Self { times: BTreeMap::new(), numbers: 0 }
    }

    pub(super) fn put(&mut self, at: Instant, key: K) -> Ticket {
        self.numbers += 1;
        self.times.insert((at, self.numbers), key);
        (at, self.numbers)
    }

    pub(super) fn take_back(&mut self, ticket: Ticket) -> Option<K> {
        self.times.remove(&ticket)
    }

    pub(super) fn first(&self) -> Option<Instant> {
        self.times.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next whose time has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<K> {
        let first = self.times.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// The next, whatever its time.
    pub(super) fn pop_any(&mut self) -> Option<K> {
        self.times.pop_first().map(|(_, key)| key)
    }
}
