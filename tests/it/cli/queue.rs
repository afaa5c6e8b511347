//! `mape queue`, and the queues of `mape serve`.

use super::sharing::Running;
use super::{Answer, Program};
use crate::server::until;
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};

const CONFIG: &str = "\
backend: {url: 'file:data'}
rest: {address: '127.0.0.1:0'}
queues:
  tea:
    task: 'log:info'
    priorities: 2
    schedules: {clock: {cron: '0 5 * * *', data: {cups: 1}}}
  slow: {attempts: 1, priorities: 2}
";

fn json_of(answer: &Answer) -> Value {
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("{}", answer.stdout))
}

fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A program whose directory is served.
fn served(test: &str) -> (Program, Running) {
    let program = Program::new(test).file("config.yaml", CONFIG);
    let serving = Running::start(&program, &["serve"]);
    serving.stderr.wait_for("the console and the API are at ");
    (program, serving)
}

#[test]
fn serve_does_the_jobs_of_queues_that_name_a_task_and_keeps_their_schedules() {
    let (program, serving) = served("queue_serve");
    serving.stderr.wait_for("it works on the jobs of 1 queue");
    let done = program.run(&["queue", "run", "tea", "{\"cups\": 2}", "--wait", "20s"]);
    assert_eq!((done.code, done.stdout.as_str()), (0, "{\"cups\":2}\n"), "{}", done.stderr);
    assert!(done.stderr.contains("is added"), "{}", done.stderr);
    let done = json_of(&program.run(&["queue", "run", "tea", "{\"cups\": 3}", "--priority", "1", "--json"]));
    assert_eq!((&done["kind"], &done["result"]), (&json!("done"), &json!({"cups": 3})));
    let schedules = lines(&program.run(&["queue", "schedules", "tea", "--json"]));
    assert_eq!((&schedules[0]["name"], &schedules[0]["data"]), (&json!("clock"), &json!({"cups": 1})));
    let told = lines(&program.run(&["queue", "outcomes", "tea", "--json"]));
    assert_eq!(told.iter().map(|one| &one["result"]["cups"]).collect::<Vec<_>>(), [2, 3]);
    let after = told[0]["place"].as_str().unwrap();
    let rest = lines(&program.run(&["queue", "outcomes", "tea", "--after", after, "--json"]));
    assert_eq!(rest, told[1..]);
    let mut follow = Running::start(
        &program,
        &["queue", "outcomes", "tea", "--follow", "--after", after, "--count", "2", "--json"],
    );
    follow.stderr.wait_for("following");
    let job = json_of(&program.run(&["queue", "add", "tea", "{\"cups\": 4}", "--json"]));
    assert_eq!(job["is_new"], true);
    let (code, followed) = follow.ended();
    assert_eq!((code, &followed[1]["job"], &followed[1]["result"]), (0, &job["id"], &json!({"cups": 4})));
    // A flow adds jobs, and waits for them.
    let flow = "queue:add (- {queue: tea, data: {cups: 5}, wait: 20s} -)";
    let program = program.file("tea.flow", flow);
    let ran = json_of(&program.run(&["run", "tea.flow", "--wait", "--json"]));
    assert!(ran.to_string().contains("\"cups\":5"), "{ran}");
}

fn told_to_end(serving: &mut Running) {
    let id = serving.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(serving.ended().0, 0);
}

#[test]
fn serve_begins_nothing_without_its_port_and_ends_in_peace() {
    let program = Program::new("queue_port").file("config.yaml", CONFIG);
    let mut leaving = Running::start(&program, &["serve", "--no-engine"]);
    leaving.stderr.wait_for("the console and the API are at ");
    assert_eq!(program.run(&["queue", "add", "tea", "1"]).code, 0);
    told_to_end(&mut leaving);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = program.run(&["serve", "--listen", &address]);
    let why = format!("error: cannot listen on {address}: Address already in use");
    assert!(refused.code == 1 && refused.stderr.starts_with(&why), "{}", refused.stderr);
    assert_eq!(refused.stderr.lines().count(), 1, "the cause is said once: {}", refused.stderr);
    assert_eq!(lines(&program.run(&["queue", "jobs", "tea", "--json"])).len(), 1, "it is left to others");
    drop(taken);
    let mut serving = Running::start(&program, &["serve", "--listen", &address]);
    serving.stderr.wait_for(&format!("the console and the API are at http://{address}"));
    let told = || program.run(&["queue", "outcomes", "tea", "--json"]);
    until("the job is done", || lines(&told()).len() == 1);
    told_to_end(&mut serving);
    let said = serving.stderr.now();
    assert!(!said.iter().any(|line| line.contains("WARN")), "{said:?}");
}

