//! Items of `*` in work.

use super::Place;
use super::policy::Iterate;
use super::slot::Slot;
use serde_json::Value;
use std::sync::Arc;

/// A step that is done for each item of its input.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Iteration {
    /// Item `n` is part `first + n`.
    pub(super) first: u32,
    /// The items: a list.
    pub(super) input: Arc<Value>,
    pub(super) how: Iterate,
    /// The item that begins next.
    pub(super) next: usize,
    /// Those that have begun and are not over.
    pub(super) open: u32,
    /// In the order of the items; nothing for those that are not over, or are left out.
    pub(super) outputs: Vec<Option<Arc<Value>>>,
}

impl Iteration {
    pub(super) fn new(first: u32, input: Arc<Value>, how: Iterate) -> Self {
        let count = input.as_array().map_or(0, Vec::len);
        Self { first, input, how, next: 0, open: 0, outputs: vec![None; count] }
    }

    /// The item that may begin now, as part and input.
    pub(super) fn begin_next(&mut self) -> Option<(u32, u32, Arc<Value>)> {
        if self.next >= self.outputs.len() || self.open >= self.how.at_a_time.max(1) {
            return None;
        }
        let item = Arc::new(self.input.get(self.next)?.clone());
        let number = u32::try_from(self.next).unwrap_or(u32::MAX);
        self.next += 1;
        self.open += 1;
        Some((self.first + number, number, item))
    }

    pub(super) fn is_over(&self) -> bool {
        self.open == 0 && self.next >= self.outputs.len()
    }

    /// The outputs as one.
    pub(super) fn output(&self) -> Arc<Value> {
        Arc::new(self.outputs.iter().flatten().map(|output| Value::clone(output)).collect())
    }
}

/// One item of an iteration: the states of the nodes that it passes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// What is iterated.
    pub(super) of: Place,
    /// Which item.
    pub(super) item: u32,
    pub(super) input: Arc<Value>,
    /// The node of the first slot.
    pub(super) base: usize,
    pub(super) slots: Vec<Slot>,
}
