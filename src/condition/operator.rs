//! The operators between a key and a value.

use super::arithmetic;
use super::value::{contains, equal, order, truth};
use serde_json::Value;
use std::cmp::Ordering;

/// What compares a value of the data with one of the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    In,
    Truthy,
    Falsy,
    Is,
    IsNot,
    Mod,
    Add,
    Sub,
    Mul,
    TrueDiv,
    FloorDiv,
    Pow,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
    Concat,
    CountOf,
    IndexOf,
    LengthHint,
}

/// Each with its name, and the sign that stands for it too.
const NAMES: [(Operator, &str, &str); 28] = [
    (Operator::Eq, "eq", "=="),
    (Operator::Ne, "ne", "!="),
    (Operator::Lt, "lt", "<"),
    (Operator::Le, "le", "<="),
    (Operator::Gt, "gt", ">"),
    (Operator::Ge, "ge", ">="),
    (Operator::Contains, "contains", ""),
    (Operator::In, "in", ""),
    (Operator::Truthy, "truthy", ""),
    (Operator::Falsy, "falsy", ""),
    (Operator::Is, "is_", ""),
    (Operator::IsNot, "is_not", ""),
    (Operator::Mod, "mod", "%"),
    (Operator::Add, "add", "+"),
    (Operator::Sub, "sub", "-"),
    // `*` and `**` are steps of paths.
    (Operator::Mul, "mul", ""),
    (Operator::TrueDiv, "truediv", "/"),
    (Operator::FloorDiv, "floordiv", "//"),
    (Operator::Pow, "pow", ""),
    (Operator::BitAnd, "and_", "&"),
    (Operator::BitOr, "or_", "|"),
    // Its name is that of the word that joins conditions, which wins.
    (Operator::BitXor, "^", "^"),
    (Operator::ShiftLeft, "lshift", "<<"),
    (Operator::ShiftRight, "rshift", ">>"),
    (Operator::Concat, "concat", ""),
    (Operator::CountOf, "countOf", ""),
    (Operator::IndexOf, "indexOf", ""),
    (Operator::LengthHint, "length_hint", ""),
];

impl Operator {
    pub(super) fn parse(word: &str) -> Option<Self> {
        if word == "=" {
            return Some(Self::Eq);
        }
        let found = NAMES.iter().find(|(_, name, sign)| *name == word || !sign.is_empty() && *sign == word);
        found.map(|(operator, ..)| *operator)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(operator, ..)| *operator == self).map_or("", |(_, name, _)| name)
    }

    /// The operator that a wrong word was most likely meant to be, or why there is none of this name.
    pub(super) fn help(wrong: &str) -> String {
        match wrong {
            "is" => return "use `eq`, or `is_` for the same type, too".into(),
            "matches" | "match" | "like" | "regex" => {
                return "there are no regular expressions; use `contains`".into();
            }
            "startswith" | "endswith" => return "use `contains`".into(),
            _ => {}
        }
        let nearest = crate::hint::nearest(wrong, NAMES.iter().map(|(_, name, _)| *name));
        // Two letters are half of what most operators have.
        let close = || {
            NAMES
                .iter()
                .map(|(_, name, _)| *name)
                .find(|name| name.len() == 2 && wrong.len() == 2 && crate::hint::distance(wrong, name) == 1)
        };
        match nearest.or_else(close) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "operators are eq, ne, lt, le, gt, ge, contains, in, and more; a text with blanks stands in quotes".into(),
        }
    }

    /// Whether a value stands behind it.
    pub(super) fn takes_a_value(self) -> bool {
        !matches!(self, Self::Truthy | Self::Falsy)
    }

    /// What cannot be compared does not hold.
    pub(super) fn holds(self, a: &Value, b: &Value) -> bool {
        let ordered = |wanted: fn(Ordering) -> bool| order(a, b).is_some_and(wanted);
        match self {
            Self::Eq => equal(a, b),
            Self::Ne => !equal(a, b),
            Self::Lt => ordered(Ordering::is_lt),
            Self::Le => ordered(Ordering::is_le),
            Self::Gt => ordered(Ordering::is_gt),
            Self::Ge => ordered(Ordering::is_ge),
            Self::Contains => contains(a, b),
            Self::In => contains(b, a),
            Self::Truthy => truth(a),
            Self::Falsy => !truth(a),
            Self::Is => same(a, b),
            Self::IsNot => !same(a, b),
            _ => arithmetic::holds(self, a, b),
        }
    }
}

/// Of one type, and equal.
fn same(a: &Value, b: &Value) -> bool {
    let types = match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.is_f64() == b.is_f64(),
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    };
    types && equal(a, b)
}
