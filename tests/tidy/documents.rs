//! What documents link to, and what Cargo.toml turns on.

use super::source::{numbered, root};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Targets of links to files, with the line; not those to the web or to items of the library.
pub(super) fn links(markdown: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (number, line) in numbered(markdown) {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        for after in line.split("](").skip(1) {
            let target = after.split(')').next().unwrap();
            if !target.contains("://") && !target.contains("::") && !target.starts_with("mailto:") {
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

/// The headings of a document as links spell them.
pub(super) fn headings(markdown: &str) -> BTreeSet<String> {
    let lines = markdown.lines().filter(|line| line.starts_with('#'));
    lines
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// The features of Cargo.toml with the features they turn on.
pub(super) fn features() -> BTreeMap<String, Vec<String>> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[features]\n").nth(1).unwrap();
    let section = section.split("\n[").next().unwrap();
    let lines = section.lines().map(|line| line.split('#').next().unwrap());
    let mut features = BTreeMap::new();
    let mut name = String::new();
    for line in lines {
        let list = match line.split_once('=') {
            Some((before, after)) => {
                before.trim().clone_into(&mut name);
                after
            }
            None => line,
        };
        let turned_on =
            list.split('"').skip(1).step_by(2).filter(|item| !item.contains(':') && !item.contains('/'));
        if !name.is_empty() {
            features.entry(name.clone()).or_insert_with(Vec::new).extend(turned_on.map(String::from));
        }
    }
    features
}
