//! What has to be the case for a condition to hold.

use crate::condition::operator::Operator;
use crate::condition::path::Path;
use crate::condition::tree::{Atom, Chain, Join, Node, Subject};
use crate::condition::value::Numeric;
use serde_json::Value;

/// A test of the values at a path. That it holds is necessary for its condition, not sufficient.
#[derive(Clone, Copy)]
pub(super) struct Access<'c> {
    pub(super) path: &'c Path,
    pub(super) test: Test<'c>,
}

#[derive(Clone, Copy)]
pub(super) enum Test<'c> {
    /// There is a value, not `null`.
    Present,
    /// It counts as true.
    Truthy,
    /// It is this number.
    Number(Numeric),
    /// It is this text.
    Text(&'c str),
    /// It is no less than this.
    AtLeast(f64),
    /// It is no more than this.
    AtMost(f64),
    /// It is a text with this in it, or has a text as item or key that has; not empty.
    Contains(&'c str),
}

/// More alternatives are not kept: the condition is judged for every value.
const MOST_ALTERNATIVES: usize = 64;

/// Tests one of which holds whenever a condition does, with what it costs to find out.
pub(super) struct Cover<'c> {
    pub(super) accesses: Vec<Access<'c>>,
    cost: usize,
}

/// The cheapest tests of which one holds whenever the condition does, or nothing if it may hold without any. `load` says
/// how many other conditions a test comes by.
pub(super) fn cover<'c>(node: &'c Node, load: &dyn Fn(&Access<'c>) -> usize) -> Option<Cover<'c>> {
    match node {
        Node::Constant(true) | Node::Not(_) => None,
        Node::Constant(false) => Some(Cover { accesses: Vec::new(), cost: 0 }),
        Node::Atom(atom) => of_atom(atom, load),
        Node::Chain(chain) => of_chain(chain, load),
    }
}

/// From the end, since each is joined to all that follow.
fn of_chain<'c>(chain: &'c Chain, load: &dyn Fn(&Access<'c>) -> usize) -> Option<Cover<'c>> {
    let Chain { first, rest } = chain;
    let left = |at: usize| at.checked_sub(1).map_or(Some(first), |at| rest.get(at).map(|(_, node)| node));
    let mut covered = rest.last().and_then(|(_, last)| cover(last, load));
    for (at, (join, _)) in rest.iter().enumerate().rev() {
        let left = left(at).and_then(|node| cover(node, load));
        covered = match join {
            Join::And => match (left, covered) {
                (Some(left), Some(right)) => Some(if right.cost < left.cost { right } else { left }),
                (left, right) => left.or(right),
            },
            Join::AndNot => left,
            Join::Or | Join::Xor => left.zip(covered).and_then(|(left, right)| both(left, right)),
            Join::OrNot => None,
        };
    }
    covered
}

fn both<'c>(mut left: Cover<'c>, right: Cover<'c>) -> Option<Cover<'c>> {
    left.accesses.extend(right.accesses);
    left.cost += right.cost;
    (left.accesses.len() <= MOST_ALTERNATIVES).then_some(left)
}

fn of_atom<'c>(atom: &'c Atom, load: &dyn Fn(&Access<'c>) -> usize) -> Option<Cover<'c>> {
    let Subject::Path(path) = &atom.subject else { return None };
    // What is missing is `null`.
    if atom.negated || atom.compares(&Value::Null) {
        return None;
    }
    let tests = tests(atom);
    let mut cover = Cover { accesses: Vec::new(), cost: 0 };
    for test in tests {
        let access = Access { path, test };
        cover.cost += 8 * load(&access) + test.rank();
        cover.accesses.push(access);
    }
    Some(cover)
}

fn tests(atom: &Atom) -> Vec<Test<'_>> {
    // With the sides as they are compared.
    let operator = match (atom.operator, atom.reversed) {
        (Operator::Lt, true) => Operator::Gt,
        (Operator::Gt, true) => Operator::Lt,
        (Operator::Le, true) => Operator::Ge,
        (Operator::Ge, true) => Operator::Le,
        (Operator::Contains, true) => Operator::In,
        (Operator::In, true) => Operator::Contains,
        (Operator::Truthy, true) => return vec![Test::Present],
        (operator, _) => operator,
    };
    let literal = &atom.literal;
    let limit = Numeric::of(literal).map(Numeric::nearest);
    let test = match operator {
        Operator::Eq | Operator::Is => equal(literal),
        Operator::Gt | Operator::Ge => limit.map(Test::AtLeast),
        Operator::Lt | Operator::Le => limit.map(Test::AtMost),
        Operator::Truthy => Some(Test::Truthy),
        Operator::Contains => match literal {
            Value::String(part) if !part.is_empty() => Some(Test::Contains(part)),
            _ => None,
        },
        Operator::In => {
            let items = literal.as_array().filter(|items| items.len() <= MOST_ALTERNATIVES);
            if let Some(tests) = items.and_then(|items| items.iter().map(equal).collect::<Option<Vec<_>>>()) {
                return tests;
            }
            None
        }
        _ => None,
    };
    vec![test.unwrap_or(Test::Present)]
}

/// That a value is a number or a text.
fn equal(value: &Value) -> Option<Test<'_>> {
    match value {
        Value::String(text) => Some(Test::Text(text)),
        other => Numeric::of(other).map(Numeric::canonical).map(Test::Number),
    }
}

impl Test<'_> {
    /// What is rarer, as long as nothing is known.
    fn rank(self) -> usize {
        match self {
            Self::Number(_) | Self::Text(_) => 0,
            Self::Contains(_) => 1,
            Self::AtLeast(_) | Self::AtMost(_) => 2,
            Self::Truthy => 3,
            Self::Present => 4,
        }
    }
}
