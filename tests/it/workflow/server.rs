//! The program on a server, as littleflow's is called there.

use super::program::{Process, Program};
use crate::server::{RedisServer, until};
use mape::app::App;
use mape::backend::Backend;
use mape::workflow::{Builtin, Engine, Status, Tasks};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

fn quiet(program: &Program, arguments: &[&str]) -> Process {
    Process(program.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// What a process writes on its standard error, as it comes.
fn said(child: &mut Child) -> Arc<Mutex<Vec<String>>> {
    let (lines, stderr) = (Arc::<Mutex<Vec<String>>>::default(), child.stderr.take().unwrap());
    let shared = lines.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            shared.lock().unwrap().push(line.unwrap());
        }
    });
    lines
}

#[test]
fn a_run_on_a_server_is_left_to_the_engines_there() {
    let server = RedisServer::start();
    let program = Program::new("server-run", "echo");
    let port = server.port().to_string();
    // Of all these, 0.0.0.0 is this machine; an id may have its prefix.
    let here = ["--host", "0.0.0.0", "--port", &port];
    let run = |arguments: &[&str]| program.run(&[arguments, &here].concat());
    let (code, out, err) = run(&["run", "a.flow", "--workflow-id", "workflow:r", "--input", r#"{"x": 1}"#]);
    assert_eq!((code, out.as_str()), (0, "workflow r is running\n"), "{err}");
    assert_eq!(server.cli(&["GET", "workflow:r:state"]), "RUNNING");
    let _serving = quiet(&program, &[&["serve"], &here[..]].concat());
    let (code, out, err) = run(&["run", "--wait", "--workflow-id", "r", "--json"]);
    assert_eq!(code, 0, "{err}");
    let line: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(line, json!({"id": "r", "state": "FINISHED", "output": {"x": 1}}));
    // A flow with a mistake in it, of which the engines there would only tell in the run.
    std::fs::write(program.directory.join("b.flow"), "wait:delay (- duration: soon -)").unwrap();
    let (code, _, err) = run(&["run", "b.flow"]);
    assert_eq!(code, 1);
    assert!(err.contains("`duration` is seconds or a text like 5m30s"), "{err}");
    let (code, _, err) = run(&["run", "--wait", "--id", "nobody"]);
    assert_eq!(code, 1);
    assert!(err.contains("there is no run nobody"), "{err}");
    for id in ["r", "workflow:r"] {
        let (code, out, _) = run(&["inspect", id, "--all"]);
        assert_eq!(code, 0);
        assert!(out.starts_with("r is FINISHED"), "{out}");
    }
    let (code, _, err) = run(&["event", "paid", "--data", "[1]"]);
    assert_eq!(code, 2, "{err}");
    assert_eq!(run(&["event", "paid", "--data", r#"{"order": 7}"#]).0, 0);
    assert_eq!(run(&["end", "workflow:r", "echo", "1"]).0, 1, "it is over");
}

#[test]
fn those_who_wait_each_wait_for_their_own_run_also_when_it_fails_or_is_terminated() {
    let server = RedisServer::start();
    let url = server.url();
    let program = Program::new("server-wait", "echo → wait:delay (- duration: '{input[for]}' -)");
    let file = |name: &str, flow: &str| std::fs::write(program.directory.join(name), flow).unwrap();
    file("fails.flow", "echo → wait:event (- {event: never, timeout: 300ms} -)");
    file("waits.flow", "wait:event (- event: never -)");
    let wait = |arguments: &[&str]| {
        let arguments = [&["run"], arguments, &["--wait", "--backend", &url]].concat();
        program.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut waiting: Vec<(Child, i32)> = Vec::new();
    for n in 0..3 {
        let input = format!("{{\"for\": {}}}", 0.3 * f64::from(n));
        waiting.push((wait(&["a.flow", "--id", &format!("a{n}"), "--input", &input]), 0));
    }
    waiting.push((wait(&["fails.flow", "--id", "f"]), 1));
    waiting.push((wait(&["waits.flow", "--id", "t"]), 1));
    let state = |id: &str| server.cli(&["GET", &format!("workflow:{id}:state")]);
    until("all are there", || ["a0", "a1", "a2", "f", "t"].iter().all(|id| state(id) == "RUNNING"));
    let _serving = quiet(&program, &["serve", "--backend", &url]);
    until("the others are over", || {
        state("f") == "FAILED" && ["a0", "a1", "a2"].iter().all(|id| state(id) == "FINISHED")
    });
    program.json(&["terminate", "t", "--backend", &url]);
    let mut last = String::new();
    for (child, expected) in waiting {
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(expected), "{err}");
        assert!(err.contains(" is running on redis://127.0.0.1:"), "{err}");
        if expected == 0 {
            assert!(err.contains("wait:delay (#2) done"), "{err}");
        }
        last.push_str(&err);
    }
    assert!(last.contains("wait:event (#2) failed: waited 300ms for"), "{last}");
    assert!(last.contains("the run t is TERMINATED"), "{last}");
}

/// An engine that hosts the built-in tasks and leaves all others to others.
async fn engine(url: &str) -> Engine {
    let backend = Backend::open(url).await.unwrap();
    let tasks = Tasks::new().with_all(Builtin::new(&backend).tasks()).and_others();
    Engine::start(&App::with_backend(backend), tasks).await.unwrap()
}

/// `mape simulate` and what it says.
fn simulate(program: &Program, url: &str, more: &[&str]) -> (Process, Arc<Mutex<Vec<String>>>) {
    let arguments = [&["simulate", "--backend", url], more].concat();
    let mut child = program.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = said(&mut child);
    until("it is ready", || lines.lock().unwrap().iter().any(|line| line.starts_with("simulating tasks on")));
    (Process(child), lines)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_simulated_gives_its_input_and_built_in_tasks_are_left_to_the_engine() {
    let url = RedisServer::shared_url();
    let program = Program::new("simulate", "");
    let (mut simulating, lines) = simulate(&program, &url, &["--wait-period", "0.05"]);
    let engine = engine(&url).await;
    let flow = "math:add → wait:delay (- duration: 0.05 -) → redis:incr (- args: [n] -) → brew";
    let run = engine.run(flow, json!({"x": 1})).await.unwrap();
    assert_eq!(*run.output().await.unwrap().unwrap(), json!({"x": 1, "n": 1}));
    simulating.signal("-TERM");
    until("it has ended", || lines.lock().unwrap().iter().any(|line| line == "ended"));
    let names: Vec<String> = lines
        .lock()
        .unwrap()
        .iter()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned))
        .collect();
    assert_eq!(names, ["math:add", "brew"]);
    // Each was begun once and ended once.
    let log = engine.app().backend().events().log("workflows:run");
    let entries = log.range(mape::event::EventId::MIN, mape::event::EventId::MAX, 1000).await.unwrap();
    let ends = entries.iter().filter(|entry| entry.event.as_ref().unwrap().is("end-task")).count();
    assert_eq!(ends, 2);
}

/// What was decided of each step of a run `r` of many tasks.
async fn decided(program: &Program, seed: &str) -> (BTreeMap<String, String>, Status) {
    const TASKS: usize = 30;
    let url = RedisServer::shared_url();
    let more = ["--wait-period", "0.2", "--failures", "40%", "--seed", seed];
    let (mut simulating, lines) = simulate(program, &url, &more);
    let engine = engine(&url).await;
    let tasks: Vec<String> = (0..TASKS).map(|n| format!("t{n}")).collect();
    let flow = format!("{{ {} }} → :end", tasks.join(" "));
    let run = engine.run_as("r".into(), &flow, Value::Null).await.unwrap();
    let status = run.wait().await.unwrap().status;
    let told = || -> BTreeMap<String, String> {
        let lines = lines.lock().unwrap();
        let lines = lines.iter().filter_map(|line| line.strip_prefix("  t")?.split_once(") "));
        lines.map(|(step, how)| (step.to_owned(), how.to_owned())).collect()
    };
    until("all have ended", || told().len() == TASKS);
    simulating.signal("-TERM");
    let mut told = told();
    // Those that were no longer wanted.
    told.retain(|_, how| !how.starts_with("was to end"));
    (told, status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_decides_the_same() {
    let program = Program::new("simulate-seed", "");
    let ((one, status), (again, _)) = (decided(&program, "7").await, decided(&program, "7").await);
    let (other, _) = decided(&program, "8").await;
    assert_eq!(status, Status::Failed);
    assert!(one.values().any(|how| how.starts_with("failed after")), "{one:?}");
    let both: Vec<&String> = one.keys().filter(|step| again.contains_key(*step)).collect();
    assert!(!both.is_empty());
    assert!(both.iter().all(|step| one[*step] == again[*step]), "{one:?}\n{again:?}");
    assert!(both.iter().any(|step| other.get(*step) != one.get(*step)), "{one:?}\n{other:?}");
}

#[test]
fn who_begins_a_run_where_no_engine_is_at_work_is_told() {
    let server = RedisServer::start();
    let (program, url) =
        (Program::new("server-unattended", "echo → wait:event (- event: rung -)"), server.url());
    let run = |arguments: &[&str]| program.run(&[arguments, &["--backend", &url]].concat());
    let nobody = "no engine is at work there now: `mape worker` goes on with it";
    let (code, _, err) = run(&["run", "a.flow", "--id", "alone"]);
    assert_eq!((code, err.trim()), (0, nobody));
    let _serving = quiet(&program, &["worker", "--backend", &url]);
    until("the worker goes on with it", || server.cli(&["SCARD", "mape:waiting"]) == "0");
    let (code, _, err) = run(&["run", "a.flow", "--id", "served"]);
    assert_eq!((code, err.contains(nobody)), (0, false), "{err}");
    assert_eq!(run(&["pause", "served"]).1.trim(), "RUNNING      served, paused");
    for _ in 0..2 {
        assert_eq!(run(&["terminate", "served"]).0, 0);
    }
    let (code, out, err) = run(&["restart", "served"]);
    assert_eq!((code, out.trim(), err.as_str()), (0, "RUNNING      served", ""));
    let (code, _, err) = run(&["event", ""]);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn who_serves_a_server_leaves_what_it_has_not_to_workers_elsewhere() {
    let server = RedisServer::start();
    let (program, url) = (Program::new("server-others", "brew"), server.url());
    let _serving = quiet(&program, &["serve", "--backend", &url]);
    let (_simulating, _) = simulate(&program, &url, &["--wait-period", "0.05"]);
    let (code, out, err) = program.run(&["run", "a.flow", "--wait", "--input", "[1]", "--backend", &url]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), json!([1]));
}

#[test]
fn a_task_that_no_worker_has_shows() {
    let server = RedisServer::start();
    let (program, url) = (Program::new("server-untaken", "brew"), server.url());
    // At once, not after half a minute.
    std::fs::write(program.directory.join("config.yaml"), "workflow:\n  untaken_after: 0s\n").unwrap();
    let _working = quiet(&program, &["worker", "--backend", &url]);
    let id = ["--backend", &url];
    let inspected = || program.run(&[&["inspect", "r"], &id[..]].concat()).1;
    assert_eq!(program.run(&[&["run", "a.flow", "--id", "r"], &id[..]].concat()).0, 0);
    until("nobody has the task", || {
        inspected().contains("so none has this task, or whoever has it answers later")
    });
    server.cli(&["XGROUP", "CREATE", "workflows:run", "brewers", "0"]);
    until("a group has no workers", || {
        inspected().contains(": no worker of brewers is there, or they have enough")
    });
    server.cli(&["XREADGROUP", "GROUP", "brewers", "one", "STREAMS", "workflows:run", ">"]);
    let taken = inspected();
    assert!(taken.contains("active") && !taken.contains("nobody has taken it"), "{taken}");
}

#[test]
fn whoever_waits_for_a_run_that_is_not_there_is_told_at_once() {
    let (url, program) = (RedisServer::shared_url(), Program::new("server-nobody", "brew"));
    let (code, _, err) = program.run(&["run", "--wait", "--id", "nobody-has-it", "--backend", &url]);
    assert_eq!((code, err.starts_with("error: there is no run nobody-has-it")), (1, true), "{err}");
    let (code, _, err) = program.run(&["run", "a.flow", "--backend", "memory:"]);
    assert_eq!(code, 1);
    assert!(
        err.contains("workers elsewhere have tasks on a server, which --host or --backend names"),
        "{err}"
    );
}

#[test]
fn a_program_that_waits_for_its_server_can_be_told_to_end() {
    let program = Program::new("server-away", "");
    // Somebody who holds the port and answers nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    for command in ["worker", "serve", "simulate", "receipts"] {
        let mut child = program.command(&[command, "--backend", &url]).stderr(Stdio::null()).spawn().unwrap();
        silent.accept().unwrap();
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").arg(&id).status().unwrap().success());
        until(command, || child.try_wait().unwrap().is_some());
    }
}
