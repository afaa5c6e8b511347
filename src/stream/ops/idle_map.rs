//! Values by key, of which those not asked for long enough leave.

use foldhash::fast::RandomState;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::Hash;
use std::time::Duration;
use tokio::time::Instant;

use super::alarm::after;

/// How many keys live at once unless told otherwise.
pub(super) const MAX_GROUPS: usize = 65_536;

/// A map whose entries leave when idle, or when there are too many.
///
/// Asking for an entry only writes down when. Each entry stands once in a heap under a time at which it was surely
/// last asked for or later; when that time is up, it leaves, or stands there again under its true time. So an entry costs
/// `O(log n)` once in an idle time, not each time it is asked for.
#[derive(Debug)]
pub(super) struct IdleMap<K, V> {
    slots_by_key: HashMap<K, usize, RandomState>,
    slots: Vec<Option<Slot<K, V>>>,
    free: Vec<usize>,
    heap: BinaryHeap<Reverse<(u64, usize)>>,
    idle: Option<Duration>,
    start: Option<Instant>,
    stamp: u64,
}

#[derive(Debug)]
struct Slot<K, V> {
    key: K,
    value: V,
    seen: u64,
}

impl<K: Hash + Eq + Clone, V> IdleMap<K, V> {
    pub(super) fn new(idle: Option<Duration>) -> Self {
        Self {
            slots_by_key: HashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            heap: BinaryHeap::new(),
            idle: idle.map(|idle| idle.max(Duration::from_millis(1))),
            start: None,
            stamp: 0,
        }
    }

    /// Moves the map's time on: to the clock's where entries leave when idle, else by one.
    pub(super) fn tick(&mut self) {
        if self.idle.is_none() {
            self.stamp += 1;
            return;
        }
        let start = *self.start.get_or_insert_with(Instant::now);
        self.stamp = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    }

    /// Moves the map's time on where that needs no clock.
    #[inline]
    pub(super) fn step(&mut self) {
        self.stamp += u64::from(self.idle.is_none());
    }

    /// The entry of a key, asked for now.
    #[inline]
    pub(super) fn ask(&mut self, key: &K) -> Option<&mut V> {
        let slot = self.slots.get_mut(*self.slots_by_key.get(key)?)?.as_mut()?;
        slot.seen = self.stamp;
        Some(&mut slot.value)
    }

    /// Adds an entry that is not there.
    pub(super) fn insert(&mut self, key: K, value: V) {
        let slot = Some(Slot { key: key.clone(), value, seen: self.stamp });
        let index = if let Some(index) = self.free.pop() {
            if let Some(free) = self.slots.get_mut(index) {
                *free = slot;
            }
            index
        } else {
            self.slots.push(slot);
            self.slots.len() - 1
        };
        self.slots_by_key.insert(key, index);
        self.heap.push(Reverse((self.stamp, index)));
    }

    /// When to ask [`pop_idle`](Self::pop_idle) next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let Reverse((seen, _)) = self.heap.peek()?;
        Some(after(after(self.start?, Duration::from_nanos(*seen)), self.idle?))
    }

    /// Takes out an entry that was not asked for during the idle time.
    pub(super) fn pop_idle(&mut self) -> Option<V> {
        let idle = u64::try_from(self.idle?.as_nanos()).unwrap_or(u64::MAX);
        self.pop_seen_until(self.stamp.checked_sub(idle)?)
    }

    /// Takes out the entry not asked for for longest.
    pub(super) fn pop_oldest(&mut self) -> Option<V> {
        self.pop_seen_until(u64::MAX)
    }

    fn pop_seen_until(&mut self, latest: u64) -> Option<V> {
        loop {
            let &Reverse((stamp, index)) = self.heap.peek()?;
            if stamp > latest {
                return None;
            }
            self.heap.pop();
            let seen = self.slots.get(index)?.as_ref()?.seen;
            if seen > stamp {
                self.heap.push(Reverse((seen, index)));
                continue;
            }
            let slot = self.slots.get_mut(index)?.take()?;
            self.slots_by_key.remove(&slot.key);
            self.free.push(index);
            return Some(slot.value);
        }
    }
}

impl<K, V> IdleMap<K, V> {
    pub(super) fn len(&self) -> usize {
        self.slots_by_key.len()
    }

    /// Takes everything out.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = V> + use<'_, K, V> {
        self.slots_by_key.clear();
        self.free.clear();
        self.heap.clear();
        self.slots.drain(..).flatten().map(|slot| slot.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_entry_leaves_exactly_when_idle_and_only_once() {
        let mut map = IdleMap::new(Some(Duration::from_millis(10)));
        map.tick();
        map.insert("a", 1);
        map.insert("b", 2);
        tokio::time::advance(Duration::from_millis(9)).await;
        map.tick();
        assert_eq!((map.pop_idle(), map.ask(&"a").copied()), (None, Some(1)));
        tokio::time::advance(Duration::from_millis(1)).await;
        map.tick();
        assert_eq!((map.pop_idle(), map.pop_idle(), map.len()), (Some(2), None, 1));
        assert_eq!(map.next_due().unwrap(), Instant::now() + Duration::from_millis(9));
    }

    #[test]
    fn the_entry_not_asked_for_for_longest_makes_room() {
        let mut map = IdleMap::new(None);
        for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
            map.tick();
            map.insert(key, value);
        }
        map.tick();
        map.ask(&"a");
        assert_eq!(
            [map.pop_oldest(), map.pop_oldest(), map.pop_oldest(), map.pop_oldest()],
            [Some(2), Some(3), Some(1), None]
        );
    }
}
