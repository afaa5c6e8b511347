//! The index.

use super::access::{Access, cover};
use super::buckets::{Buckets, Member, Spot, number, put};
use super::search::Search;
use super::trie::Trie;
use crate::condition::{Condition, evaluate::Spent};
use foldhash::HashMap;
use serde_json::Value;
use smallvec::SmallVec;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

/// Thousands of conditions, and which of them a value fulfils, without trying each.
///
/// ```
/// use mape::condition::{Condition, Index};
/// use serde_json::json;
///
/// let mut interests = Index::new();
/// for client in 0..1000 {
///     interests.insert(client, Condition::parse(&format!("** contains user{client}@doe.com"))?);
/// }
/// interests.insert(1000, Condition::parse("sum gt 100 and not vip")?);
/// let result = json!({"job": "mail", "parts": [{"to": ["user7@doe.com"]}], "sum": 120});
/// let mut clients = interests.fulfilled(&result);
/// clients.sort_unstable();
/// assert_eq!(clients, [&7, &1000]);
/// # Ok::<(), mape::condition::Error>(())
/// ```
///
/// It answers just as if each were asked ([`Condition::holds`]). What a search costs grows with the size of the value, and
/// with the number of conditions of which something that they need is the case. Only those that may hold without anything
/// being there (`a ne 1`, `not a`, `a or not b`) are judged for every value: [`scanned`](Self::scanned) says how many they
/// are. To insert or remove one costs as much as the condition is large, whatever the number of the others.
///
/// Searches need no exclusive access, so many can go on at once.
pub struct Index<K> {
    slots: Vec<Option<Entry<K>>>,
    free: Vec<u32>,
    by_key: HashMap<K, u32>,
    trie: Trie,
    buckets: Buckets,
    /// Those that are judged for every value.
    scan: Vec<u32>,
    steps: u64,
}

struct Entry<K> {
    key: K,
    condition: Arc<Condition>,
    hangs: Hangs,
}

/// Where a condition hangs.
enum Hangs {
    /// At all of its tests.
    Tests(SmallVec<[Spot; 2]>),
    /// In the list of those that are judged for every value.
    Scan(usize),
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Found {
    /// How many conditions the value fulfils.
    pub fulfilled: usize,
    /// How many ran out of steps: it is not known whether the value fulfils them.
    pub unjudged: usize,
    /// How many were judged, these and all others.
    pub judged: usize,
}

impl<K: Clone + Eq + Hash> Index<K> {
    /// One without conditions.
    #[must_use]
    pub fn new() -> Self {
        Self::with_steps(u64::MAX)
    }

