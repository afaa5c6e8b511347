//! What stands behind the `?`.

use crate::hint::nearest;
use crate::http::Problem;
use serde_json::{Map, Value};

/// The most parts of a query.
const MOST: usize = 1000;

/// A query, pair by pair.
pub(super) type Pairs = Vec<(String, String)>;

pub(super) fn few_enough(pairs: &Pairs) -> Result<(), Problem> {
    if pairs.len() <= MOST {
        return Ok(());
    }
    Err(Problem::unprocessable(format!("the query has more than {MOST} parts")))
}

/// A query as the input of a job: an object, of texts but where a value is JSON; what comes several times is a list.
pub(super) fn input(pairs: Pairs) -> Result<Value, Problem> {
    few_enough(&pairs)?;
    let mut input = Map::new();
    let mut lists: Vec<String> = Vec::new();
    for (name, text) in pairs {
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        match input.get_mut(&name) {
            None => {
                input.insert(name, value);
            }
            Some(Value::Array(list)) if lists.contains(&name) => list.push(value),
            Some(before) => {
                *before = Value::Array(vec![before.take(), value]);
                lists.push(name);
            }
        }
    }
    Ok(Value::Object(input))
}

/// A parameter that there is not.
pub(super) fn unknown(name: &str, known: &[&str]) -> Problem {
    let near = nearest(name, known.iter().copied());
    let hint = near
        .map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
    Problem::unprocessable(format!("there is no parameter `{name}`: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_lists_and_json_are_what_they_look_like_and_all_else_is_text() {
        let all = [
            ("parts", "3"),
            ("dt", "0.5"),
            ("on", "true"),
            ("none", "null"),
            ("text", "a b"),
            ("quoted", "\"3\""),
            ("empty", ""),
            ("l", "[1]"),
            ("l", "2"),
            ("l", "x"),
            ("open", "{"),
        ];
        let pairs = all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let expected = json!({
            "parts": 3, "dt": 0.5, "on": true, "none": null, "text": "a b", "quoted": "3", "empty": "",
            "l": [[1], 2, "x"], "open": "{",
        });
        assert_eq!(input(pairs).unwrap(), expected);
        assert!(input(vec![(String::new(), String::new()); 1001]).is_err());
    }
}
