//! Parts that are kept for other nodes to pull.

use crate::live::Body;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Parts that are kept for other nodes to pull: for so long, and up to so many bytes.
pub(super) struct Cache {
    /// By rising numbers, so the oldest first.
    kept: VecDeque<Kept>,
    bytes: usize,
    most_bytes: usize,
    lifetime: Duration,
}

struct Kept {
    seq: u64,
    body: Body,
    size: usize,
    until: Instant,
}

impl Cache {
    pub(super) fn new(most_bytes: usize, lifetime: Duration) -> Self {
        Self { kept: VecDeque::new(), bytes: 0, most_bytes, lifetime }
    }

    /// Keeps what was published under this number, which is higher than those before; `size` is that of its JSON.
    pub(super) fn put(&mut self, seq: u64, body: Body, size: usize) {
        let until = Instant::now() + self.lifetime;
        self.bytes += size;
        self.kept.push_back(Kept { seq, body, size, until });
        while self.bytes > self.most_bytes && self.forget_oldest() {}
    }

    /// It, and its size.
    pub(super) fn get(&mut self, seq: u64) -> Option<(&Body, usize)> {
        self.expire();
        let at = self.kept.binary_search_by_key(&seq, |kept| kept.seq).ok()?;
        self.kept.get(at).map(|kept| (&kept.body, kept.size))
    }

    /// Forgets what is too old.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        while self.kept.front().is_some_and(|kept| kept.until <= now) {
            self.forget_oldest();
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn forget_oldest(&mut self) -> bool {
        let Some(kept) = self.kept.pop_front() else { return false };
        self.bytes -= kept.size;
        true
    }
}
