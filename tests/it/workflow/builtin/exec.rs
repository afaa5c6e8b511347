//! `exec:…`, with programs of this machine.

use super::{begun, engine_with, failure, output};
use crate::suite::eventually;
use mape::backend::Backend;
use mape::workflow::{Builtin, Engine, Status};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn directory(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exec").join(test);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

async fn engine(test: &str) -> (Engine, PathBuf) {
    let (backend, directory) = (Backend::memory(), directory(test));
    let builtin = Builtin::new(&backend)
        .allow_programs(["cat", "sh", "/bin/echo"])
        .directory(&directory)
        .longest(100_000);
    (engine_with(&backend, builtin).await, directory)
}

fn flow(task: &str, parameters: &Value) -> String {
    format!("{task} ({parameters})")
}

fn sh(script: &str) -> String {
    flow("exec:sh", &json!({"args": ["-c", script]}))
}

#[tokio::test]
async fn a_program_gets_the_input_and_what_it_writes_is_output() {
    let (engine, directory) = engine("output").await;
    let input = json!({"x": "a b; $(true)"});
    let given = output(&engine, &flow("exec:cat", &json!({"output": "json"})), input.clone()).await;
    assert_eq!(given, input);
    // Each argument is one, whatever is in it: there is no shell.
    let parameters = json!({"args": ["<{input[x]}>", 5]});
    let given = output(&engine, &flow("exec:echo", &parameters), input.clone()).await;
    assert_eq!(given, json!({"exit_status": 0, "stdout": "<a b; $(true)> 5\n"}));
    let parameters = json!({"command": "cat", "stdin": "{input[x]}"});
    assert_eq!(output(&engine, &flow("exec:run", &parameters), input.clone()).await["stdout"], input["x"]);
    let given = output(&engine, &sh("pwd -P"), Value::Null).await;
    let there = std::fs::canonicalize(directory).unwrap();
    assert_eq!(given["stdout"].as_str().unwrap().trim(), there.to_str().unwrap());
}

#[tokio::test]
async fn a_program_sees_nothing_of_our_environment() {
    let (engine, _) = engine("environment").await;
    let parameters = json!({"args": ["-c", "env"], "env": {"ORDER": "{input[id]}"}});
    let given = output(&engine, &flow("exec:sh", &parameters), json!({"id": 7})).await;
    let mut names: Vec<&str> =
        given["stdout"].as_str().unwrap().lines().filter_map(|line| line.split('=').next()).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["MAPE_ATTEMPT", "MAPE_KEY", "MAPE_WORKFLOW", "ORDER", "PATH"]);
}

#[tokio::test]
async fn programs_that_are_not_allowed_do_not_run_and_without_leave_none_does() {
    let (engine, _) = engine("allowed").await;
    for task in ["exec:rm", "exec:run ({\"command\": \"/bin/sh\"})", "exec:run ({\"command\": \"../sh\"})"] {
        let error = failure(&engine, task, Value::Null).await;
        assert!(error.contains("may not be run: workflow.exec.allow has cat, sh, /bin/echo"), "{error}");
    }
    let backend = Backend::memory();
    let tasks = mape::workflow::Tasks::new().with_all(Builtin::new(&backend).tasks());
    let engine = Engine::start(&mape::app::App::new(), tasks).await.unwrap();
    let error = engine.run("exec:cat", Value::Null).await.unwrap_err().to_string();
    assert!(error.contains("nobody has the task `exec:cat`"), "{error}");
}

#[tokio::test]
async fn failures_say_what_the_program_said() {
    let (engine, _) = engine("failures").await;
    let error = failure(&engine, &sh("echo no luck >&2; exit 3"), Value::Null).await;
    assert!(error.contains("sh ended with exit status: 3: no luck"), "{error}");
    let parameters = json!({"args": ["-c", "exit 3"], "error_on_status": false});
    assert_eq!(output(&engine, &flow("exec:sh", &parameters), Value::Null).await["exit_status"], 3);
    let error = failure(&engine, &sh("yes"), Value::Null).await;
    assert!(error.contains("written more than 100000 bytes"), "{error}");
    let parameters = json!({"args": ["x"], "output": "json"});
    let error = failure(&engine, &flow("exec:echo", &parameters), Value::Null).await;
    assert!(error.contains("what echo has written is no JSON"), "{error}");
    // A program that writes much on its standard error, and reads nothing, is not held up.
    let input = json!({"x": "y".repeat(1_000_000)});
    let error = failure(&engine, &sh("yes | head -c 1000000 >&2; echo end >&2; exit 1"), input).await;
    assert!(error.contains("end") && error.len() < 4000, "{error}");
}

fn lives(id: &str) -> bool {
    // A process that has ended and is not waited for yet is no longer at work.
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

#[tokio::test]
async fn a_program_ends_with_its_task_and_so_does_what_it_has_started() {
    let (engine, directory) = engine("ends").await;
    let runs = engine.workflows();
    for how in ["terminated", "timed-out", "stubborn"] {
        let file = directory.join(how);
        let trap = if how == "stubborn" { "trap '' TERM;" } else { "" };
        let script = format!("{trap} sleep 1000 & echo $$ $! > {how}; wait; wait");
        let mut parameters = json!({"args": ["-c", script]});
        if how == "timed-out" {
            parameters["timeout"] = json!(0.5);
        }
        let run = engine.run(&flow("exec:sh", &parameters), Value::Null).await.unwrap();
        begun(runs, &run, 1).await;
        let read = || -> Vec<String> {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            text.split_whitespace().map(str::to_owned).collect()
        };
        eventually("both run", async || read().len() == 2).await;
        let ids = read();
        let begin = Instant::now();
        if how == "timed-out" {
            let error = run.output().await.unwrap().unwrap_err().to_string();
            assert!(error.contains("took longer than 500ms"), "{error}");
        } else {
            assert!(ids.iter().all(|id| lives(id)));
            runs.terminate(run.id()).await.unwrap();
            assert_eq!(run.wait().await.unwrap().status, Status::Terminated);
        }
        eventually("both have ended", async || !ids.iter().any(|id| lives(id))).await;
        assert!(begin.elapsed() < Duration::from_secs(3), "{how}: {:?}", begin.elapsed());
    }
    // What is left in the background when it ends by itself, too.
    let given = output(&engine, &sh("sleep 1000 > /dev/null 2>&1 & echo $!"), Value::Null).await;
    let id = given["stdout"].as_str().unwrap().trim().to_owned();
    eventually("it has ended", async || !lives(&id)).await;
}
