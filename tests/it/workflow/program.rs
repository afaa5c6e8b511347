//! The program's commands about runs, and runs that outlive it.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub(super) struct Program {
    pub(super) directory: PathBuf,
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
        for (name, _) in std::env::vars_os() {
            if ["MAPE_", "REDIS_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
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

/// A process that ends with the test.
pub(super) struct Process(pub(super) Child);

impl Process {
    pub(super) fn signal(&mut self, name: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
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
    assert!(err.contains("nobody has the task `fetch`: there are `echo`, `human:approve`, `"), "{err}");
    std::fs::write(program.directory.join("c.flow"), "echo → log:info (- message: '{input.gone}' -)")
        .unwrap();
    let (code, out, err) = program.run(&["run", "c.flow", "--json", "--id", "x"]);
    let line: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((code, &line["state"], &line["id"]), (1, &json!("FAILED"), &json!("x")));
    assert!(err.contains("log:info (#2) failed"), "{err}");
    let misspelled = "log:info (- message: begun -) → wait:event (- {evnt: e, timeout: soon} -)";
    std::fs::write(program.directory.join("d.flow"), misspelled).unwrap();
    let (code, _, err) = program.run(&["run", "d.flow"]);
    assert!(code == 1 && !err.contains("begun"), "{err}");
    for said in ["wait:event (#2) has no parameter `evnt`: did you mean `event`?", "not \"soon\""] {
        assert!(err.contains(said), "{err}");
    }
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
    while state != "RUNNING" && begin.elapsed().as_secs() < 60 {
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

/// Waits until `inspect` of a run, with `--json`, fulfils something.
#[cfg(all(feature = "file", unix))]
fn until(program: &Program, id: &str, url: &str, what: impl Fn(&Value) -> bool) -> Value {
    let begin = std::time::Instant::now();
    loop {
        let (_, out, err) = program.run(&["inspect", id, "--backend", url, "--json"]);
        if let Ok(run) = serde_json::from_str::<Value>(&out)
            && what(&run)
        {
            return run;
        }
        assert!(begin.elapsed().as_secs() < 20, "waited in vain: {out} {err}");
    }
}

#[cfg(all(feature = "file", unix))]
#[test]
fn a_detached_run_is_done_by_whoever_runs_there_or_comes_next() {
    let program = Program::new("detached", "t0 → t1 → t2 → t3 → t4 → t5");
    std::fs::write(program.directory.join("b.flow"), "A → B").unwrap();
    let url = "file:data";
    let arguments = ["run", "a.flow", "--id", "a", "--tasks", "simulate", "--backend", url, "--json"];
    let child = program.command(&arguments).stderr(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    until(&program, "a", url, |run| run["state"] == "RUNNING");
    let detached = ["run", "b.flow", "--id", "b", "--detach", "--backend", url, "--input", "{\"x\": 1}"];
    assert_eq!(program.json(&detached), json!({"id": "b", "state": "RUNNING"}));
    // The one that runs does it beside its own.
    let run = until(&program, "b", url, |run| run["state"] == "FINISHED");
    assert_eq!(run["output"], json!({"x": 1}));
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    assert_eq!(
        serde_json::from_slice::<Value>(&out.stdout).unwrap(),
        json!({"id": "a", "state": "FINISHED", "output": {}})
    );
    // Nobody runs: whoever comes next does it.
    program.json(&["run", "b.flow", "--id", "c", "--detach", "--backend", url]);
    let (code, out, _) = program.run(&["inspect", "c", "--backend", url]);
    assert!(code == 0 && out.starts_with("c is RUNNING, in nobody's hands"), "{out}");
    assert_eq!(program.json(&["run", "--id", "c", "--tasks", "echo", "--backend", url])["state"], "FINISHED");
    let (code, _, err) = program.run(&["run", "b.flow", "--detach"]);
    assert!(code == 2 && err.contains("--backend file:DIR"), "{err}");
}

#[cfg(all(feature = "file", unix))]
#[test]
fn what_is_detached_is_done_by_a_program_that_serves_until_it_is_told_to_end() {
    let program = Program::new("served", "A → B");
    let (url, serve) = ("file:mape-data", ["serve", "--tasks", "echo"]);
    program.json(&["run", "a.flow", "--id", "before", "--detach", "--backend", url]);
    let mut serving = Process(program.command(&serve).stderr(Stdio::piped()).spawn().unwrap());
    let mut told = BufReader::new(serving.0.stderr.take().unwrap()).lines();
    let line = told.next().unwrap().unwrap();
    assert!(line.starts_with("serving file:./mape-data, where 1 run is under way"), "{line}");
    program.json(&["run", "a.flow", "--id", "then", "--detach", "--backend", url, "--input", "{\"x\": 1}"]);
    until(&program, "before", url, |run| run["state"] == "FINISHED");
    let run = until(&program, "then", url, |run| run["state"] == "FINISHED");
    assert_eq!(run["output"], json!({"x": 1}));
    let kill = Command::new("kill").arg(serving.0.id().to_string()).status().unwrap();
    assert!(kill.success() && serving.0.wait().unwrap().success());
    let last = told.map(Result::unwrap).last();
    assert_eq!(last.as_deref(), Some("ended; whoever serves the runs next goes on with them"));
    let (code, _, err) = program.run(&["serve", "--no-http", "--backend", "memory:"]);
    assert!(code == 2 && err.contains("memory:"), "{err}");
}

#[cfg(all(feature = "file", unix))]
#[test]
fn a_run_that_is_interrupted_takes_its_programs_along_and_says_how_to_go_on() {
    let program = Program::new(
        "interrupted",
        "exec:sh (- {args: ['-c', 'echo begun >> log; sleep 5; echo ended >> log']} -)",
    );
    let url = "file:data";
    let mut command = program.command(&["run", "a.flow", "--id", "r", "--tasks", "exec", "--backend", url]);
    let command = command.env("MAPE_WORKFLOW__EXEC__ALLOW", "[sh]").stderr(Stdio::piped());
    let mut running = Process(command.spawn().unwrap());
    let log = || std::fs::read_to_string(program.directory.join("log")).unwrap_or_default();
    let begin = std::time::Instant::now();
    while log().is_empty() {
        assert!(begin.elapsed().as_secs() < 20, "it does not begin");
    }
    let kill = Command::new("kill").args(["-INT", &running.0.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(running.0.wait().unwrap().code(), Some(1));
    let mut told = String::new();
    std::io::Read::read_to_string(&mut running.0.stderr.take().unwrap(), &mut told).unwrap();
    assert!(told.contains("`mape run --id r --backend file:data` goes on with it"), "{told}");
    // Its output would be held open by a program that goes on.
    let (code, _, err) = program.run(&["run", "--id", "r", "--backend", url]);
    assert!(code == 1 && err.contains("programs are run with --tasks exec"), "{err}");
    assert_eq!(log(), "begun\n");
    // Nobody is there whose end could be waited for, which the second time does not.
    program.json(&["terminate", "r", "--backend", url]);
    for _ in 0..2 {
        assert_eq!(program.json(&["terminate", "r", "--backend", url])["state"], "TERMINATED");
    }
    program.json(&["delete", "r", "--backend", url]);
    let (code, _, err) = program.run(&["inspect", "r", "--backend", url]);
    assert!(code == 1 && err.contains("there is no run r"), "{err}");
    let (code, _, err) = program.run(&["list", "--backend", "file:typo"]);
    assert!(code == 2 && err.contains("there is no directory typo"), "{err}");
}

#[cfg(all(feature = "redis", unix))]
#[test]
fn a_run_that_is_interrupted_shows_no_password_and_says_when_it_is_gone() {
    let program = Program::new("interrupted-elsewhere", "wait:delay (- duration: 60s -)");
    let server = crate::server::RedisServer::options().acl("car", "on >secret-word ~* &* +@all").start();
    for (url, expected) in [
        (server.url_for("car", "secret-word").as_str(), "`mape run --wait --id r --backend redis://"),
        ("memory:", "it was in memory only, and is gone"),
    ] {
        let mut command = program.command(&["run", "a.flow", "--wait", "--id", "r", "--backend", url]);
        let mut running = Process(command.stderr(Stdio::piped()).spawn().unwrap());
        let mut told = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
        let first = told
            .find(|line| ["run r on", "workflow r is"].iter().any(|begin| line.starts_with(begin)))
            .unwrap();
        let kill = Command::new("kill").args(["-INT", &running.0.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let rest: Vec<String> = told.collect();
        assert_eq!(running.0.wait().unwrap().code(), Some(1), "{rest:?}");
        assert!(rest.iter().any(|line| line.contains(expected)), "{rest:?}");
        assert!(!format!("{first}{rest:?}").contains("secret-word"), "{first} {rest:?}");
    }
}

#[cfg(all(feature = "file", unix))]
#[test]
fn a_run_goes_on_when_the_process_that_owned_the_directory_has_ended() {
    let program = Program::new("owner", "t0 → t1");
    std::fs::write(program.directory.join("b.flow"), "u0 → u1 → u2 → u3 → u4").unwrap();
    let url = "file:data";
    let start = |flow: &str, id: &str| {
        let arguments = ["run", flow, "--id", id, "--tasks", "simulate", "--backend", url, "--json"];
        program.command(&arguments).stderr(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let mut owner = start("a.flow", "a");
    until(&program, "a", url, |run| run["state"] == "RUNNING");
    let other = start("b.flow", "b");
    until(&program, "b", url, |run| run["state"] == "RUNNING");
    assert!(owner.wait().unwrap().success());
    let out = other.wait_with_output().unwrap();
    assert!(out.status.success());
    let line: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(line, json!({"id": "b", "state": "FINISHED", "output": {}}));
    // What was under way went on, and was not begun anew.
    let run = program.json(&["inspect", "b", "--backend", url]);
    let steps = run["steps"].as_array().unwrap().iter().filter(|step| step["task"] == true);
    assert!(steps.clone().count() == 5 && steps.clone().all(|step| step["attempt"] == 1), "{run}");
}

#[cfg(all(feature = "file", unix))]
#[test]
fn tasks_are_ended_paused_and_restarted_from_another_terminal() {
    let program = Program::new("ended", "t0 → t1 → t2 → t3 → t4 → t5 → t6 → t7");
    let url = "file:data";
    let arguments = ["run", "a.flow", "--id", "r", "--tasks", "simulate", "--backend", url, "--json"];
    let child = program.command(&arguments).stderr(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let active = |run: &Value| {
        let steps = run["steps"].as_array()?.clone();
        steps.into_iter().find(|step| step["phase"] == "active")
    };
    // What ends by itself meanwhile stays as it is; one of them is ended from here.
    let mut ended = None;
    while ended.is_none() {
        let step = active(&until(&program, "r", url, |run| active(run).is_some())).unwrap();
        let (name, index) = (step["name"].as_str().unwrap(), step["index"].to_string());
        program.json(&["end", "r", name, &index, "--output", "{\"told\": 1}", "--backend", url]);
        let at = usize::try_from(step["index"].as_u64().unwrap()).unwrap();
        let run = until(&program, "r", url, |run| run["steps"][at]["phase"] == "done");
        ended = (run["steps"][at]["output"] == json!({"told": 1})).then_some(at);
    }
    for (arguments, complaint) in [
        (["end", "r", "t1", "1"], "the task of the run r at #1 is t0, not t1"),
        (["end", "r", "t0", "99"], "the run r has no task at #99"),
    ] {
        let (code, _, err) = program.run(&[&arguments[..], &["--backend", url]].concat());
        assert!(code == 2 && err.contains(complaint), "{err}");
    }
    program.json(&["pause", "r", "--backend", url]);
    until(&program, "r", url, |run| run["paused"] == true && active(run).is_none());
    program.json(&["event", "order", "--data", "{\"n\": 1}", "--backend", url]);
    program.json(&["resume", "r", "--backend", url]);
    let out = child.wait_with_output().unwrap();
    let line: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(line, json!({"id": "r", "state": "FINISHED", "output": {"told": 1}}));
    assert_eq!(program.json(&["restart", "r", "--from", "t6", "--backend", url])["state"], "RUNNING");
    let line = program.json(&["run", "--workflow-id", "workflow:r", "--tasks", "echo", "--backend", url]);
    assert_eq!(line["state"], "FINISHED");
}

#[test]
fn echo_answers_every_task_built_in_names_and_resources_included() {
    let program = Program::new("echo", "<data.json> → log:loud → human:approve → request:get → > :end");
    for tasks in ["echo", "simulate"] {
        let line = program.json(&["run", "a.flow", "--tasks", tasks, "--id", tasks]);
        assert_eq!(line["state"], "FINISHED");
    }
}

#[test]
fn the_backend_is_an_option_else_redis_by_its_parts_else_the_configuration_else_memory() {
    let program = Program::new("backends", "A");
    let url = |variables: &[(&str, &str)], options: &[&str]| {
        let mut command = program.command(&[&["config", "explain", "--json"], options].concat());
        let out = command.envs(variables.iter().copied()).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let entries: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
        let value = |key: &str| entries.iter().find(|entry| entry["key"] == key).unwrap()["value"].clone();
        [value("backend.url"), value("backend.username")]
    };
    std::fs::write(program.directory.join("config.yaml"), "backend: {url: 'file:configured'}").unwrap();
    let host = ("REDIS_HOST", "db");
    assert_eq!(url(&[], &[]), [json!("file:configured"), Value::Null]);
    assert_eq!(url(&[host], &[]), [json!("redis://db:6379/0"), Value::Null]);
    assert_eq!(url(&[host, ("REDIS_PORT", "7")], &["--host", "h"]), [json!("redis://h:7/0"), Value::Null]);
    assert_eq!(url(&[], &["--port", "1", "--username", "u"]), [json!("redis://127.0.0.1:1/0"), json!("u")]);
    // What littleflow takes for this machine, where no server can be.
    assert_eq!(url(&[("REDIS_HOST", "0.0.0.0")], &["--port", "1"])[0], json!("redis://127.0.0.1:1/0"));
    assert_eq!(url(&[], &["--host", "::1"])[0], json!("redis://[::1]:6379/0"));
    assert_eq!(url(&[("REDIS_USERNAME", "u"), host], &[])[1], json!("u"));
    // A login alone is none of a server.
    assert_eq!(url(&[("REDIS_PASSWORD", "p"), ("REDIS_HOST", "")], &[])[0], json!("file:configured"));
    assert_eq!(url(&[host], &["--host", "h", "--backend", "memory:"]), [json!("memory:"), Value::Null]);
    let mut command = program.command(&["run", "a.flow", "--tasks", "echo"]);
    let out = command.env("REDIS_PORT", "tcp://10.0.0.1:6379").output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("REDIS_PORT: `tcp://10.0.0.1:6379` is no port"));
    std::fs::remove_file(program.directory.join("config.yaml")).unwrap();
    let (code, _, err) = program.run(&["run", "a.flow", "--tasks", "echo"]);
    assert!(code == 0 && err.starts_with("run ") && err.contains(" on memory:"), "{err}");
}
