//! All paths of an index, joined where they are the same.

use super::buckets::{number, put};
use super::here::Here;
use crate::condition::path::{Key, Path, Step};
use foldhash::HashMap;
use std::collections::BTreeMap;

/// All paths, from their first step on.
pub(super) struct Trie {
    nodes: Vec<Option<Node>>,
    free: Vec<u32>,
}

/// The number of the node from which all paths begin.
pub(super) const ROOT: u32 = 0;

/// What is known of one path, or of the beginning of some.
#[derive(Default)]
pub(super) struct Node {
    /// The node before, and the step from there.
    before: Option<(u32, Step)>,
    pub(super) keys: HashMap<Box<str>, u32>,
    /// Those of the keys that are a place in a list.
    pub(super) indexes: BTreeMap<i64, u32>,
    pub(super) each: Option<u32>,
    pub(super) deep: Option<u32>,
    /// Whether the last step is `**`.
    pub(super) is_deep: bool,
    pub(super) here: Here,
}

impl Node {
    fn next(&self, step: &Step) -> Option<u32> {
        match step {
            Step::Key(key) => self.keys.get(&key.text).copied(),
            Step::Each => self.each,
            Step::Deep => self.deep,
        }
    }

    fn set(&mut self, step: &Step, to: Option<u32>) {
        match step {
            Step::Each => self.each = to,
            Step::Deep => self.deep = to,
            Step::Key(Key { text, index }) => {
                if let Some(to) = to {
                    self.keys.insert(text.clone(), to);
                    index.map(|index| self.indexes.insert(index, to));
                } else {
                    self.keys.remove(text);
                    index.map(|index| self.indexes.remove(&index));
                }
            }
        }
    }

    /// Whether anything but keys leads on from here.
    pub(super) fn is_wild(&self) -> bool {
        self.each.is_some() || self.is_deep
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.each.is_none() && self.deep.is_none() && self.here.is_empty()
    }
}

impl Trie {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Some(Node::default())], free: Vec::new() }
    }

    pub(super) fn get(&self, node: u32) -> Option<&Node> {
        self.nodes.get(node as usize).and_then(Option::as_ref)
    }

    pub(super) fn get_mut(&mut self, node: u32) -> Option<&mut Node> {
        self.nodes.get_mut(node as usize).and_then(Option::as_mut)
    }

    /// The node of a path, if any condition has it.
    pub(super) fn find(&self, path: &Path) -> Option<&Node> {
        let end = path.steps().iter().try_fold(ROOT, |node, step| self.get(node)?.next(step))?;
        self.get(end)
    }

    /// The node of a path, made if there is none.
    pub(super) fn grow(&mut self, path: &Path) -> u32 {
        path.steps().iter().fold(ROOT, |node, step| {
            if let Some(next) = self.get(node).and_then(|node| node.next(step)) {
                return next;
            }
            let is_deep = *step == Step::Deep;
            let new = Node { before: Some((node, step.clone())), is_deep, ..Node::default() };
            let next = put(&mut self.nodes, &mut self.free, Some(new));
            if let Some(node) = self.get_mut(node) {
                node.set(step, Some(next));
            }
            next
        })
    }

    /// Takes away a node that nothing needs any more, and those before it.
    pub(super) fn prune(&mut self, mut node: u32) {
        while let Some(Node { before: Some((before, step)), .. }) =
            self.get(node).filter(|node| node.is_empty())
        {
            let (before, step) = (*before, step.clone());
            if let Some(place) = self.nodes.get_mut(node as usize) {
                *place = None;
            }
            self.free.push(node);
            if let Some(before) = self.get_mut(before) {
                before.set(&step, None);
            }
            node = before;
        }
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> u32 {
        number(self.nodes.len() - self.free.len())
    }
}
