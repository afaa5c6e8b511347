//! A condition, read and checked.

use super::operator::Operator;
use super::path::Path;
use serde_json::Value;
use std::sync::Arc;

/// A condition, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Constant(bool),
    Atom(Atom),
    /// Of anything but an atom that is not negated, which has a flag for it.
    Not(Box<Node>),
    Chain(Box<Chain>),
}

/// Conditions that are joined: the first to all that follow, and so on; no join binds more than another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chain {
    pub(super) first: Node,
    pub(super) rest: Vec<(Join, Node)>,
}

/// How a condition is joined to all that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    And,
    Or,
    Xor,
    AndNot,
    OrNot,
}

/// A value of the data compared with one of the condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Atom {
    pub(super) subject: Subject,
    pub(super) negated: bool,
    pub(super) reversed: bool,
    pub(super) operator: Operator,
    pub(super) literal: Value,
    /// How many values the literal has within it.
    pub(super) weight: u32,
}

/// What an atom looks at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    Path(Path),
    /// Another condition of the set, by its name, and by its place once that is known.
    Named(Arc<str>, usize),
}

impl Join {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "and" => Self::And,
            "or" => Self::Or,
            "xor" => Self::Xor,
            "and_not" => Self::AndNot,
            "or_not" => Self::OrNot,
            _ => return None,
        })
    }

    /// As a word of the JSON form; the text form has a blank in it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "xor",
            Self::AndNot => "and_not",
            Self::OrNot => "or_not",
        }
    }

    pub(super) fn negated(self) -> Option<Self> {
        match self {
            Self::And => Some(Self::AndNot),
            Self::Or => Some(Self::OrNot),
            _ => None,
        }
    }
}

impl Atom {
    /// Whether the value of a key counts as true.
    pub(super) fn truthy(subject: Subject) -> Self {
        Self {
            subject,
            negated: false,
            reversed: false,
            operator: Operator::Truthy,
            literal: Value::Null,
            weight: 0,
        }
    }

    /// What the operator says of a value, before it is negated.
    pub(super) fn compares(&self, value: &Value) -> bool {
        if self.reversed {
            self.operator.holds(&self.literal, value)
        } else {
            self.operator.holds(value, &self.literal)
        }
    }
}

impl Node {
    pub(super) fn not(self) -> Self {
        match self {
            Self::Atom(atom) if !atom.negated => Self::Atom(Atom { negated: true, ..atom }),
            other => Self::Not(Box::new(other)),
        }
    }

    pub(super) fn chain(first: Self, rest: Vec<(Join, Self)>) -> Self {
        if rest.is_empty() { first } else { Self::Chain(Box::new(Chain { first, rest })) }
    }

    /// Calls a function on each atom until one gives an error.
    pub(super) fn try_each_atom<E>(
        &mut self,
        visit: &mut impl FnMut(&mut Atom) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Constant(_) => Ok(()),
            Self::Atom(atom) => visit(atom),
            Self::Not(node) => node.try_each_atom(visit),
            Self::Chain(chain) => {
                chain.first.try_each_atom(visit)?;
                chain.rest.iter_mut().try_for_each(|(_, node)| node.try_each_atom(visit))
            }
        }
    }

    /// Calls a function on each atom, from the first to the last.
    pub(super) fn each_atom<'n>(&'n self, visit: &mut impl FnMut(&'n Atom)) {
        match self {
            Self::Constant(_) => {}
            Self::Atom(atom) => visit(atom),
            Self::Not(node) => node.each_atom(visit),
            Self::Chain(chain) => {
                chain.first.each_atom(visit);
                chain.rest.iter().for_each(|(_, node)| node.each_atom(visit));
            }
        }
    }
}

/// How large conditions may be. What is read counts down, so that nothing larger is ever built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    parts: usize,
    values: usize,
    wild: usize,
}

/// Bytes of a text.
pub(super) const LONGEST_TEXT: usize = 64 << 10;
/// Atoms, brackets and negations of a condition.
pub(super) const MOST_PARTS: usize = 1_000;
/// Values in the lists and objects of a condition.
pub(super) const MOST_VALUES: usize = 10_000;
/// Paths of a condition that have wildcards.
pub(super) const MOST_WILD: usize = 16;
/// Brackets within brackets, lists within lists.
pub(super) const DEEPEST: usize = 32;

impl Room {
    pub(super) const fn new() -> Self {
        Self { parts: MOST_PARTS, values: MOST_VALUES, wild: MOST_WILD }
    }

    pub(super) fn part(&mut self) -> Result<(), String> {
        take(&mut self.parts, 1).ok_or_else(|| format!("a condition has at most {MOST_PARTS} parts"))
    }

    pub(super) fn values(&mut self, count: usize) -> Result<(), String> {
        take(&mut self.values, count)
            .ok_or_else(|| format!("the lists of a condition have at most {MOST_VALUES} values"))
    }

    pub(super) fn path(&mut self, path: &Path) -> Result<(), String> {
        if path.is_wild() {
            take(&mut self.wild, 1)
                .ok_or_else(|| format!("a condition has at most {MOST_WILD} paths with `*` or `**`"))
        } else {
            Ok(())
        }
    }
}

fn take(left: &mut usize, count: usize) -> Option<()> {
    *left = left.checked_sub(count)?;
    Some(())
}

/// That brackets are not too deep.
pub(super) fn depth(depth: usize) -> Result<(), String> {
    if depth > DEEPEST { Err(format!("brackets are at most {DEEPEST} deep")) } else { Ok(()) }
}
