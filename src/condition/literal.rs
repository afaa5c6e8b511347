//! What a word of a condition stands for.

use super::lexer::{JOINS, PREFIXES};
use serde_json::{Number, Value};

/// Before a text that is not to be converted.
const AS_TEXT: &str = "str:";

/// A word as what it looks like: a number, `true`, `false`, `None`, or a text.
pub(super) fn convert(word: &str) -> Value {
    if let Some(text) = word.strip_prefix(AS_TEXT) {
        return Value::String(text.to_owned());
    }
    match word {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "None" => Value::Null,
        _ => number(word).map_or_else(|| Value::String(word.to_owned()), Value::Number),
    }
}

/// A text of the JSON form that `convert` makes this text of.
pub(super) fn kept(text: &str) -> String {
    let plain = matches!(convert(text), Value::String(same) if same == text);
    if plain { text.to_owned() } else { format!("{AS_TEXT}{text}") }
}

fn number(word: &str) -> Option<Number> {
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    if !digits.starts_with(|char: char| char.is_ascii_digit() || char == '.') {
        return None;
    }
    if !word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    let whole = word.parse::<i64>().map(Number::from).or_else(|_| word.parse::<u64>().map(Number::from));
    whole.ok().or_else(|| Number::from_f64(word.parse().ok()?))
}

/// Makes what it looks like of every text in a value that is a number, `true`, `false` or `None`, as in a condition.
///
/// For data in which everything is text, such as lines of CSV: `age gt 30` compares with a number.
///
/// ```
/// # use serde_json::json;
/// let mut line = json!({"name": "Joe", "age": "42"});
/// mape::condition::convert_texts(&mut line);
/// assert_eq!(line, json!({"name": "Joe", "age": 42}));
/// ```
#[doc(alias = "autoconv_lookups")]
pub fn convert_texts(value: &mut Value) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => {
                let converted = convert(text);
                // What is marked as text in a condition is not marked in data.
                if !converted.is_string() {
                    *value = converted;
                }
            }
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => open.extend(fields.values_mut()),
            _ => {}
        }
    }
}

/// A value as a condition's text has it; objects have no such form.
pub(super) fn written(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "None".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(written).collect();
            format!("[{}]", items?.join(" "))
        }
        Value::Object(_) => return None,
    })
}

fn quoted(text: &str) -> String {
    let plain = |char: char| !char.is_whitespace() && !matches!(char, '[' | ']' | '\\' | '"' | '\'' | ',');
    let word =
        !text.is_empty() && text.chars().all(plain) && !JOINS.contains(&text) && !PREFIXES.contains(&text);
    if word && kept(text).len() == text.len() {
        text.to_owned()
    } else if !text.contains('"') {
        format!("\"{text}\"")
    } else if !text.contains('\'') {
        format!("'{text}'")
    } else {
        let mut written = AS_TEXT.to_owned();
        for char in text.chars() {
            if !plain(char) {
                written.push('\\');
            }
            written.push(char);
        }
        written
    }
}
