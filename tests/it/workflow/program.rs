//! The program's commands about runs, and runs that outlive it.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(super) struct Program {
    directory: PathBuf,
}

impl Program {
    pub(super) fn new(test: &str, flow: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workflow").join(test);
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("a.flow"), flow).unwrap();
        Self { directory }
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
        command.args(arguments).current_dir(&self.directory).stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MAPE_")) {
            command.env_remove(name);
        }
        command
    }

    /// Exit code, standard output and standard error.
    pub(super) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    /// The last line of standard output of a command that succeeds, with `--json`.
    pub(super) fn json(&self, arguments: &[&str]) -> Value {
        let (code, out, err) = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(code, 0, "{arguments:?}: {err}");
        serde_json::from_str(out.lines().last().unwrap()).unwrap()
    }
}

#[test]
fn a_flow_runs_in_memory_and_its_output_is_the_last_line() {
    let program = Program::new("memory", "A → { B C } → > :end");
    let line = program.json(&["run", "a.flow", "--tasks", "echo", "--input", r#"{"x": 1}"#, "--id", "mine"]);
    assert_eq!(line, json!({"id": "mine", "state": "FINISHED", "output": {"x": 1}}));
    std::fs::write(program.directory.join("in.json"), r#"{"y": 2}"#).unwrap();
    let (code, out, err) = program.run(&["run", "a.flow", "--tasks", "echo", "--input", "@in.json"]);
    assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()), (0, json!({"y": 2})));
    assert!(err.contains("  A (#1) done") && err.starts_with("run "), "{err}");
}

#[test]
fn what_cannot_run_says_why_and_a_failure_names_the_task() {
    let program = Program::new("wrong", "A → :nowhere");
    let (code, out, err) = program.run(&["run", "a.flow"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("a.flow:1:5"), "{err}");
    std::fs::write(program.directory.join("b.flow"), "fetch").unwrap();
    let (code, _, err) = program.run(&["run", "b.flow"]);
    assert_eq!(code, 1);
    assert!(err.contains("nobody has the task `fetch`: there are `echo`, `human:approve`, `log:*`"), "{err}");
    std::fs::write(program.directory.join("c.flow"), "echo → log:loud").unwrap();
    let (code, out, err) = program.run(&["run", "c.flow", "--json", "--id", "x"]);
    let line: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((code, &line["state"], &line["id"]), (1, &json!("FAILED"), &json!("x")));
    assert!(err.contains("log:loud (#2) failed"), "{err}");
    assert_eq!(program.run(&["run", "absent.flow"]).0, 2);
    assert_eq!(program.run(&["run", "c.flow", "--input", "{"]).0, 2);
    assert_eq!(program.run(&["run"]).0, 2);
}

#[cfg(all(feature = "file", unix))]
#[test]
fn a_run_goes_on_after_every_kill_and_repeats_nothing_that_has_ended() {
    let names: Vec<String> = (0..12).map(|n| format!("t{n}")).collect();
    let program = Program::new("killed", &names.join(" → "));
    let (url, mut kills) = ("file:data", 0);
    for turn in 0..3 {
        let arguments =
            ["run", "a.flow", "--id", "r", "--tasks", "simulate", "--backend", url, "--input", "{\"x\": 1}"];
        let mut child =
            program.command(&arguments).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        // Killed right after some task has ended, at another place each time.
        let ended = lines.filter(|line| line.ends_with(" done")).nth(turn);
        assert!(ended.is_some(), "it ended by itself: {:?}", child.wait());
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    let line = program.json(&["run", "--id", "r", "--tasks", "simulate", "--backend", url]);
    assert_eq!(line, json!({"id": "r", "state": "FINISHED", "output": {"x": 1}}));
    let run = program.json(&["inspect", "r", "--backend", url]);
    let steps = run["steps"].as_array().unwrap();
    let attempts: u64 = steps.iter().map(|step| step["attempt"].as_u64().unwrap()).sum();
    assert!((12..=12 + kills).contains(&attempts), "{attempts} attempts");
    assert_eq!(program.json(&["list", "--backend", url]), json!({"id": "r", "state": "FINISHED"}));
}

#[cfg(all(feature = "file", unix))]
#[test]
fn a_run_is_steered_from_another_terminal() {
    let program = Program::new("steered", "t0 → t1 → t2 → t3 → t4 → t5 → t6 → t7 → t8 → t9 → t10 → t11");
    let url = "file:data";
    let arguments = ["run", "a.flow", "--id", "r", "--tasks", "simulate", "--backend", url, "--json"];
    let mut child = program.command(&arguments).stderr(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let begin = std::time::Instant::now();
    let mut state = json!(null);
    while state != "RUNNING" && begin.elapsed().as_secs() < 10 {
        let (_, out, _) = program.run(&["inspect", "r", "--backend", url, "--json"]);
        state = serde_json::from_str::<Value>(&out).map_or(json!(null), |run| run["state"].clone());
    }
    assert_eq!(state, "RUNNING");
    assert_eq!(program.json(&["list", "--backend", url])["id"], "r");
    program.json(&["terminate", "r", "--backend", url]);
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(1));
    assert_eq!(program.json(&["inspect", "r", "--backend", url])["state"], "TERMINATED");
    program.json(&["archive", "r", "--to", "r.json", "--backend", url]);
    let copy = program.json(&["restore", "r.json", "--backend", url]);
    assert_eq!(copy["state"], "TERMINATED");
    assert_eq!(program.json(&["restart", "r", "--backend", url])["state"], "RUNNING");
    let line = program.json(&["run", "--id", "r", "--tasks", "echo", "--backend", url]);
    assert_eq!(line["state"], "FINISHED");
    let (code, _, err) = program.run(&["terminate", "r", "--backend", url]);
    assert!(code == 1 && err.contains("the run r stays as it is"), "{err}");
}
