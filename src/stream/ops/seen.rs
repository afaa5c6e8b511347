//! The keys that were there, up to a number.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// Remembers the last `capacity` keys in the order in which they first came; older ones are forgotten.
#[derive(Clone, Debug)]
pub(super) struct Seen<K> {
    keys: HashSet<K>,
    order: VecDeque<K>,
    capacity: usize,
}

impl<K> Seen<K> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { keys: HashSet::new(), order: VecDeque::new(), capacity }
    }
}

impl<K: Clone + Eq + Hash> Seen<K> {
    /// Whether the key is not among those remembered; from now on it is.
    pub(super) fn is_new(&mut self, key: &K) -> bool {
        if self.keys.contains(key) {
            return false;
        }
        if self.order.len() >= self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
        if self.capacity > 0 {
            self.order.push_back(key.clone());
            self.keys.insert(key.clone());
        }
        true
    }
}
