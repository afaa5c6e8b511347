//! What is in `deploy/`: it is read as those read it whom it is for, and what it starts is what the program can do.

mod containers;
mod dashboards;
mod example_dashboards;
mod kustomize;
mod units;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file or directory below `deploy/`.
fn place(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(place(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a file in YAML.
fn documents(path: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn document(path: &str) -> Value {
    let [document] = documents(path).try_into().unwrap_or_else(|all| panic!("{path}: {all:?}"));
    document
}

/// A list of texts.
fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// The variables that a file sets, with their values.
fn variables(path: &str) -> Vec<(String, String)> {
    let content = text(path);
    let lines = content.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    lines.map(|line| pair(line).unwrap_or_else(|| panic!("{path}: {line}"))).collect()
}

/// The program, without variables of ours.
fn mape(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if ["MAPE_", "REDIS_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// The program knows these arguments: help is shown only if all before it are understood.
#[track_caller]
fn are_understood(arguments: &[&str]) {
    assert!(["serve", "worker", "receipts"].contains(&arguments[0]), "{arguments:?}");
    let output = mape(arguments).arg("--help").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A configuration is valid with these variables, the empty ones filled in.
#[track_caller]
fn is_valid(config: &str, files: &[&str]) {
    let mut command = mape(&["config", "check", "--config"]);
    command.arg(place(config));
    for (name, value) in files.iter().flat_map(|file| variables(file)) {
        command.env(name, if value.is_empty() { "0123456789abcdef0123456789abcdef" } else { &value });
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{config}: {}", String::from_utf8_lossy(&output.stderr));
}

/// No value that is a secret is there but those that are no use.
#[test]
fn no_file_holds_a_secret() {
    let mut found = Vec::new();
    let mut directories = vec![place("")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            for line in fs::read_to_string(&path).unwrap().lines() {
                let pair = line.trim_start_matches(['#', ' ']).split_once(['=', ':']);
                let Some((name, value)) = pair else { continue };
                let is_secret = ["TOKEN", "PASSWORD", "SECRET", "token", "password"]
                    .iter()
                    .any(|end| name.trim_end().ends_with(end));
                // What begins with `$` is the name of a variable.
                let is_shown = !matches!(value.trim(), "" | "replace-me") && !value.trim().starts_with('$');
                if is_secret && is_shown {
                    found.push(format!("{}: {line}", path.display()));
                }
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}
