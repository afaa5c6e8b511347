//! The rules of ARCHITECTURE.md and CONTRIBUTING.md that a program can check, on the text of the repository.
//!
//! Each test collects everything it does not like and fails with the list, a place and a reason a line.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test program; a failure here is a failed test"
)]

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/table.rs"]
mod table;

use documents::{features, headings, links};
use source::{all_rust, files_below, functions, numbered, root, sources, texts};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use table::{Table, module_of, modules_named_in};

/// Lines that a source file may have.
const LONGEST_FILE: usize = 600;
/// Lines that a function may have.
const LONGEST_FUNCTION: usize = 100;
/// Files that are longer, each with its reason.
const LONG_FILES: [(&str, &str); 1] =
    [("src/stream/operators.rs", "one trait with a method for each operator, each with its text")];
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] =
    ["utils", "util", "helpers", "helper", "common", "types", "misc", "manager", "managers"];
/// Features that are not on by default: each is heavy, and CI builds them all.
const HEAVY_FEATURES: [&str; 4] = ["inference", "otel", "influxdb2", "postgres"];

// --- layers ---------------------------------------------------------------------------------------------------

#[test]
fn modules_use_only_what_the_table_allows() {
    let table = Table::read();
    let mut complaints = Vec::new();
    for file in sources("src") {
        let Some(module) = module_of(&file.path) else { continue };
        let Some(allowed) = table.allowed.get(&module) else {
            complaints.push(format!("{}: `{module}` has no row in the table of ARCHITECTURE.md", file.path));
            continue;
        };
        for (line, used) in modules_named_in(&file, &table) {
            if used != module && !allowed.permits(&used) {
                complaints.push(format!("{}:{line}: `{module}` may not use `{used}`", file.path));
            }
        }
    }
    report("the layers of ARCHITECTURE.md are not kept", complaints);
}

#[test]
fn the_table_has_no_cycles_and_no_built_module_among_the_planned() {
    let table = Table::read();
    let mut complaints = Vec::new();
    let mut below: BTreeSet<String> = BTreeSet::new();
    // Rows that may use everything are the top; the others must be sortable from the bottom up.
    let mut rest: BTreeMap<_, _> =
        table.allowed.iter().filter_map(|(module, allowed)| Some((module, allowed.listed()?))).collect();
    loop {
        let (ready, stuck): (BTreeMap<_, _>, BTreeMap<_, _>) =
            rest.into_iter().partition(|(_, uses)| uses.iter().all(|used| below.contains(used)));
        below.extend(ready.keys().map(|module| (*module).clone()));
        rest = stuck;
        if ready.is_empty() {
            break;
        }
    }
    for (module, uses) in rest {
        complaints.push(format!("`{module}` uses {uses:?}, which lead back to it or have no row"));
    }
    for module in &table.planned {
        if root().join("src").join(module).exists() || root().join(format!("src/{module}.rs")).exists() {
            complaints.push(format!("`{module}` exists: move its row to the first table"));
        }
    }
    report("the table of ARCHITECTURE.md is wrong", complaints);
}

#[test]
fn only_config_reads_the_environment() {
    let mut complaints = Vec::new();
    for file in sources("src").into_iter().filter(|file| !file.path.starts_with("src/config")) {
        for (number, line) in numbered(&file.code) {
            if line.contains("env::var") || line.contains("env::set_var") {
                complaints.push(format!("{}:{number}: take the value as an argument", file.path));
            }
        }
    }
    report("only `config` reads variables of the environment", complaints);
}

// --- files ----------------------------------------------------------------------------------------------------

#[test]
fn every_source_file_opens_with_what_it_is_for() {
    let silent = all_rust().into_iter().filter(|file| !file.text.starts_with("//! "));
    report("every file begins with a `//!` line", silent.map(|file| file.path));
}

#[test]
fn no_name_is_empty_of_meaning() {
    let mut complaints = Vec::new();
    for file in all_rust() {
        let path = Path::new(&file.path).with_extension("");
        if path.iter().any(|part| EMPTY_NAMES.iter().any(|name| part == *name)) {
            complaints.push(file.path);
        }
    }
    report("name a file after the thing it is about", complaints);
}

#[test]
fn files_and_functions_are_short() {
    let mut complaints = Vec::new();
    for file in all_rust() {
        let lines = file.text.lines().count();
        if lines > LONGEST_FILE && LONG_FILES.iter().all(|(path, _)| file.path != *path) {
            complaints.push(format!("{}: {lines} lines; at most {LONGEST_FILE}", file.path));
        }
        for (line, name, lines) in functions(&file.code) {
            if lines > LONGEST_FUNCTION {
                complaints.push(format!(
                    "{}:{line}: `{name}` has {lines} lines; at most {LONGEST_FUNCTION}",
                    file.path
                ));
            }
        }
    }
    report("divide what is too long", complaints);
}

#[test]
fn every_file_of_integration_tests_is_run() {
    let main = fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    let mut complaints = Vec::new();
    for file in sources("tests/it") {
        let name = Path::new(&file.path).file_stem().unwrap().to_string_lossy().into_owned();
        let directly = Path::new(&file.path).parent() == Some(Path::new("tests/it"));
        if directly && name != "main" && !main.contains(&format!("mod {name};")) {
            complaints.push(format!("{}: add `mod {name};` to tests/it/main.rs", file.path));
        }
    }
    report("a file that is in no module is not compiled", complaints);
}

