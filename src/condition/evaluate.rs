//! Judging a value.

use super::path::{Path, Step};
use super::tree::{Atom, Chain, Join, Node, Subject};
use super::value::children;
use serde_json::Value;

/// One value being judged, with what is left of the steps.
pub(super) struct Run<'r> {
    left: u64,
    /// The conditions that can be referred to, and what is known of them.
    named: &'r [Node],
    known: Vec<Option<bool>>,
}

/// No steps were left.
pub(super) struct Spent;

impl<'r> Run<'r> {
    pub(super) fn new(steps: u64) -> Self {
        Self { left: steps, named: &[], known: Vec::new() }
    }

    /// With others that can be referred to; each is judged once at most.
    pub(super) fn among(named: &'r [Node], steps: u64) -> Self {
        Self { left: steps, named, known: vec![None; named.len()] }
    }

    fn spend(&mut self, steps: u64) -> Result<(), Spent> {
        self.left = self.left.checked_sub(steps).ok_or(Spent)?;
        Ok(())
    }

    pub(super) fn holds(&mut self, node: &Node, value: &Value) -> Result<bool, Spent> {
        match node {
            Node::Constant(is) => Ok(*is),
            Node::Atom(atom) => self.atom(atom, value),
            Node::Not(node) => Ok(!self.holds(node, value)?),
            Node::Chain(chain) => self.chain(chain, value),
        }
    }

    /// From left to right, until the rest makes no difference.
    fn chain(&mut self, chain: &Chain, value: &Value) -> Result<bool, Spent> {
        let Chain { first, rest } = chain;
        let mut node = first;
        // Whether what is still to come counts the other way round.
        let mut flipped = false;
        for (join, next) in rest {
            let holds = self.holds(node, value)?;
            match join {
                Join::And | Join::AndNot if !holds => return Ok(flipped),
                Join::Or | Join::OrNot if holds => return Ok(!flipped),
                Join::And | Join::Or => {}
                Join::AndNot | Join::OrNot => flipped = !flipped,
                Join::Xor => flipped ^= holds,
            }
            node = next;
        }
        Ok(flipped ^ self.holds(node, value)?)
    }

    fn atom(&mut self, atom: &Atom, value: &Value) -> Result<bool, Spent> {
        let holds = match &atom.subject {
            Subject::Named(_, at) => {
                let holds = Value::Bool(self.named(*at, value)?);
                self.test(atom, &holds)?
            }
            Subject::Path(path) if path.is_wild() => self.anywhere(path.steps(), atom, value)?,
            Subject::Path(path) => self.at(path, atom, value)?,
        };
        Ok(holds ^ atom.negated)
    }

    /// Another condition of the set.
    pub(super) fn named(&mut self, at: usize, value: &Value) -> Result<bool, Spent> {
        if let Some(known) = self.known.get(at).copied().flatten() {
            return Ok(known);
        }
        // Every reference was found when the set was read.
        let Some(node) = self.named.get(at) else { return Ok(false) };
        let holds = self.holds(node, value)?;
        if let Some(known) = self.known.get_mut(at) {
            *known = Some(holds);
        }
        Ok(holds)
    }

    /// What is missing is `null`.
    fn at(&mut self, path: &Path, atom: &Atom, value: &Value) -> Result<bool, Spent> {
        self.test(atom, path.find(value).unwrap_or(&Value::Null))
    }

    /// Whether it holds at any place to which the steps lead. A wildcard stands for what is there: places from which the
    /// rest of the path leads to nothing are passed over.
    fn anywhere(&mut self, steps: &[Step], atom: &Atom, value: &Value) -> Result<bool, Spent> {
        self.spend(1)?;
        let Some((step, rest)) = steps.split_first() else { return self.test(atom, value) };
        match step {
            Step::Key(key) => key.of(value).map_or(Ok(false), |value| self.anywhere(rest, atom, value)),
            Step::Each => {
                for value in children(value) {
                    if self.anywhere(rest, atom, value)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            // Not by recursion: nobody knows how deep the data are.
            Step::Deep => {
                let mut open = vec![value];
                while let Some(value) = open.pop() {
                    if self.anywhere(rest, atom, value)? {
                        return Ok(true);
                    }
                    open.extend(children(value).rev());
                }
                Ok(false)
            }
        }
    }

    fn test(&mut self, atom: &Atom, value: &Value) -> Result<bool, Spent> {
        let length = match value {
            Value::String(text) => text.len() / 64,
            Value::Array(items) => items.len(),
            _ => 0,
        };
        self.spend(1 + (length as u64).saturating_mul(1 + u64::from(atom.weight)) + u64::from(atom.weight))?;
        Ok(atom.compares(value))
    }
}
