//! Workers in processes of their own: the program `sleep_worker`, killed and ended.

use super::world::{World, start};
use crate::patterns::{documented, example, lines};
use crate::server::RedisServer;
use crate::suite::eventually;
use mape::backend::Backend;
use mape::event::Event;
use serde_json::json;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, Command};
use std::time::{Duration, Instant};

/// A worker program that is ready.
struct Program {
    child: Child,
    says: Lines<BufReader<ChildStderr>>,
}

impl Program {
    fn start(server: &RedisServer, arguments: &[&str]) -> Self {
        let port = server.port().to_string();
        let mut command = example("sleep_worker");
        command.args(arguments).env("REDIS_HOST", "127.0.0.1").env("REDIS_PORT", port);
        let mut child = command.spawn().unwrap();
        let says = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut program = Self { child, says };
        // What there was to do already may have begun by then.
        while program.line() != "ready: group `sleeping` of `workflows:run`, tasks sleep, sleep:*" {}
        program
    }

    fn line(&mut self) -> String {
        self.says.next().expect("it says something").unwrap()
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sleep(index: u32, seconds: f64) -> Event {
    start("sleep", index).with("parameters", json!({"for": seconds})).with("input", json!({"n": index}))
}

async fn world(server: &RedisServer) -> World {
    World::new(Backend::open(&server.url()).await.unwrap())
}

#[tokio::test]
async fn the_task_of_a_killed_worker_begins_elsewhere_within_five_seconds() {
    let server = RedisServer::start();
    let world = world(&server).await;
    let mut killed = Program::start(&server, &[]);
    world.append(sleep(1, 3600.0)).await;
    assert_eq!(killed.line(), "m-1/1: sleeps 3600s");
    let mut other = Program::start(&server, &[]);
    killed.signal("KILL");
    let when = Instant::now();
    assert_eq!(other.line(), "m-1/1: sleeps 3600s");
    assert!(when.elapsed() < Duration::from_secs(5), "{:?}", when.elapsed());
    world.append(super::world::cancel(1)).await;
    assert_eq!(other.line(), "m-1/1: woken");
    assert_eq!(world.end(1).await.get("status"), Some(json!("CANCELLED")));
}

#[tokio::test]
async fn a_program_that_is_told_to_end_finishes_what_it_does_and_gives_back_the_rest() {
    let server = RedisServer::start();
    let world = world(&server).await;
    let mut ending = Program::start(&server, &["--concurrency", "1"]);
    world.append(sleep(1, 0.7)).await;
    assert_eq!(ending.line(), "m-1/1: sleeps 700ms");
    world.append(sleep(2, 0.0)).await;
    ending.signal("TERM");
    assert_eq!(ending.line(), "ending: 1 in work");
    assert_eq!(ending.line(), "m-1/1: slept");
    assert_eq!(ending.line(), "ended");
    assert!(ending.child.wait().unwrap().success());
    assert_eq!(world.end(1).await.get("output"), Some(json!({"n": 1})));
    let info = world.log.group("sleeping").info().await.unwrap().unwrap();
    assert_eq!((info.pending, info.consumers, info.lag > 0), (0, 0, true), "{info:?}");
    let _other = Program::start(&server, &[]);
    world.end(2).await;
    eventually("both are receipted", async || world.all("receipt").await.len() == 2).await;
}

#[tokio::test]
async fn a_wrong_duration_is_a_failure_for_good_and_a_server_that_is_not_there_an_error() {
    let server = RedisServer::start();
    let world = world(&server).await;
    let _program = Program::start(&server, &[]);
    world.append(start("sleep:deep", 1).with("parameters", json!({"for": "ever"}))).await;
    let end = world.end(1).await;
    assert_eq!(
        (end.get("reason"), end.get("again")),
        (Some(json!("`for` is a number of seconds")), Some(json!(false)))
    );
    let wrong = example("sleep_worker").args(["--backend", "nowhere:"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.starts_with("error: ") && said.contains("nowhere:"), "{said}");
}

#[cfg(feature = "http-client")]
#[test]
fn demonstrations_print_what_is_documented() {
    for name in ["batch_worker", "agent_worker"] {
        let printed = lines(example(name).arg("--demo").output().unwrap());
        assert_eq!(printed, documented(name), "{name}");
    }
}
