//! The flows of `examples/flows/`, run as their texts say.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program, at the root of the repository; with the files that it is to work on in a directory of the test's own.
fn mape(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
    command.args(arguments).current_dir(directory).stdin(Stdio::null()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MAPE_")) {
        command.env_remove(name);
    }
    command
}

/// What is written by a run that finishes.
fn output(mut command: Command) -> Value {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).unwrap()
}

/// A copy of what the examples read.
fn workplace(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flow_examples").join(test);
    let _ = std::fs::remove_dir_all(&directory);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["examples/flows", "examples/data"] {
        std::fs::create_dir_all(directory.join(part)).unwrap();
        for file in std::fs::read_dir(root.join(part)).unwrap() {
            let from = file.unwrap().path();
            // What other examples have is in directories of their own.
            if from.is_dir() {
                continue;
            }
            std::fs::copy(&from, directory.join(part).join(from.file_name().unwrap())).unwrap();
        }
    }
    directory
}

#[test]
fn every_example_runs_with_tasks_that_answer_with_their_input() {
    let directory = workplace("echo");
    for (flow, input, expected) in [
        ("parcels", r#"{"opened": true}"#, json!({"opened": true})),
        ("reminder", r#"{"in": "9d", "what": "tea"}"#, json!({"in": "9d", "what": "tea"})),
        ("water_report", r#"{"text": "none"}"#, json!([{"text": "none"}, {"text": "none"}])),
        ("water", "{}", json!({})),
        ("invoice", r#"{"amount": 5}"#, json!({"amount": 5})),
    ] {
        let file = format!("examples/flows/{flow}.flow");
        let command = mape(&directory, &["run", &file, "--tasks", "echo", "--input", input]);
        assert_eq!(output(command), expected, "{flow}");
    }
}

#[test]
fn the_report_of_the_water_is_made_of_the_real_readings() {
    let directory = workplace("water");
    let file = "examples/flows/water_report.flow";
    let settings = "examples/flows/config.yaml";
    let command = mape(&directory, &["run", file, "--tasks", "exec", "--config", settings]);
    assert_eq!(output(command), json!({"days_of_loss": 4}));
    let days = std::fs::read_to_string(directory.join("target/water_report/days.json")).unwrap();
    let days: Vec<Value> = serde_json::from_str(&days).unwrap();
    let lost: Vec<&Value> = days.iter().filter(|day| day["lost"] == true).map(|day| &day["day"]).collect();
    assert_eq!(lost, ["2022-03-24", "2022-03-29", "2022-04-27", "2022-04-28"]);
    let hours = std::fs::read_to_string(directory.join("target/water_report/hours.yaml")).unwrap();
    assert!(hours.contains("07") && hours.contains("102.5"), "{hours}");
}
