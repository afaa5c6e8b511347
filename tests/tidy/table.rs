//! The table of layers in ARCHITECTURE.md, and what modules use.

use super::source::{File, root};
use std::collections::BTreeMap;
use std::fs;

/// Who may use whom.
pub(super) struct Table {
    pub(super) allowed: BTreeMap<String, Uses>,
    /// Rows of modules that are not there yet.
    pub(super) planned: Vec<String>,
}

#[derive(Clone)]
pub(super) enum Uses {
    Everything,
    Listed(Vec<String>),
}

impl Uses {
    pub(super) fn permits(&self, module: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Listed(modules) => modules.iter().any(|listed| listed == module),
        }
    }

    pub(super) fn listed(&self) -> Option<&[String]> {
        match self {
            Self::Everything => None,
            Self::Listed(modules) => Some(modules),
        }
    }
}

impl Table {
    pub(super) fn read() -> Self {
        let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
        let section = text.split("\n## Layers\n").nth(1).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let mut table = Self { allowed: BTreeMap::new(), planned: Vec::new() };
        let mut planned = false;
        for row in section.lines().filter(|line| line.starts_with('|')) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            planned |= cells[1] == "planned";
            let uses = match cells[2] {
                "everything" => Uses::Everything,
                "nothing" => Uses::Listed(Vec::new()),
                cell => Uses::Listed(in_backticks(cell)),
            };
            for module in in_backticks(cells[1]) {
                if planned {
                    table.planned.push(module.clone());
                }
                let earlier = table.allowed.insert(module.clone(), uses.clone());
                assert!(earlier.is_none(), "`{module}` has two rows in ARCHITECTURE.md");
            }
        }
        assert!(table.allowed.len() > 5, "the table of ARCHITECTURE.md was not found");
        table
    }
}

fn in_backticks(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(String::from).collect()
}

/// The module of a file below `src`, none for the roots of the library and the program.
pub(super) fn module_of(path: &str) -> Option<String> {
    let name = path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
    (name != "lib" && name != "main").then(|| name.to_owned())
}

/// Every module of the table that the code of a file names by a path from the root, with the line.
pub(super) fn modules_named_in(file: &File, table: &Table) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let above = "super::".repeat(depth(&file.path));
    for start in ["crate::", "mape::", above.as_str()] {
        for (at, _) in file.code.match_indices(start) {
            let joined = file.code[..at]
                .chars()
                .next_back()
                .is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
            if joined {
                continue;
            }
            let line = file.code[..at].matches('\n').count() + 1;
            let names = first_names(&file.code[at + start.len()..]);
            found.extend(
                names.into_iter().filter(|name| table.allowed.contains_key(name)).map(|name| (line, name)),
            );
        }
    }
    found
}

/// How many `super::` lead from a file to the root.
fn depth(path: &str) -> usize {
    let parts = path.split('/').count() - 1;
    if path.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// The names right after `crate::`: one, or those at the beginning of each branch of `{…}`.
fn first_names(after: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = after.strip_prefix('{') else { return vec![name(after)] };
    let (mut names, mut open, mut begins) = (Vec::new(), 1, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            ',' if open == 1 => begins = true,
            c if begins && (c.is_alphabetic() || c == '_') => {
                names.push(name(&group[at..]));
                begins = false;
            }
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    names
}

#[test]
fn every_way_to_name_a_module_is_seen() {
    let table = Table::read();
    let used = |path: &str, code: &str| {
        let file = File { path: path.into(), text: String::new(), code: super::source::blanked(code) };
        let mut names: Vec<_> = modules_named_in(&file, &table).into_iter().map(|(_, name)| name).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(used("src/stream/a.rs", "use crate::element::Element;"), "element");
    assert_eq!(used("src/stream/a.rs", "fn f() { crate::app::go() }\nlet x = $crate::cli::y;"), "app cli");
    assert_eq!(used("src/cli/a.rs", "use mape::config::{Config, stream::X};"), "config");
    assert_eq!(used("src/x.rs", "use crate::{\n app::{A, channel}, element,\n};"), "app element");
    assert_eq!(used("src/stream/mod.rs", "use super::app::App;"), "app");
    assert_eq!(used("src/stream/ops/a.rs", "use super::super::super::app::App;"), "app");
    assert_eq!(used("src/stream/ops/a.rs", "use super::app::App; use xcrate::app; use my::mape::app;"), "");
    assert_eq!(
        used("src/stream/a.rs", "// crate::app\n/* crate::app /* */ crate::app */ \"crate::app\""),
        ""
    );
    assert_eq!(used("src/stream/a.rs", "r#\"crate::app\"# '\"' crate::app '\\'' 'a: crate::cli"), "app cli");
}