    /// One whose conditions may each take so many steps for a value ([`Condition::holds_within`]).
    #[must_use]
    pub fn with_steps(steps: u64) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_key: HashMap::default(),
            trie: Trie::new(),
            buckets: Buckets::default(),
            scan: Vec::new(),
            steps,
        }
    }

    /// Adds a condition, in place of the one that the key had.
    pub fn insert(&mut self, key: K, condition: impl Into<Arc<Condition>>) -> Option<Arc<Condition>> {
        let before = self.remove(&key);
        let condition = condition.into();
        let slot = put(&mut self.slots, &mut self.free, None);
        let hangs = self.hang(slot, &condition);
        self.by_key.insert(key.clone(), slot);
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(Entry { key, condition, hangs });
        }
        before
    }

    /// Takes the condition of a key away.
    pub fn remove(&mut self, key: &K) -> Option<Arc<Condition>> {
        let slot = self.by_key.remove(key)?;
        match self.entry(slot)?.hangs {
            Hangs::Scan(at) => {
                self.scan.swap_remove(at);
                let moved = self.scan.get(at).copied();
                if let Some(Hangs::Scan(place)) = moved.and_then(|moved| self.hangs_mut(moved)) {
                    *place = at;
                }
            }
            Hangs::Tests(_) => {
                let mut nth = 0;
                // Asked for anew each time, since one that leaves may move another of its own.
                while let Some(spot) = self.spot(slot, nth) {
                    self.leave(spot);
                    nth += 1;
                }
            }
        }
        self.free.push(slot);
        self.slots.get_mut(slot as usize)?.take().map(|entry| entry.condition)
    }

    /// The condition of a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&Arc<Condition>> {
        self.entry(*self.by_key.get(key)?).map(|entry| &entry.condition)
    }

    /// The keys of all conditions, in no order that means anything.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.by_key.keys()
    }

    /// How many conditions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// How many are judged for every value.
    #[must_use]
    pub fn scanned(&self) -> usize {
        self.scan.len()
    }

    /// The keys of all conditions that a value fulfils, in no order that means anything.
    #[must_use]
    pub fn fulfilled(&self, value: &Value) -> Vec<&K> {
        let mut keys = Vec::new();
        self.search(value, &mut Search::new(), |key| keys.push(key));
        keys
    }

    /// Calls a function with the keys of all conditions that a value fulfils, in no order that means anything.
    ///
    /// With a [`Search`] that was used before, next to nothing is allocated.
    pub fn search<'i>(
        &'i self,
        value: &Value,
        search: &mut Search,
        mut fulfilled: impl FnMut(&'i K),
    ) -> Found {
        search.begin(self.slots.len());
        search.walk(&self.trie, &self.buckets, value);
        let mut found = Found::default();
        for slot in search.found.iter().chain(&self.scan) {
            let Some(entry) = self.entry(*slot) else { continue };
            found.judged += 1;
            match entry.condition.judge(value, self.steps) {
                Ok(true) => {
                    found.fulfilled += 1;
                    fulfilled(&entry.key);
                }
                Ok(false) => {}
                Err(Spent) => found.unjudged += 1,
            }
        }
        found
    }

    /// Hangs a condition where it is found.
    fn hang(&mut self, slot: u32, condition: &Condition) -> Hangs {
        let members = |bucket: u32| self.buckets.members(bucket).len();
        let load = |access: &Access<'_>| {
            self.trie.find(access.path).map_or(0, |node| node.here.place(access.test, members).1)
        };
        let Some(cover) = cover(condition.node(), &load) else {
            self.scan.push(slot);
            return Hangs::Scan(self.scan.len() - 1);
        };
        let mut spots = SmallVec::new();
        for access in cover.accesses {
            let at = self.trie.grow(access.path);
            let members = |bucket: u32| self.buckets.members(bucket).len();
            let Some(node) = self.trie.get_mut(at) else { continue };
            let (place, _) = node.here.place(access.test, members);
            node.here.count(&place, true);
            let bucket = node.here.get(&place).unwrap_or_else(|| {
                let bucket = self.buckets.add(at, place.clone());
                node.here.insert(place, bucket);
                bucket
            });
            spots.push(self.buckets.join(bucket, Member { slot, nth: number(spots.len()) }));
        }
        Hangs::Tests(spots)
    }

    /// Takes one test away, with what only it needed.
    fn leave(&mut self, spot: Spot) {
        if let Some(bucket) = self.buckets.get(spot.bucket)
            && let Some(node) = self.trie.get_mut(bucket.node)
        {
            node.here.count(&bucket.place, false);
        }
        let (moved, gone) = self.buckets.leave(spot);
        if let Some(moved) = moved
            && let Some(Hangs::Tests(spots)) = self.hangs_mut(moved.slot)
            && let Some(of_moved) = spots.get_mut(moved.nth as usize)
        {
            *of_moved = spot;
        }
        if let Some(bucket) = gone {
            if let Some(node) = self.trie.get_mut(bucket.node) {
                node.here.remove(&bucket.place);
            }
            self.trie.prune(bucket.node);
        }
    }

    fn entry(&self, slot: u32) -> Option<&Entry<K>> {
        self.slots.get(slot as usize).and_then(Option::as_ref)
    }

    fn hangs_mut(&mut self, slot: u32) -> Option<&mut Hangs> {
        self.slots.get_mut(slot as usize).and_then(Option::as_mut).map(|entry| &mut entry.hangs)
    }

    fn spot(&self, slot: u32, nth: usize) -> Option<Spot> {
        match &self.entry(slot)?.hangs {
            Hangs::Tests(spots) => spots.get(nth).copied(),
            Hangs::Scan(_) => None,
        }
    }
}

impl<K: Clone + Eq + Hash> Default for Index<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> fmt::Debug for Index<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("conditions", &self.by_key.len())
            .field("scanned", &self.scan.len())
            .field("paths", &self.trie.len())
            .finish_non_exhaustive()
    }
}
