//! Rows as they are written in JSON.

use super::Input;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What one row is made of, as it is written in JSON: `[1, 0, 0.5]`, `"a text"`, or `{"input": …}` with one of the two and
/// whatever else.
///
/// ```
/// use mape::infer::Given;
///
/// let given: Given = serde_json::from_str(r#"{"id": 7, "input": [1, 0, 0.5]}"#)?;
/// assert_eq!(given, Given::Row(vec![1.0, 0.0, 0.5]));
/// let wrong = serde_json::from_str::<Given>("[1, null]").unwrap_err();
/// assert!(wrong.to_string().starts_with("number 1 of the row is null"), "{wrong}");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", untagged)]
#[non_exhaustive]
pub enum Given {
    /// The numbers of a row.
    Row(Vec<f64>),
    /// A text, for a model with a vocabulary.
    Text(String),
}

/// One row, or several, as they are written in JSON.
///
/// A list of numbers is one row; a list of anything else, also of nothing, is several.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
#[non_exhaustive]
pub enum GivenRows {
    /// One.
    One(Given),
    /// Several, in their order.
    Several(Vec<Given>),
}

/// Something is no row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoRow(String);

impl<'a> From<&'a Given> for Input<'a> {
    fn from(given: &'a Given) -> Self {
        match given {
            Given::Row(row) => Self::F64(row),
            Given::Text(text) => Self::Text(text),
        }
    }
}

impl TryFrom<Value> for Given {
    type Error = NoRow;

    fn try_from(json: Value) -> Result<Self, NoRow> {
        match json {
            Value::Object(mut fields) => match fields.remove("input") {
                Some(Value::Object(_)) => {
                    Err(NoRow("`input` is an object: write a list of numbers, or a text".to_owned()))
                }
                Some(input) => plain(input),
                None => Err(NoRow("there is no field `input` in it, which is the row".to_owned())),
            },
            other => plain(other),
        }
    }
}

fn plain(json: Value) -> Result<Given, NoRow> {
    match json {
        Value::Array(items) => {
            let mut row = Vec::with_capacity(items.len());
            for (place, item) in items.iter().enumerate() {
                // What JSON can hold is finite.
                row.push(item.as_f64().ok_or_else(|| {
                    NoRow(format!(
                        "number {place} of the row is {}: a row is a flat list of numbers",
                        called(item)
                    ))
                })?);
            }
            Ok(Given::Row(row))
        }
        Value::String(text) => Ok(Given::Text(text)),
        other => Err(NoRow(format!(
            "it is {}: write a row as a list of numbers, a text, or an object whose field `input` is one of the two",
            called(&other)
        ))),
    }
}

impl TryFrom<Value> for GivenRows {
    type Error = NoRow;

    fn try_from(json: Value) -> Result<Self, NoRow> {
        match json {
            Value::Array(items) if !items.first().is_some_and(is_no_row) => {
                let mut rows = Vec::with_capacity(items.len());
                for (place, item) in items.into_iter().enumerate() {
                    rows.push(
                        Given::try_from(item)
                            .map_err(|error| NoRow(format!("row {place} is none: {error}")))?,
                    );
                }
                Ok(Self::Several(rows))
            }
            one => Given::try_from(one).map(Self::One),
        }
    }
}

fn is_no_row(json: &Value) -> bool {
    matches!(json, Value::Number(_) | Value::Bool(_) | Value::Null)
}

/// What a value is, for people.
fn called(json: &Value) -> String {
    match json {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => format!("the number {value}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_of_numbers_is_one_row_and_any_other_list_is_several() {
        let row = |numbers: &[f64]| Given::Row(numbers.to_vec());
        let text = || Given::Text("hi".to_owned());
        for (json, rows) in [
            (json!([1, 0.5]), GivenRows::One(row(&[1.0, 0.5]))),
            (json!("hi"), GivenRows::One(text())),
            (json!({"input": "hi", "id": 3}), GivenRows::One(text())),
            (json!([[1], "hi", {"input": [2]}]), GivenRows::Several(vec![row(&[1.0]), text(), row(&[2.0])])),
            (json!([]), GivenRows::Several(Vec::new())),
            (json!([[]]), GivenRows::Several(vec![row(&[])])),
        ] {
            assert_eq!(serde_json::from_value::<GivenRows>(json.clone()).unwrap(), rows, "{json}");
        }
    }

    #[test]
    fn what_is_no_row_is_told_with_its_place() {
        for (json, says) in [
            (json!(null), "it is null"),
            (json!(7), "it is the number 7"),
            (json!({"inputs": [1]}), "no field `input`"),
            (json!({"input": {"input": [1]}}), "`input` is an object"),
            (json!({"input": true}), "it is true"),
            (json!([1, "x"]), "number 1 of the row is a text"),
            (json!([null, 1]), "number 0 of the row is null"),
            (json!([[1], [[2]]]), "row 1 is none: number 0 of the row is a list"),
            (json!([[1], 2]), "row 1 is none: it is the number 2"),
        ] {
            let error = serde_json::from_value::<GivenRows>(json.clone()).unwrap_err().to_string();
            assert!(error.contains(says), "{json}: {error}");
        }
    }
}