#[test]
fn jobs_are_added_looked_at_paused_and_taken_away() {
    let (program, _serving) = served("queue_commands");
    let run = |arguments: &[&str]| program.run(&[&["queue"], arguments].concat());
    let listed = run(&["list"]);
    let rows: Vec<&str> = listed.stdout.lines().collect();
    assert!(
        rows[0].starts_with("queue  state") && rows[1].starts_with("slow   no worker"),
        "{}",
        listed.stdout
    );
    assert!(rows[2].starts_with("tea    works"), "{}", listed.stdout);
    let first = run(&["add", "slow", "[1]", "--key", "k"]).stdout;
    let again = run(&["add", "slow", "[2]", "--key", "k"]).stdout;
    assert_eq!(again, format!("{} has its key; nothing is added\n", first.trim()));
    let later = json_of(&run(&["add", "slow", "\"later\"", "--delay", "1h", "--priority", "1", "--json"]));
    let later = later["id"].as_str().unwrap();
    let mut command = program.command(&["queue", "add", "slow", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"1\n\n{\"a\": 2}\n\"three\"\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
    let waiting = lines(&run(&["jobs", "slow", "--json"]));
    let data: Vec<&Value> = waiting.iter().map(|job| &job["data"]).collect();
    assert_eq!(data, [&json!([1]), &json!(1), &json!({"a": 2}), &json!("three")]);
    let table = run(&["jobs", "slow", "--state", "delayed"]).stdout;
    assert!(table.contains(later) && table.contains("delayed") && table.contains("\"later\""), "{table}");
    let shown = run(&["jobs", "slow", later]).stdout;
    assert!(shown.starts_with(&format!("{later}: delayed\n")) && shown.contains("priority  1"), "{shown}");
    assert_eq!(run(&["cancel", "slow", later]).code, 0);
    let gone = run(&["cancel", "slow", later]);
    assert!(gone.code == 1 && gone.stderr.contains("that is not due yet"), "{}", gone.stderr);
    let paused = run(&["pause", "slow"]).stdout;
    assert!(
        paused.starts_with("slow: paused\n")
            && paused.contains("waiting   4 (0 of priority 1, 4 of priority 0)"),
        "{paused}"
    );
    assert_eq!(json_of(&run(&["resume", "slow", "--json"]))["stats"]["paused"], false);
    let late = run(&["run", "slow", "1", "--wait", "100ms"]);
    assert!(late.code == 1 && late.stderr.contains("it goes on"), "{}", late.stderr);
    assert_eq!(run(&["schedule", "slow", "nightly", "0 3 * * *", "{\"a\": 1}"]).code, 0);
    assert_eq!(run(&["unschedule", "slow", "nightly"]).code, 0);
    assert_eq!(run(&["remove", "slow"]).code, 0);
    let unknown = run(&["show", "slwo"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("there is no queue `slwo`"), "{}", unknown.stderr);
}

#[test]
fn what_fails_for_good_is_replayed_or_discarded() {
    let config = "\
backend: {url: 'file:data'}
rest: {address: '127.0.0.1:0'}
queues: {ask: {attempts: 1, task: {name: 'queue:add', parameters: {queue: nowhere}}}}
";
    let program = Program::new("queue_dead").file("config.yaml", config);
    let serving = Running::start(&program, &["serve"]);
    serving.stderr.wait_for("the console and the API are at ");
    let run = |arguments: &[&str]| program.run(&[&["queue"], arguments].concat());
    let failed = run(&["run", "ask", "1", "--wait", "20s"]);
    assert!(failed.code == 1 && failed.stderr.contains("there is no queue `nowhere`"), "{}", failed.stderr);
    assert_eq!(run(&["run", "ask", "2"]).code, 1);
    let dead = lines(&run(&["dead", "ask", "--json"]));
    assert_eq!(dead.iter().map(|job| &job["data"]).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(run(&["pause", "ask"]).code, 0);
    let one = dead[0]["job"].as_str().unwrap();
    assert_eq!(run(&["replay", "ask", one]).stdout, "1 queued again\n");
    let again = run(&["replay", "ask", one]);
    assert!(again.code == 1 && again.stderr.contains("among its dead letters"), "{}", again.stderr);
    assert_eq!(run(&["discard", "ask", "--all"]).stdout, "1 taken away\n");
    assert!(run(&["discard", "ask"]).code == 2, "which ones has to be said");
    assert!(run(&["dead", "ask"]).stderr.contains("no job is dead"));
}

#[test]
fn the_configuration_is_checked_with_the_tasks_of_queues() {
    let check = |queues: &str| {
        let program = Program::new("queue_check").file("config.yaml", &format!("queues:\n  tea: {queues}\n"));
        program.run(&["config", "check"])
    };
    assert_eq!(check("{task: 'log:info'}").code, 0);
    for (queues, wanted) in [
        ("{task: 'brew'}", "config.yaml:2: `queues.tea.task`: there is no task `brew`"),
        (
            "{task: {name: 'request:get', parameters: {urll: 'http://localhost'}}}",
            "`queues.tea.task`: `request:get` has no parameter `urll`: did you mean `url`?",
        ),
        ("{schedules: {a: {cron: 'never'}}}", "config.yaml:2: `queues.tea.schedules.a.cron`"),
        (
            "{priorities: 0}",
            "config.yaml:2: `queues.tea.priorities` must be a whole number from 1 to 8, not 0",
        ),
    ] {
        let answer = check(queues);
        assert!(answer.code == 2 && answer.stderr.contains(wanted), "{}", answer.stderr);
    }
}

#[test]
fn what_is_wrong_shows_before_a_backend_is_opened() {
    let program = Program::new("queue_wrong");
    for (arguments, wanted) in [
        (&["queue", "add", "tea", "{"][..], "the job \"{\" is no JSON"),
        (&["queue", "schedule", "tea", "a", "61 * * * *"], "the times"),
        (&["queue", "jobs", "tea", "--state", "wating"], "did you mean `waiting`?"),
        (&["queue", "add", "tea", "1", "--delay", "soon"], "no length of time"),
        (&["queue", "list"], "no backend is named"),
    ] {
        let answer = program.run(arguments);
        assert!(answer.code == 2 && answer.stderr.contains(wanted), "{arguments:?}: {}", answer.stderr);
    }
}
