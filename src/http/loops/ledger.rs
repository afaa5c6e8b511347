//! What senders that number their items have sent.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::Instant;

/// By element and sender the number of the item that is next, so that what is sent again is not taken again.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<HashMap<(String, String), Entry>>);

#[derive(Debug)]
struct Entry {
    next: Next,
    used: Instant,
}

/// The number that is next; held by one request at a time.
pub(super) type Next = Arc<tokio::sync::Mutex<u64>>;

/// How many senders are remembered; of more, those that were silent for longest are forgotten.
const MOST: usize = 4096;

impl Ledger {
    pub(super) fn of(&self, element: &str, sender: &str) -> Next {
        let mut entries = self.0.lock();
        if entries.len() >= MOST {
            let mut ages: Vec<_> = entries.values().map(|entry| entry.used).collect();
            ages.sort_unstable();
            let cut = ages.get(MOST / 4).copied();
            // One that a request holds is in use.
            entries.retain(|_, entry| {
                cut.is_none_or(|cut| entry.used > cut) || Arc::strong_count(&entry.next) > 1
            });
        }
        let key = (element.to_owned(), sender.to_owned());
        let entry =
            entries.entry(key).or_insert_with(|| Entry { next: Next::default(), used: Instant::now() });
        entry.used = Instant::now();
        entry.next.clone()
    }
}
