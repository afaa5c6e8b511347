//! What has been taken before, so that it is not taken twice.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// A sender, or a request that is known by a key.
pub(super) type Who = [u8; 32];

/// Whose next number is which: bounded in number and time; whoever was not heard of for longest is forgotten first.
#[derive(Debug)]
pub(super) struct Seen {
    all: HashMap<Who, Entry>,
    by_age: BTreeMap<u64, Who>,
    clock: u64,
    at_most: usize,
    within: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    next: u64,
    heard: u64,
    at: Instant,
}

/// Who is meant, in as much memory as anyone else.
pub(super) fn who(kind: &str, name: &[u8]) -> Who {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(name).finalize().into()
}

impl Seen {
    pub(super) fn new(at_most: usize, within: Duration) -> Self {
        Self { all: HashMap::new(), by_age: BTreeMap::new(), clock: 0, at_most, within }
    }

    /// The first number that was not taken of them.
    pub(super) fn next(&self, who: &Who) -> u64 {
        let entry = self.all.get(who).filter(|entry| entry.at.elapsed() < self.within);
        entry.map_or(0, |entry| entry.next)
    }

    /// All below this number is taken of them now.
    pub(super) fn took(&mut self, who: Who, next: u64) {
        self.clock += 1;
        let entry = Entry { next, heard: self.clock, at: Instant::now() };
        if let Some(before) = self.all.insert(who, entry) {
            self.by_age.remove(&before.heard);
        }
        self.by_age.insert(self.clock, who);
        while let Some((&heard, oldest)) = self.by_age.first_key_value() {
            let is_old = self.all.get(oldest).is_none_or(|entry| entry.at.elapsed() >= self.within);
            if self.all.len() <= self.at_most && !is_old {
                break;
            }
            self.all.remove(oldest);
            self.by_age.remove(&heard);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_was_not_heard_of_for_longest_is_forgotten_first() {
        let mut seen = Seen::new(2, Duration::from_mins(1));
        let [a, b, c] = ["a", "b", "c"].map(|name| who("key", name.as_bytes()));
        seen.took(a, 5);
        seen.took(b, 1);
        seen.took(a, 7);
        seen.took(c, 1);
        assert_eq!((seen.next(&a), seen.next(&b), seen.next(&c)), (7, 0, 1));
        tokio::time::advance(Duration::from_secs(59)).await;
        seen.took(c, 2);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!((seen.next(&a), seen.next(&c)), (0, 2));
        seen.took(b, 1);
        assert_eq!((seen.all.len(), seen.by_age.len()), (2, 2));
    }
}