#[test]
fn no_test_is_ignored_and_every_example_in_the_text_is_compiled() {
    // Put together here, so that this file does not hold them.
    let forbidden = [concat!("#[", "ignore"), concat!("```", "ignore"), concat!("```rust,", "ignore")];
    let mut complaints = Vec::new();
    for file in texts() {
        for (number, line) in numbered(&file.text) {
            for word in forbidden.iter().filter(|word| line.contains(**word)) {
                complaints.push(format!("{}:{number}: `{word}`", file.path));
            }
        }
    }
    report("what cannot run is mended or removed", complaints);
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    let places = [concat!("/wor", "k/"), concat!("/hom", "e/"), concat!("/Use", "rs/")];
    let mut complaints = Vec::new();
    for file in texts() {
        for (number, line) in numbered(&file.text) {
            for place in places.iter().filter(|place| line.contains(**place)) {
                complaints.push(format!("{}:{number}: `{place}`", file.path));
            }
        }
    }
    report("paths are relative to the repository", complaints);
}

#[cfg(unix)]
#[test]
fn scripts_can_be_executed() {
    use std::os::unix::fs::PermissionsExt;
    let mut scripts: Vec<_> = files_below("scripts").collect();
    scripts.push(root().join(".ci/run"));
    let idle =
        scripts.iter().filter(|script| fs::metadata(script).unwrap().permissions().mode() & 0o111 == 0);
    report("chmod +x", idle.map(|script| script.display().to_string()));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut complaints = Vec::new();
    for file in
        texts().into_iter().filter(|file| Path::new(&file.path).extension().is_some_and(|end| end == "md"))
    {
        for (line, target) in links(&file.text) {
            let (path, heading) = target.split_once('#').unwrap_or((target.as_str(), ""));
            let folder = root().join(&file.path).parent().unwrap().to_owned();
            let path = if path.is_empty() { root().join(&file.path) } else { folder.join(path) };
            let found = if heading.is_empty() || path.extension().is_none_or(|end| end != "md") {
                path.exists()
            } else {
                fs::read_to_string(&path).is_ok_and(|text| headings(&text).contains(heading))
            };
            if !found {
                complaints.push(format!("{}:{line}: {target}", file.path));
            }
        }
    }
    report("these links lead nowhere", complaints);
}

#[test]
fn the_table_of_operators_names_them_all() {
    let trait_text = fs::read_to_string(root().join("src/stream/operators.rs")).unwrap();
    let table = fs::read_to_string(root().join("docs/operators.md")).unwrap();
    let named: BTreeSet<&str> =
        table.split('`').skip(1).step_by(2).map(|code| code.split('(').next().unwrap()).collect();
    let methods = trait_text.lines().filter_map(|line| line.strip_prefix("    fn "));
    let methods: Vec<_> = methods.map(|rest| rest.split(['(', '<']).next().unwrap()).collect();
    assert!(methods.len() > 60, "the operators were not found");
    let missing = methods.into_iter().filter(|name| !named.contains(name));
    report("docs/operators.md lacks", missing.map(String::from));
}

#[test]
fn tests_that_documents_name_exist() {
    let tests: Vec<_> = sources("tests").into_iter().map(|file| file.code).collect();
    let mut gone = Vec::new();
    for document in ["ARCHITECTURE.md", "docs/compatibility.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        // A test's name is a sentence: no other name in these texts has so many words.
        let names = text.split('`').skip(1).step_by(2).filter(|code| code.matches('_').count() > 3);
        let unknown = names.filter(|name| !tests.iter().any(|code| code.contains(&format!("fn {name}("))));
        gone.extend(unknown.map(|name| format!("{document}: {name}")));
    }
    report("these tests are gone or have another name", gone);
}

#[test]
fn no_two_shapes_of_the_api_have_one_name() {
    // The description has a shape by its name alone: of two, one would stand for both.
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in sources("src") {
        let derived = file.text.split("ToSchema").skip(1);
        for after in derived.filter(|after| after.starts_with([')', ','])) {
            let Some(head) = after.split(['{', ';']).find(|part| is_a_type(part)) else { continue };
            let given = head.split("schema(as = ").nth(1).map(|rest| rest.split([',', ')']).next().unwrap());
            let own = head.split_whitespace().skip_while(|word| !matches!(*word, "struct" | "enum")).nth(1);
            let name = given.or(own).unwrap().split(['<', '(']).next().unwrap();
            places.entry(name.trim().to_owned()).or_default().push(file.path.clone());
        }
    }
    assert!(places.len() > 40, "the shapes were not found");
    let twice = places.into_iter().filter(|(_, places)| places.len() > 1);
    report(
        "`#[schema(as = …)]` gives a shape another name",
        twice.map(|(name, places)| format!("{name}: {places:?}")),
    );
}

fn is_a_type(text: &str) -> bool {
    text.split_whitespace().any(|word| matches!(word, "struct" | "enum"))
}

#[test]
fn every_feature_but_the_heavy_ones_is_on_by_default() {
    let features = features();
    let mut on = BTreeSet::new();
    let mut next = vec!["default".to_owned()];
    while let Some(feature) = next.pop() {
        if on.insert(feature.clone()) {
            next.extend(features.get(&feature).into_iter().flatten().cloned());
        }
    }
    let mut complaints = Vec::new();
    for feature in features.keys() {
        match (HEAVY_FEATURES.contains(&feature.as_str()), on.contains(feature)) {
            (true, true) => complaints.push(format!("`{feature}` is heavy: take it out of `default`")),
            (false, false) => complaints.push(format!("`{feature}` is missing in `default`")),
            _ => {}
        }
    }
    report("the features of Cargo.toml are wrong", complaints);
}

#[track_caller]
fn report(rule: &str, complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<_> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "{rule}:\n  {}", complaints.join("\n  "));
}
