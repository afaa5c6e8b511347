//! Comparisons, in either language.

use super::evaluate::{Costly, Run};
use super::query::Operator;
use serde_json::{Number, Value};
use std::cmp::Ordering;

/// Two values, as littleflow's language has it.
pub(super) fn in_dialect(
    run: &Run<'_>,
    operator: Operator,
    left: &Value,
    right: &Value,
) -> Result<bool, Costly> {
    // A boolean counts as a number, but only for its order.
    let number = |value: &Value| match value {
        Value::Bool(bool) => Some(Number::from(u8::from(*bool))),
        Value::Number(number) => Some(number.clone()),
        _ => None,
    };
    let order = || number(left).zip(number(right)).and_then(|(left, right)| by_size(&left, &right));
    Ok(match operator {
        Operator::Equal => equal(run, left, right)?,
        Operator::NotEqual => !equal(run, left, right)?,
        ordered => fulfils(ordered, order()),
    })
}

/// Two values that may be missing, as RFC 9535 has it.
pub(super) fn in_rfc(
    run: &Run<'_>,
    operator: Operator,
    left: Option<&Value>,
    right: Option<&Value>,
) -> Result<bool, Costly> {
    let same = || match (left, right) {
        (None, None) => Ok(true),
        (Some(left), Some(right)) => equal(run, left, right),
        _ => Ok(false),
    };
    let order = match (left, right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => by_size(left, right),
        (Some(Value::String(left)), Some(Value::String(right))) => Some(left.cmp(right)),
        _ => None,
    };
    Ok(match operator {
        Operator::Equal => same()?,
        Operator::NotEqual => !same()?,
        Operator::LessOrEqual => fulfils(Operator::Less, order) || same()?,
        Operator::GreaterOrEqual => fulfils(Operator::Greater, order) || same()?,
        ordered => fulfils(ordered, order),
    })
}

fn fulfils(operator: Operator, order: Option<Ordering>) -> bool {
    order.is_some_and(|order| match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
    })
}

/// Whether two values are the same, numbers by their value.
fn equal(run: &Run<'_>, left: &Value, right: &Value) -> Result<bool, Costly> {
    run.spend(1)?;
    Ok(match (left, right) {
        (Value::Number(left), Value::Number(right)) => by_size(left, right) == Some(Ordering::Equal),
        (Value::Array(left), Value::Array(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right) {
                if !equal(run, left, right)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(left), Value::Object(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, left) in left {
                match right.get(key) {
                    Some(right) if equal(run, left, right)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::String(left), Value::String(right)) => {
            run.spend(left.len().min(right.len()) / 16)?;
            left == right
        }
        _ => left == right,
    })
}

fn by_size(left: &Number, right: &Number) -> Option<Ordering> {
    let whole = |number: &Number| number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}
