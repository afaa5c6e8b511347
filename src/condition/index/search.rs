//! Walking through a value along all paths at once.

use super::buckets::Buckets;
use super::trie::{Node, ROOT, Trie};
use crate::condition::path::resolved;
use serde_json::{Map, Value};
use smallvec::SmallVec;

/// What a search needs to remember, kept from one to the next so that nothing is allocated.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// By slot, the search in which it was last found.
    seen: Vec<u32>,
    current: u32,
    /// The nodes of the trie to which the values on the way belong, one list after the other.
    nodes: Vec<u32>,
    pub(super) found: Vec<u32>,
}

/// A value on the way, with the part of the list of nodes that it belongs to.
type Open<'v> = (&'v Value, usize, usize);

impl Search {
    /// Makes one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the last search.
    pub(super) fn begin(&mut self, slots: usize) {
        self.found.clear();
        self.nodes.clear();
        self.current = self.current.wrapping_add(1);
        if self.current == 0 {
            self.seen.fill(0);
            self.current = 1;
        }
        // With room to spare, for an index that grows.
        if self.seen.len() < slots {
            self.seen.resize(slots.next_power_of_two(), 0);
        }
    }

    /// Notes a condition, once.
    pub(super) fn find(&mut self, slot: u32) {
        if let Some(seen) = self.seen.get_mut(slot as usize)
            && *seen != self.current
        {
            *seen = self.current;
            self.found.push(slot);
        }
    }

    /// Notes every condition one of whose tests holds.
    pub(super) fn walk(&mut self, trie: &Trie, buckets: &Buckets, value: &Value) {
        self.reach(trie, ROOT);
        let mut open: SmallVec<[Open<'_>; 32]> = SmallVec::new();
        open.push((value, 0, self.nodes.len()));
        while let Some((value, start, end)) = open.pop() {
            // Read by place, since the list grows meanwhile.
            for at in start..end {
                let Some(node) = self.nodes.get(at).and_then(|node| trie.get(*node)) else { continue };
                node.here.each(value, node.is_deep, |bucket| {
                    buckets.members(bucket).iter().for_each(|member| self.find(member.slot));
                });
            }
            match value {
                Value::Object(fields) => self.enter_object(trie, fields, (start, end), &mut open),
                Value::Array(items) => self.enter_list(trie, items, (start, end), &mut open),
                _ => {}
            }
        }
    }

    /// Comes to a node: that is also to where `**` leads from there, for it may stand for nothing.
    fn reach(&mut self, trie: &Trie, node: u32) {
        self.nodes.push(node);
        if let Some(deep) = trie.get(node).and_then(|node| node.deep) {
            self.nodes.push(deep);
        }
    }

    fn enter_object<'v>(
        &mut self,
        trie: &Trie,
        fields: &'v Map<String, Value>,
        (start, end): (usize, usize),
        open: &mut SmallVec<[Open<'v>; 32]>,
    ) {
        // Along one path with few keys, these are looked up; else every field is gone through once for all.
        if let [single] = self.nodes.get(start..end).unwrap_or_default()
            && let Some(node) = trie.get(*single)
            && !node.is_wild()
            && node.keys.len() < fields.len()
        {
            for (key, next) in &node.keys {
                if let Some(value) = fields.get(&**key) {
                    let start = self.nodes.len();
                    self.reach(trie, *next);
                    open.push((value, start, self.nodes.len()));
                }
            }
            return;
        }
        for (key, value) in fields {
            self.enter(trie, value, (start, end), open, |node| node.keys.get(key.as_str()).copied());
        }
    }

    fn enter_list<'v>(
        &mut self,
        trie: &Trie,
        items: &'v [Value],
        (start, end): (usize, usize),
        open: &mut SmallVec<[Open<'v>; 32]>,
    ) {
        if let [single] = self.nodes.get(start..end).unwrap_or_default()
            && let Some(node) = trie.get(*single)
            && !node.is_wild()
            && node.indexes.len() < items.len()
        {
            for (index, next) in &node.indexes {
                if let Some(value) = resolved(*index, items.len()).and_then(|at| items.get(at)) {
                    let start = self.nodes.len();
                    self.reach(trie, *next);
                    open.push((value, start, self.nodes.len()));
                }
            }
            return;
        }
        for (at, value) in items.iter().enumerate() {
            let from_start = i64::try_from(at).unwrap_or(i64::MAX);
            let from_end = i64::try_from(items.len() - at).map_or(i64::MIN, |at| -at);
            let next = |node: &Node| {
                let ways = [node.indexes.get(&from_start).copied(), node.indexes.get(&from_end).copied()];
                ways.into_iter().flatten()
            };
            self.enter(trie, value, (start, end), open, next);
        }
    }

    /// Goes on to a field or item, along all paths that lead there.
    fn enter<'v, I: IntoIterator<Item = u32>>(
        &mut self,
        trie: &Trie,
        value: &'v Value,
        (start, end): (usize, usize),
        open: &mut SmallVec<[Open<'v>; 32]>,
        next: impl Fn(&Node) -> I,
    ) {
        let from = self.nodes.len();
        for at in start..end {
            let Some((number, node)) = self.nodes.get(at).and_then(|at| Some((*at, trie.get(*at)?))) else {
                continue;
            };
            next(node).into_iter().for_each(|next| self.reach(trie, next));
            if let Some(each) = node.each {
                self.reach(trie, each);
            }
            // `**` stays what it is.
            if node.is_deep {
                self.nodes.push(number);
            }
        }
        if self.nodes.len() > from {
            open.push((value, from, self.nodes.len()));
        }
    }
}
