//! Operators that calculate: a condition with one holds if the result is not zero.

use super::operator::Operator;
use super::value::{Numeric, contains, equal, truth};
use serde_json::Value;

/// Whether the result counts as true; what cannot be calculated does not.
pub(super) fn holds(operator: Operator, a: &Value, b: &Value) -> bool {
    match operator {
        Operator::CountOf => match (a, b) {
            (Value::String(text), Value::String(part)) => part.chars().count() == 1 && text.contains(part),
            (Value::String(_), _) => false,
            _ => contains(a, b),
        },
        Operator::IndexOf => match (a, b) {
            (Value::Array(items), _) => items.iter().position(|item| equal(item, b)).is_some_and(|at| at > 0),
            (Value::String(text), Value::String(part)) => {
                part.chars().count() == 1 && text.find(part.as_str()).is_some_and(|at| at > 0)
            }
            _ => false,
        },
        Operator::LengthHint => match a {
            _ if !matches!(Numeric::of(b), Some(Numeric::Whole(_))) => false,
            Value::String(_) | Value::Array(_) | Value::Object(_) => truth(a),
            _ => truth(b),
        },
        _ => match (a, b) {
            (Value::String(_), Value::String(_)) | (Value::Array(_), Value::Array(_)) => {
                matches!(operator, Operator::Add | Operator::Concat) && (truth(a) || truth(b))
            }
            (Value::String(_) | Value::Array(_), times) | (times, Value::String(_) | Value::Array(_)) => {
                let sequence = if Numeric::of(a).is_some() { b } else { a };
                operator == Operator::Mul
                    && truth(sequence)
                    && matches!(Numeric::of(times), Some(Numeric::Whole(times)) if times > 0)
            }
            _ => match (Numeric::of(a), Numeric::of(b)) {
                (Some(Numeric::Whole(a)), Some(Numeric::Whole(b))) => whole(operator, a, b),
                (Some(a), Some(b)) => real(operator, a.nearest(), b.nearest()),
                _ => false,
            },
        },
    }
}

/// Both lie in the range of 64 bits, so no sum of them overflows.
fn whole(operator: Operator, a: i128, b: i128) -> bool {
    match operator {
        Operator::Add => a + b != 0,
        Operator::Sub | Operator::BitXor => a != b,
        Operator::Mul | Operator::TrueDiv => a != 0 && b != 0,
        // The result is 0 from 0 to just below the divisor.
        Operator::FloorDiv => b != 0 && (a.signum() * b.signum() < 0 || a.abs() >= b.abs()),
        Operator::Mod => b != 0 && a % b != 0,
        Operator::Pow => {
            b == 0
                || a != 0
                    && (b > 0 || real(operator, Numeric::Whole(a).nearest(), Numeric::Whole(b).nearest()))
        }
        Operator::BitAnd => a & b != 0,
        Operator::BitOr => a | b != 0,
        Operator::ShiftLeft => b >= 0 && a != 0,
        // Below zero it ends at -1, above at 0.
        Operator::ShiftRight => b >= 0 && a >> b.min(100) != 0,
        _ => false,
    }
}

fn real(operator: Operator, a: f64, b: f64) -> bool {
    match operator {
        Operator::Add => a + b != 0.0,
        Operator::Sub => a - b != 0.0,
        Operator::Mul => a * b != 0.0,
        Operator::TrueDiv => b != 0.0 && a / b != 0.0,
        Operator::FloorDiv => b != 0.0 && (a / b).floor() != 0.0,
        Operator::Mod => b != 0.0 && a % b != 0.0,
        Operator::Pow => {
            let result = a.powf(b);
            // A root of what is below zero is complex, and not zero; what is too large, or divides by zero, fails.
            result != 0.0 && !result.is_infinite()
        }
        _ => false,
    }
}
