//! The variables `MAPE_SECTION__KEY` as a layer.

use super::node::Node;
use super::{Origin, Problem, server, standard, yaml};
use crate::config::error::variable;
use std::ffi::OsString;

const PREFIX: &str = "MAPE_";

/// The variables of this process that are ours, by name.
pub(super) fn of_this_process() -> Vec<(OsString, OsString)> {
    let is_ours = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with(PREFIX)
            || server::VARIABLES.contains(&&*name)
            || standard::VARIABLES.contains(&&*name)
    };
    std::env::vars_os().filter(|(name, _)| is_ours(name)).collect()
}

/// Reads variables into a layer over `below`, whose spelling of keys they follow where only capitals differ.
///
/// A value is read as YAML where that fits the type asked for, else as text: `5` is a number for a number and a text
/// for a text, and `[a, b]` is a list.
pub(super) fn layer(
    mut variables: Vec<(OsString, OsString)>,
    below: &Node,
    sections: &[&str],
    problems: &mut Vec<Problem>,
) -> Node {
    let mut layer = Node::empty(Origin::Code);
    variables.sort();
    for (name, value) in variables {
        let name = name.to_string_lossy().into_owned();
        let Some(key) = name.strip_prefix(PREFIX) else { continue };
        let key = key.to_lowercase();
        let origin = Origin::Variable { name: name.clone() };
        let Some(value) = value.to_str() else {
            problems.push(Problem::new(key, &origin, "the value is not UTF-8"));
            continue;
        };
        let path: Vec<String> = key.split("__").map(String::from).collect();
        let dotted = path.join(".");
        if path.iter().any(|part| part.is_empty() || part.starts_with('_')) {
            problems.push(
                Problem::new(dotted, &origin, "the underscores in the name do not fit")
                    .help("write MAPE_, the section, two underscores and the key, as in MAPE_REST__ADDRESS"),
            );
            continue;
        }
        if let Some(meant) = with_one_underscore(&key, sections) {
            problems.push(
                Problem::new(dotted, &origin, format!("no section is called `{key}`"))
                    .help(format!("did you mean `{}`, with two underscores?", variable(&meant))),
            );
            continue;
        }
        let path = spelled_as_in(below, path);
        if let Err(in_the_way) = layer.put(&path, yaml::variable(value, &origin)) {
            problems.push(
                Problem::new(
                    path.join("."),
                    &origin,
                    format!("{in_the_way} sets a plain value above this key"),
                )
                .help("unset one of the two"),
            );
        }
    }
    layer
}

/// `rest_address` is taken for `rest.address` written with one underscore too few.
fn with_one_underscore(key: &str, sections: &[&str]) -> Option<String> {
    if key.contains("__") {
        return None;
    }
    sections.iter().find_map(|section| {
        let rest = key.strip_prefix(section)?.strip_prefix('_')?;
        Some(format!("{section}.{rest}"))
    })
}

fn spelled_as_in(below: &Node, path: Vec<String>) -> Vec<String> {
    let mut at = Some(below);
    path.into_iter()
        .map(|part| {
            let known = at.and_then(Node::map).and_then(|map| {
                map.get_key_value(&part).or_else(|| map.iter().find(|(key, _)| key.to_lowercase() == part))
            });
            at = known.map(|(_, node)| node);
            known.map_or(part, |(key, _)| key.clone())
        })
        .collect()
}
