//! What a path and a filter say, in either language.

use super::function::Function;
use super::method::Method;
use serde_json::Value;

/// A path: where it begins, and segment by segment on.
#[derive(Debug)]
pub(super) struct Query {
    /// From the whole document, else from the current value.
    pub(super) absolute: bool,
    pub(super) segments: Vec<Segment>,
}

/// One step of a path.
#[derive(Debug)]
pub(super) struct Segment {
    /// Not only from a value itself, but from all that is in it.
    pub(super) descends: bool,
    pub(super) selectors: Vec<Selector>,
}

#[derive(Debug)]
pub(super) enum Selector {
    Name(String),
    Wildcard,
    Index(i64),
    Slice(Slice),
    Filter(Test),
    /// What a path gives, as a name or index.
    Computed(Query),
    Method(Method),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    /// Not 0 in littleflow's language.
    pub(super) step: i64,
}

/// What can be true or false.
#[derive(Debug)]
pub(super) enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    Constant(bool),
    Exists(Query),
    Compare(Operator, Operand, Operand),
    /// A function that says yes or no.
    Holds(Function),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One side of a comparison, or an argument.
#[derive(Debug)]
pub(super) enum Operand {
    Value(Value),
    Query(Query),
    Function(Box<Function>),
}

impl Query {
    /// Whether it can match one value at most.
    pub(super) fn is_singular(&self) -> bool {
        self.segments.iter().all(|segment| {
            !segment.descends
                && matches!(segment.selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)])
        })
    }
}
