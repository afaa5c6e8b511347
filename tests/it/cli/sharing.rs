//! The commands for what programs share.

use super::{Answer, Program};
use crate::server::{RedisServer, until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A command that goes on until it is done; its lines as they come.
pub(super) struct Running {
    pub(super) child: Child,
    pub(super) stdout: Lines,
    pub(super) stderr: Lines,
}

pub(super) struct Lines {
    seen: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let shared = seen.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stream).lines() {
                shared.lock().unwrap().push(line.unwrap());
            }
        });
        Self { seen, reader: Some(reader) }
    }

    pub(super) fn now(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn wait_for(&self, text: &str) {
        until(&format!("{text:?} is said"), || self.now().iter().any(|line| line.contains(text)));
    }
}

impl Running {
    pub(super) fn start(program: &Program, arguments: &[&str]) -> Self {
        let mut command = program.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdout: Lines::of(stdout), stderr: Lines::of(stderr) }
    }

    /// Its exit code and lines of JSON, once it has ended by itself.
    pub(super) fn ended(&mut self) -> (i32, Vec<Value>) {
        let mut code = None;
        until("the command ends", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        for lines in [&mut self.stdout, &mut self.stderr] {
            lines.reader.take().unwrap().join().unwrap();
        }
        let lines = self.stdout.now().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        (code.unwrap().code().unwrap(), lines)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn json_of(answer: &Answer) -> Value {
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    serde_json::from_str(&answer.stdout).unwrap()
}

/// What all commands do, on any backend that several processes share.
fn commands_work_together(program: &Program, url: &str) {
    let run = |arguments: &[&str]| program.run(&[arguments, &["--backend", url, "--json"]].concat());

    let subscribe = ["channel", "subscribe", "car_*", "--count", "2", "--json", "--backend", url];
    let mut heard = Running::start(program, &subscribe);
    heard.stderr.wait_for("listening");
    for (channel, item) in [("car_a.detect", r#"{"speed": 42}"#), ("lorry", "1"), ("car_b.detect", "[true]")]
    {
        let reached = json_of(&run(&["channel", "publish", channel, item]));
        assert_eq!(reached, json!({"channel": channel, "reached": u8::from(channel != "lorry")}));
    }
    let (code, lines) = heard.ended();
    assert_eq!((code, lines.len()), (0, 2));
    assert_eq!((&lines[0]["channel"], &lines[0]["value"]), (&json!("car_a.detect"), &json!({"speed": 42})));
    assert_eq!((&lines[1]["src"], &lines[1]["seq"]), (&json!("car_b.detect"), &json!(1)));
    let at = lines[1]["at"].as_str().unwrap();
    assert!(at.ends_with('Z') && at.contains('T'), "{at}");
    assert_eq!(lines[0].as_object().unwrap().len(), 5);

    let watch = ["knowledge", "watch", "k.app.*", "--count", "1", "--json", "--backend", url];
    let mut watched = Running::start(program, &watch);
    watched.stderr.wait_for("watching");
    assert_eq!(json_of(&run(&["knowledge", "set", "limit", "50"]))["key"], "k.app.limit");
    assert_eq!(json_of(&run(&["knowledge", "get", "limit"]))["value"], 50);
    let (code, lines) = watched.ended();
    assert_eq!((code, lines.len()), (0, 1));
    assert_eq!((&lines[0]["operation"], &lines[0]["new"]), (&json!("set"), &json!(50)));
    run(&["knowledge", "set", "k.loop.car.name", "panda", "--text"]);
    assert_eq!(json_of(&run(&["knowledge", "get", "k.loop.car.name"]))["value"], "panda");
    let listed = run(&["knowledge", "list"]);
    let keys: Vec<Value> = listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        keys,
        [
            json!({"key": "k.app.limit", "kind": "string"}),
            json!({"key": "k.loop.car.name", "kind": "string"})
        ]
    );
    let absent = run(&["knowledge", "get", "speed"]);
    assert_eq!(absent.code, 1);
    assert!(absent.stderr.contains("there is no k.app.speed"), "{}", absent.stderr);

    let first = json_of(&run(&["log", "append", "orders", r#"{"table": 4}"#, "--kind", "order"]));
    let follow = ["log", "follow", "orders", "--count", "1", "--json", "--backend", url];
    let mut followed = Running::start(program, &follow);
    followed.stderr.wait_for("following");
    // It says so before it asks, so what is appended at once may still be before "from now on".
    let mut appended = 0;
    until("the follower has ended", || {
        appended += 1;
        run(&["log", "append", "orders", &format!(r#"{{"table": {}}}"#, 4 + appended)]);
        followed.child.try_wait().unwrap().is_some()
    });
    let (code, lines) = followed.ended();
    assert_eq!((code, lines.len()), (0, 1));
    assert!(lines[0]["event"]["table"].as_u64().unwrap() > 4, "{}", lines[0]);
    let read = run(&["log", "read", "orders", "--count", "1"]);
    let entry = json_of(&read);
    assert_eq!((&entry["id"], &entry["event"]["kind"]), (&first["id"], &json!("order")));
    let groups = json_of(&run(&["log", "groups", "orders"]));
    assert_eq!((&groups["len"], &groups["groups"]), (&json!(appended + 1), &json!([])));
}

#[cfg(feature = "redis")]
#[test]
fn commands_work_together_on_redis() {
    let server = RedisServer::start();
    commands_work_together(&Program::new("sharing_redis"), &server.url());
}

#[cfg(feature = "file")]
#[test]
fn commands_work_together_on_a_directory() {
    commands_work_together(&Program::new("sharing_file"), "file:data");
}

#[test]
fn what_needs_others_is_refused_where_nobody_can_be() {
    let program = Program::new("sharing_nobody");
    let memory = program.run(&["knowledge", "list", "--backend", "memory:"]);
    assert_eq!(memory.code, 2);
    assert!(memory.stderr.contains("memory: exists in one process only"), "{}", memory.stderr);
    let unnamed = program.run(&["log", "groups", "orders"]);
    assert_eq!(unnamed.code, 2);
    assert!(unnamed.stderr.contains("no backend is named: give --backend"), "{}", unnamed.stderr);
    let unknown = program.run(&["log", "groups", "orders", "--backend", "mongodb://h"]);
    assert_eq!(unknown.code, 2);
}

#[test]
fn what_is_no_json_is_refused_before_anything_is_done() {
    let program = Program::new("sharing_no_json");
    for arguments in [
        ["channel", "publish", "a", "x y"].as_slice(),
        &["knowledge", "set", "a", "x y"],
        &["log", "append", "a", "[1]"],
    ] {
        let answer = program.run(&[arguments, &["--backend", "redis://127.0.0.1:1"]].concat());
        assert_eq!(answer.code, 2, "{}", answer.stderr);
    }
}

#[cfg(feature = "redis")]
#[test]
fn a_subscriber_hears_again_when_the_server_is_back_and_signals_are_no_items() {
    let mut server = RedisServer::start();
    let (program, url) = (Program::new("sharing_restart"), server.url());
    let subscribe = ["channel", "subscribe", "*", "--count", "2", "--json", "--backend", &url];
    let mut heard = Running::start(&program, &subscribe);
    heard.stderr.wait_for("listening");
    let publish = |item: &str| program.run(&["channel", "publish", "a", item, "--backend", &url]);
    assert_eq!(publish("1").code, 0);
    until("the first is heard", || heard.stdout.now().len() == 1);
    server.kill_9();
    server.restart();
    // A publisher may be back before the subscriber is.
    until("the subscriber hears again", || {
        assert_eq!(publish("2").code, 0);
        heard.stdout.now().len() == 2
    });
    let (code, lines) = heard.ended();
    assert_eq!((code, &lines[0]["value"], &lines[1]["value"]), (0, &json!(1), &json!(2)));
    heard.stderr.wait_for("the subscription was interrupted; items may have been lost");
}

#[cfg(feature = "redis")]
#[test]
fn bare_items_go_to_and_come_from_programs_that_know_no_envelope() {
    let server = RedisServer::start();
    let (program, url) = (Program::new("sharing_bare"), server.url());
    let subscribe = ["channel", "subscribe", "a", "--count", "2", "--bare", "--json", "--backend", &url];
    let mut heard = Running::start(&program, &subscribe);
    heard.stderr.wait_for("listening");
    assert_eq!(program.run(&["channel", "publish", "a", "{\"n\":1}", "--bare", "--backend", &url]).code, 0);
    server.cli(&["PUBLISH", "a", "2"]);
    let (_, lines) = heard.ended();
    assert_eq!((&lines[0]["value"], &lines[1]["value"]), (&json!({"n": 1}), &json!(2)));
    assert_eq!((&lines[0]["src"], &lines[0]["seq"]), (&Value::Null, &Value::Null));
}

#[cfg(feature = "redis")]
#[test]
fn a_wrong_password_is_said_at_once() {
    let server = RedisServer::options().password("right").start();
    let url = format!("redis://:wrong@127.0.0.1:{}", server.port());
    let answer = Program::new("sharing_password").run(&["knowledge", "list", "--backend", &url]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("refuses the login"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("wrong@"), "{}", answer.stderr);
}
