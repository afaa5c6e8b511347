//! `mape receipts`

use super::Program;
use super::sharing::Running;
use crate::server::{RedisServer, until};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

fn signal(running: &Running, name: &str) {
    let id = running.child.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
}

/// Ends with 0 when it is told to.
fn stopped(mut running: Running, name: &str) {
    signal(&running, name);
    let status = running.child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
}

/// Appends an order and its receipt as a Python program does; their places.
fn processed(server: &RedisServer, n: u32) -> (String, String) {
    let add = |words: &[&str]| server.cli(&[&["XADD", "workflows:run", "*"], words].concat());
    let order = add(&["n", &n.to_string(), "kind", "\"order\"", "more", "{\"a\":\n 1}"]);
    let receipt = add(&["for", &format!("\"{order}\""), "action", "\"processed\"", "kind", "\"receipt\""]);
    (order, receipt)
}

fn length(server: &RedisServer) -> u32 {
    server.cli(&["XLEN", "workflows:run"]).parse().unwrap()
}

#[test]
fn receipts_are_printed_with_what_they_are_for_and_both_are_removed() {
    let server = RedisServer::start();
    let (order, receipt) = processed(&server, 1);
    // As littleflow's programs are told of a server; it is the default here.
    let port: &'static str = Box::leak(server.port().to_string().into_boxed_str());
    let program =
        Program::new("receipts_printed").variable("REDIS_HOST", "0.0.0.0").variable("REDIS_PORT", port);
    let running = Running::start(&program, &["receipts", "--log-level", "WARNING"]);
    running.stderr.wait_for("taking the receipts of workflows:run on redis://127.0.0.1:");
    until("it is printed", || running.stdout.now().len() == 1);
    let line: Value = serde_json::from_str(&running.stdout.now()[0]).unwrap();
    assert_eq!(
        line,
        json!({
            "receipt": {"id": receipt, "event": {"for": order, "action": "processed", "kind": "receipt"}},
            "target": {"id": order, "event": {"n": 1, "kind": "order", "more": {"a": 1}}},
        })
    );
    until("both are removed", || length(&server) == 0);
    server.cli(&["XADD", "workflows:run", "*", "for", &format!("\"{order}\""), "kind", "\"receipt\""]);
    until("the next is printed", || running.stdout.now().len() == 2);
    let line: Value = serde_json::from_str(&running.stdout.now()[1]).unwrap();
    assert_eq!(line["target"], Value::Null);
    until("it is removed", || length(&server) == 0);
    stopped(running, "-TERM");
}

#[test]
fn an_archive_has_each_of_them_whoever_is_killed_and_whatever_cannot_be_written() {
    let server = RedisServer::start();
    let (program, url) = (Program::new("receipts_archive"), server.url());
    let arguments = ["receipts", "--archive", "kept", "--backend", &url];
    let mut all = Vec::new();
    for round in 0..4 {
        let running = Running::start(&program, &arguments);
        running.stderr.wait_for("Ctrl-C ends it");
        all.extend((0..60).map(|n| processed(&server, n).0));
        if round < 3 {
            signal(&running, "-KILL");
        } else {
            until("all is removed", || length(&server) == 0);
            stopped(running, "-INT");
        }
    }
    let mut files = fs::read_dir(program.directory.join("kept")).unwrap().map(|file| file.unwrap().path());
    let file = files.next().unwrap();
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.starts_with("receipts-2") && name.ends_with(".ndjson"), "{name}");
    let text = || fs::read_to_string(&file).unwrap();
    let lines =
        |text: &str| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    // Over midnight there is another.
    let more: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    let kept: Vec<Value> = [lines(&text()), lines(&more)].concat();
    for order in &all {
        let with_target = kept.iter().filter(|line| line["target"]["id"] == **order).count();
        assert!(with_target >= 1, "{order} is in no file");
    }

    // The beginning of a line, as a crash leaves it, is no line.
    let whole = text();
    fs::write(&file, format!("{whole}{{\"receipt\":{{\"id")).unwrap();
    let (order, _) = processed(&server, 1);
    let running = Running::start(&program, &arguments);
    until("it is removed", || length(&server) == 0);
    let last = lines(&text()).pop().unwrap();
    assert_eq!(last["target"]["id"], *order);
    stopped(running, "-TERM");

    // A directory in the way, as a disk that is full would be.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let (order, _) = processed(&server, 2);
    let mut running = Running::start(&program, &arguments);
    let status = running.child.wait().unwrap();
    assert_eq!(status.code(), Some(1));
    running.stderr.wait_for("cannot keep receipts in");
    running.stderr.wait_for("they stay in the log");
    assert_eq!(length(&server), 2);
    fs::remove_dir(&file).unwrap();
    let running = Running::start(&program, &arguments);
    until("it is kept", || length(&server) == 0);
    assert_eq!(lines(&text()).pop().unwrap()["target"]["id"], *order);
    stopped(running, "-TERM");
}
