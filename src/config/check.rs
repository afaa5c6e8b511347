//! Are the keys of a layer keys that exist?

use super::node::{Node, Value};
use super::{Problem, alias};
use crate::config::error::spelled;
use crate::hint::{distance, nearest};

/// Compares a layer with the defaults, which hold every known key.
pub(super) fn keys(layer: &Node, defaults: &Node, problems: &mut Vec<Problem>) {
    let (Some(layer), Some(known)) = (layer.map(), defaults.map()) else { return };
    for (name, node) in layer {
        match known.get(name) {
            Some(section) => below(name, node, section, problems),
            None => problems.extend(slip(name, node, defaults)),
        }
    }
}

/// Checks the keys of a known section.
fn below(path: &str, node: &Node, known: &Node, problems: &mut Vec<Problem>) {
    // What has no keys by itself takes any: the names of secrets and services are the user's.
    let Some(keys) = known.map().filter(|keys| !keys.is_empty()) else { return };
    let Some(given) = node.map() else {
        if !matches!(node.value, Value::Null) {
            let first = keys.keys().next().map_or_else(String::new, |key| format!("{path}.{key}"));
            let message = format!("`{}` is a section, not a value", spelled(path, &node.origin));
            problems.push(
                Problem::new(path, &node.origin, message)
                    .help(format!("set its keys, such as `{}`", spelled(&first, &node.origin))),
            );
        }
        return;
    };
    for (name, node) in given {
        let key = format!("{path}.{name}");
        if let Some(known) = keys.get(name) {
            below(&key, node, known, problems);
            continue;
        }
        let message = format!("unknown key `{}`", spelled(&key, &node.origin));
        let help = if let Some(near) = nearest(name, keys.keys().map(String::as_str)) {
            format!("did you mean `{}`?", spelled(&format!("{path}.{near}"), &node.origin))
        } else {
            let names: Vec<_> = keys.keys().map(|key| format!("`{key}`")).collect();
            format!("`{path}` has the keys {}", names.join(", "))
        };
        problems.push(Problem::new(key, &node.origin, message).help(help));
    }
}

/// A section that nobody knows is the user's own, unless it is a known one misspelled.
fn slip(name: &str, node: &Node, defaults: &Node) -> Option<Problem> {
    let sections = defaults.map()?;
    let known = sections
        .iter()
        .map(|(known, keys)| (known.as_str(), Some(keys)))
        .chain([(alias::SECTION, None)])
        .filter(|(known, keys)| is_slip(name, known, node, *keys))
        .map(|(known, _)| known)
        .min_by_key(|known| distance(&name.to_lowercase(), known))?;
    let message = format!("unknown section `{}`", spelled(name, &node.origin));
    let help = format!(
        "did you mean `{}`? (a section of your own needs a name that is less like it)",
        spelled(known, &node.origin)
    );
    Some(Problem::new(name, &node.origin, message).help(help))
}

/// One slip for short names, two for long ones.
///
/// Real words lie one replaced letter away from `rest` and `live` (`test`, `line`): such a section is taken for a
/// slip only if it holds a key of theirs.
fn is_slip(name: &str, known: &str, node: &Node, keys: Option<&Node>) -> bool {
    let lower = name.to_lowercase();
    let slips = distance(&lower, known);
    let replaced = slips == 1 && lower.len() == known.len() && sorted(&lower) != sorted(known);
    if replaced && known.len() <= 5 {
        let keys = keys.and_then(Node::map);
        let shares = |key| keys.is_some_and(|keys| keys.contains_key(key));
        return node.map().is_some_and(|map| map.keys().any(shares));
    }
    slips <= if known.len() <= 5 { 1 } else { 2 }
}

fn sorted(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters
}
