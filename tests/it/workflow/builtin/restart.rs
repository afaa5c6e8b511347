//! Waits of a program that is killed, or stopped, and started again.

pub(super) use super::super::program::Process;
use super::super::program::Program;
use serde_json::json;
use std::io::BufRead;
use std::process::Stdio;
use std::time::SystemTime;

const URL: &str = "file:data";

/// Runs the flow in a process of its own, until it says that the run is kept, and its first task is in work.
pub(super) fn started(program: &Program, input: &str) -> Process {
    let arguments = ["run", "a.flow", "--id", "r", "--backend", URL, "--input", input];
    let child = program.command(&arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut process = Process(child.unwrap());
    kept(&mut process, "r");
    let run = program.json(&["inspect", "r", "--backend", URL]);
    assert_eq!(run["steps"][1]["phase"], "active");
    assert!(run["steps"][1]["waiting"].is_object(), "{run}");
    process
}

/// Waits until a process says that its run is kept.
pub(super) fn kept(process: &mut Process, id: &str) {
    // To be read as long as the process lives, which says more.
    let mut said = std::io::BufReader::new(process.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with(&format!("run {id} on ")) {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended by itself");
    }
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
}

/// How long the first step took.
fn length(program: &Program) -> f64 {
    let run = program.json(&["inspect", "r", "--backend", URL]);
    let at = |name: &str| run["steps"][1][name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    SystemTime::from(at("ended")).duration_since(at("started").into()).unwrap().as_secs_f64()
}

#[test]
fn a_delay_survives_being_killed_and_stopped_and_fires_once_on_time() {
    for name in ["-KILL", "-INT", "-TERM"] {
        let program = Program::new(&format!("delay{name}"), "wait:delay (- duration: 6 -) → echo");
        let mut child = started(&program, r#"{"x": 1}"#);
        child.signal(name);
        // Nothing has ended because of that.
        let run = program.json(&["inspect", "r", "--backend", URL]);
        assert_eq!(
            (&run["state"], &run["steps"][1]["phase"]),
            (&json!("RUNNING"), &json!("active")),
            "{name}"
        );
        let line = program.json(&["run", "--id", "r", "--backend", URL]);
        assert_eq!(line, json!({"id": "r", "state": "FINISHED", "output": {"x": 1}}));
        let took = length(&program);
        assert!((6.0..6.5).contains(&took), "{name}: {took} s");
        let run = program.json(&["inspect", "r", "--backend", URL]);
        assert_eq!(run["steps"][2]["attempt"], 1, "what follows has begun once");
    }
}

#[test]
fn a_wait_for_an_event_survives_being_killed_and_loses_none_between() {
    let program = Program::new("event-killed", "wait:event (- {event: paid, match: input, fields: [sum]} -)");
    program.json(&["event", "paid", "--data", r#"{"order": 7, "sum": 1}"#, "--backend", URL]);
    let mut child = started(&program, r#"{"order": 7}"#);
    child.signal("-KILL");
    program.json(&["event", "paid", "--data", r#"{"order": 8, "sum": 2}"#, "--backend", URL]);
    program.json(&["event", "paid", "--data", r#"{"order": 7, "sum": 3}"#, "--backend", URL]);
    program.json(&["event", "paid", "--data", r#"{"order": 7, "sum": 4}"#, "--backend", URL]);
    let line = program.json(&["run", "--id", "r", "--backend", URL]);
    assert_eq!(line["output"], json!({"order": 7, "sum": 3}));
}

#[test]
fn a_question_survives_being_killed_and_is_answered_from_another_terminal() {
    let program =
        Program::new("approve-killed", "human:approve (- {question: 'Pay {input[sum]}?', who: ada} -)");
    let mut child = started(&program, r#"{"sum": 5}"#);
    child.signal("-KILL");
    let (_, shown, _) = program.run(&["inspect", "r", "--backend", URL]);
    assert!(shown.contains("waits for ada: Pay 5?"), "{shown}");
    let output = r#"{"by": "ada"}"#;
    program.json(&["end", "r", "human:approve", "1", "--output", output, "--backend", URL]);
    let line = program.json(&["run", "--id", "r", "--backend", URL]);
    assert_eq!(line["output"], json!({"sum": 5, "approved": true, "by": "ada"}));
}
