//! Names that other programs gave to our keys.

use super::node::Node;
use super::{Origin, Problem};
use crate::config::error::spelled;

/// What PyMAPE's file calls a key, and what we call it.
const ALIASES: [(&str, &str); 2] = [("redis.url", "backend.url"), ("rest.host_port", "rest.address")];

/// The section that holds nothing but an alias.
pub(super) const SECTION: &str = "redis";

/// Moves every alias of a layer to its own name.
pub(super) fn resolve(layer: &mut Node, problems: &mut Vec<Problem>) {
    for (alias, key) in ALIASES {
        let Some(mut node) = layer.take(alias) else { continue };
        if let Some(other) = layer.at(key) {
            let (alias, key) = (spelled(alias, &node.origin), spelled(key, &other.origin));
            let message = format!("`{alias}` is another name of `{key}`, which {} sets too", other.origin);
            problems.push(Problem::new(alias, &node.origin, message).help("keep one of the two"));
            continue;
        }
        node.alias = Some(alias);
        let path: Vec<String> = key.split('.').map(String::from).collect();
        let origin = node.origin.clone();
        if let Err(in_the_way) = layer.put(&path, node) {
            problems.push(Problem::new(
                alias,
                &origin,
                format!("{in_the_way} sets a plain value above `{key}`"),
            ));
        }
    }
    let Some(rest) = layer.take(SECTION) else { return };
    let only = "of `redis`, only `redis.url` is read, as another name of `backend.url`";
    match rest.map() {
        Some(map) => {
            for (key, node) in map {
                problems.push(unknown(&format!("{SECTION}.{key}"), &node.origin).help(only));
            }
        }
        None if rest.to_json().is_null() => {}
        None => problems.push(Problem::new(SECTION, &rest.origin, "`redis` is a section").help(only)),
    }
}

fn unknown(key: &str, origin: &Origin) -> Problem {
    Problem::new(key, origin, format!("unknown key `{}`", spelled(key, origin)))
}
