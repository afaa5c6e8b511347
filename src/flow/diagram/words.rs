//! What pictures say about a node.

use super::super::{Node, NodeKind};
use serde_json::Value;

/// The longest text that is shown of a value.
const LONGEST: usize = 28;

/// The name of a node as it is written in the flow.
pub(super) fn title(node: &Node) -> String {
    match node.kind() {
        NodeKind::Start => "start".to_owned(),
        NodeKind::End { .. } => "end".to_owned(),
        NodeKind::Task { name, alias, .. } => alias.as_ref().unwrap_or(name).to_string(),
        NodeKind::Source { value } => value_in_short(value),
        NodeKind::Resource { uri, .. } | NodeKind::Sink { uri, .. } => uri.to_string(),
        NodeKind::Subflow { .. } => "subflow".to_owned(),
    }
}

/// The first line of a documentation that says anything.
pub(super) fn doc_line(node: &Node) -> Option<&str> {
    node.doc().and_then(|doc| doc.trim().lines().next()).map(str::trim).filter(|line| !line.is_empty())
}

/// The task behind an alias, and parameters.
pub(super) fn details(node: &Node) -> Option<String> {
    let stands_for = match node.kind() {
        NodeKind::Task { name, alias: Some(_), .. } => Some(format!("= {name}")),
        _ => None,
    };
    let parameters = node.parameters().filter(|value| !is_empty(value)).map(value_in_short);
    let parts: Vec<String> = stands_for.into_iter().chain(parameters).collect();
    if parts.is_empty() { None } else { Some(parts.join("  ")) }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// A value, or the beginning of it.
pub(super) fn value_in_short(value: &Value) -> String {
    let text = match value {
        Value::Object(map) if !map.is_empty() => {
            let entries: Vec<_> =
                map.iter().take(8).map(|(key, value)| format!("{key}: {}", inner(value))).collect();
            entries.join(", ")
        }
        _ => inner(value),
    };
    shortened(&text, LONGEST)
}

fn inner(value: &Value) -> String {
    match value {
        Value::String(text) => shortened(text.lines().next().unwrap_or_default(), LONGEST),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(_) => "{…}".to_owned(),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items)
            if items.len() <= 4 && items.iter().all(|item| !item.is_array() && !item.is_object()) =>
        {
            format!("[{}]", items.iter().map(inner).collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[… {}]", items.len()),
        scalar => scalar.to_string(),
    }
}

/// A text of at most so many characters.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

/// How long a text is, in heights of its letters.
pub(super) fn width(text: &str) -> f64 {
    let of = |char: char| match char {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' => 0.30,
        'f' | 't' | 'r' | 'I' | ' ' | '(' | ')' | '[' | ']' | '-' | '/' | '"' => 0.38,
        'm' | 'w' | 'M' | 'W' | '@' | '…' | '%' => 0.92,
        'A'..='Z' | '_' | '&' => 0.70,
        '\u{1100}'..='\u{ffdc}' | '\u{1f300}'.. => 1.0,
        _ => 0.58,
    };
    text.chars().map(of).sum()
}
