//! What waits, is asked for or is told while engines are killed: it happens once, and when it was to.

use super::faults::{COMPATIBLE, groups_of};
use super::hand::Hand;
use super::processes::Program;
use crate::suite::eventually;
use fastrand::Rng;
use mape::workflow::{RunId, Status};
use serde_json::{Value, json};
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// An engine that carries built-in tasks out where the run is, and one that announces them.
const MODES: [&[&str]; 2] = [&["worker", "--native"], &["worker"]];
/// How late something may be on a machine that has much to do; on an idle one it is a few milliseconds.
const LATE: Duration = Duration::from_millis(300);
/// How early: what is kept is whole microseconds, and an event's id says milliseconds.
const EARLY: Duration = Duration::from_millis(10);

async fn submit(hand: &Hand, id: &str, flow: &str) -> RunId {
    hand.workflows().submit(Some(id.into()), flow, json!({"x": 1})).await.unwrap()
}

/// Waits until the wait of a run has begun.
async fn waits(hand: &Hand, id: &RunId, task: &str) {
    eventually(&format!("{task} has begun"), async || {
        let run = hand.workflows().inspect(id).await.unwrap();
        run.in_hand && run.steps.iter().any(|step| step.name == task && step.started.is_some())
    })
    .await;
}

/// As [`Hand::becomes`], for what may have to wait for the lease of the one who was killed.
async fn finished(hand: &Hand, id: &RunId) -> Value {
    let runs = hand.workflows();
    let over = tokio::time::timeout(Duration::from_secs(20), runs.wait(id)).await;
    let over = over.unwrap_or_else(|_| panic!("{id} does not end")).unwrap();
    assert_eq!(over.status, Status::Finished, "{over:?}");
    over.output.as_deref().cloned().unwrap_or_default()
}

/// When the changes of a run were made, first and last.
async fn times(hand: &Hand, id: &RunId) -> (Duration, Duration) {
    let archive = hand.workflows().archive(id).await.unwrap();
    let steps = archive["steps"].as_array().unwrap();
    let at = |step: Option<&Value>| Duration::from_micros(step.unwrap()["at"].as_u64().unwrap());
    (at(steps.first()), at(steps.last()))
}

fn on_time(took: Duration, expected: Duration) {
    assert!(took + EARLY >= expected && took <= expected + LATE, "{took:?} in place of {expected:?}");
}

async fn delay(mode: &[&str], seconds: u64, farewell: fn(&mut Program)) {
    let hand = Hand::new().await;
    let mut engine = Program::started(&hand.server, mode).await;
    let id = submit(&hand, "d", &format!("wait:delay (- duration: {seconds} -)")).await;
    waits(&hand, &id, "wait:delay").await;
    sleep(Duration::from_millis(400)).await;
    farewell(&mut engine);
    assert_eq!(hand.workflows().status(&id).await.unwrap(), Status::Running);
    // The one that was killed is taken for dead three seconds later at the latest.
    engine.start();
    assert_eq!(finished(&hand, &id).await, json!({"x": 1}), "{mode:?}");
    let (began, ended) = times(&hand, &id).await;
    on_time(ended.saturating_sub(began), Duration::from_secs(seconds));
    sleep(Duration::from_millis(200)).await;
    let ends = hand.events("end-task").await.len() + hand.events("end-workflow").await.len();
    // Where it is announced, its end is, too.
    assert_eq!(ends, if mode.len() == 1 { 2 } else { 1 }, "{mode:?}");
}

#[tokio::test]
async fn a_delay_whose_engine_was_killed_ends_once_and_when_it_was_to() {
    tokio::join!(delay(MODES[0], 5, Program::kill), delay(MODES[1], 5, Program::kill));
}

#[tokio::test]
async fn an_engine_that_is_told_to_end_does_not_end_a_delay() {
    tokio::join!(delay(MODES[0], 3, Program::end), delay(MODES[1], 3, Program::end));
}

async fn event(mode: &[&str]) {
    let hand = Hand::new().await;
    let mut engine = Program::started(&hand.server, mode).await;
    hand.workflows().event("paid", &json!({"output": {"too": "early"}})).await.unwrap();
    let id = submit(&hand, "e", "wait:event (- event: paid -) → wait:event (- event: shipped -)").await;
    waits(&hand, &id, "wait:event").await;
    engine.kill();
    hand.workflows().event("paid", &json!({"output": {"paid": 1}})).await.unwrap();
    hand.workflows().event("paid", &json!({"output": {"paid": 2}})).await.unwrap();
    engine.start();
    eventually("the second has begun", async || {
        let steps = hand.workflows().inspect(&id).await.unwrap().steps;
        steps.iter().filter(|step| step.task && step.started.is_some()).count() == 2
    })
    .await;
    hand.workflows().event("shipped", &json!({})).await.unwrap();
    assert_eq!(finished(&hand, &id).await, json!({"x": 1, "paid": 1}), "{mode:?}");
    if mode.len() == 1 {
        assert_eq!(hand.events("end-task").await.len(), 2);
    }
    let known = COMPATIBLE.iter().copied().filter(|group| *group != "starting");
    let known: Vec<_> = if mode.len() == 1 { known.collect() } else { vec!["ending"] };
    assert_eq!(groups_of(&hand), known);
}

#[tokio::test]
async fn an_event_that_came_while_no_engine_was_there_ends_a_wait_once_and_leaves_no_group() {
    tokio::join!(event(MODES[0]), event(MODES[1]));
}

#[tokio::test]
async fn a_wait_outlives_any_number_of_engines() {
    let hand = Hand::new().await;
    let mut engine = Program::started(&hand.server, MODES[1]).await;
    let id = submit(&hand, "w", "wait:event (- event: paid -)").await;
    hand.started(&id, "wait:event").await;
    let start = hand.events("start-task").await[0].0;
    let begun = async || {
        let pending = hand.log().group("wait").pending(10).await.unwrap();
        pending.iter().find(|pending| pending.id == start).map_or(0, |pending| pending.attempts)
    };
    for times in 1..8 {
        eventually(&format!("engine {times} has it"), async || begun().await >= times).await;
        engine.end();
        engine.start();
    }
    eventually("the last has it", async || begun().await >= 8).await;
    hand.workflows().event("paid", &json!({"output": {"paid": 1}})).await.unwrap();
    assert_eq!(finished(&hand, &id).await, json!({"x": 1, "paid": 1}));
    assert_eq!(hand.events("end-task").await.len(), 1);
}

async fn latch(mode: &[&str]) {
    let hand = Hand::new().await;
    let mut engine = Program::started(&hand.server, mode).await;
    let flow = "wait:acquire (- {name: door, lease: 4s} -) → wait:event (- event: never -)";
    let holder = submit(&hand, "holder", flow).await;
    waits(&hand, &holder, "wait:event").await;
    engine.kill();
    let other = submit(&hand, "other", "wait:countdown (- name: door -)").await;
    engine.start();
    finished(&hand, &other).await;
    let ((began, _), (_, free)) = (times(&hand, &holder).await, times(&hand, &other).await);
    // It was begun some milliseconds after its run where it was announced.
    let took = free.saturating_sub(began);
    assert!(took + EARLY >= Duration::from_secs(4) && took < Duration::from_secs(5), "{mode:?}: {took:?}");
    assert_eq!(hand.workflows().status(&holder).await.unwrap(), Status::Running);
}

#[tokio::test]
async fn a_latch_is_free_after_its_lease_though_the_engine_of_its_holder_is_dead() {
    tokio::join!(latch(MODES[0]), latch(MODES[1]));
}

/// A service that notes what it is asked, and accepts everything.
async fn service() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jobs", listener.local_addr().unwrap());
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let notes = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut read = Vec::new();
            while !read.windows(4).any(|four| four == b"\r\n\r\n") {
                if stream.read_buf(&mut read).await.unwrap() == 0 {
                    break;
                }
            }
            let line = String::from_utf8_lossy(&read).lines().next().unwrap_or_default().to_owned();
            notes.lock().unwrap().push(line);
            let answer = b"HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    });
    (url, asked)
}

async fn callback(mode: &[&str], by_token: bool) {
    let hand = Hand::new().await;
    let (url, asked) = service().await;
    let mut engine = Program::started(&hand.server, mode).await;
    let id = submit(&hand, "c", &format!("request:get (- {{url: '{url}', sync: false}} -)")).await;
    eventually("that it is sent is kept", async || {
        hand.server.cli(&["HGETALL", "mape:callbacks:c"]).contains("true")
    })
    .await;
    engine.kill();
    let line = asked.lock().unwrap()[0].clone();
    let target = line.split(' ').nth(1).unwrap();
    let token = target.split("littleflow-token=").nth(1).unwrap();
    engine.start();
    engine.ready().await;
    if by_token {
        hand.workflows().end_by_token(token, Ok(Some(json!({"done": true})))).await.unwrap();
    } else {
        let end = ["end", "c", "request:get", "1", "--output", r#"{"done": true}"#];
        let mut end = Program::new(&hand.server, &end);
        end.start();
        end.wait();
    }
    assert_eq!(finished(&hand, &id).await, json!({"done": true}), "{mode:?}");
    // By then, whoever takes up what the killed engine had has done so.
    sleep(Duration::from_secs(4)).await;
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert_eq!(hand.events("end-task").await.len(), 1);
    assert_eq!(hand.events("end-workflow").await.len(), 1);
}

#[tokio::test]
async fn a_request_that_is_answered_later_is_sent_once_though_its_engine_was_killed() {
    tokio::join!(callback(MODES[0], true), callback(MODES[1], true), callback(MODES[1], false));
}

async fn limited(mode: &[&str]) {
    let hand = Hand::new().await;
    let mut engine = Program::started(&hand.server, mode).await;
    let id = submit(&hand, "l", "slow (- timeout: 3s -)").await;
    hand.started(&id, "slow").await;
    sleep(Duration::from_millis(300)).await;
    engine.kill();
    engine.start();
    hand.becomes(&id, Status::Failed).await;
    let (began, ended) = times(&hand, &id).await;
    on_time(ended.saturating_sub(began), Duration::from_secs(3));
    assert_eq!(hand.events("cancel-task").await.len(), 1);
    assert_eq!(hand.events("failed-workflow").await.len(), 1);
}

#[tokio::test]
async fn a_task_elsewhere_takes_too_long_after_its_timeout_though_its_engine_was_killed() {
    tokio::join!(limited(MODES[0]), limited(MODES[1]));
}

async fn abandoned(mode: &[&str]) {
    let hand = Hand::new().await;
    let mut engine = Program::started(&hand.server, mode).await;
    let id = submit(&hand, "t", "{ a b } → c").await;
    hand.started(&id, "b").await;
    hand.workflows().terminate(&id).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    assert_eq!(hand.workflows().status(&id).await.unwrap(), Status::Terminating);
    engine.kill();
    engine.start();
    hand.becomes(&id, Status::Terminated).await;
    assert_eq!(hand.events("terminated-workflow").await.len(), 1);
    assert_eq!(hand.starts(&id).await.len(), 2);
}

#[tokio::test]
async fn a_run_that_is_terminated_is_over_though_its_engine_and_its_workers_are_gone() {
    tokio::join!(abandoned(MODES[0]), abandoned(MODES[1]));
}

async fn terminated(mode: &[&str], worker_lives: bool) {
    let hand = Hand::new().await;
    let _engine = Program::started(&hand.server, mode).await;
    let words = ["simulate", "--wait-period", "100000", "--seed", "1"];
    let mut worker = Program::started(&hand.server, &words).await;
    let id = submit(&hand, "t", "{ a b } → c").await;
    let group = hand.log().group("starting");
    eventually("both are in work", async || group.info().await.unwrap().unwrap().pending == 2).await;
    if !worker_lives {
        worker.kill();
    }
    let begun = Instant::now();
    hand.workflows().terminate(&id).await.unwrap();
    hand.becomes(&id, Status::Terminated).await;
    let limit = if worker_lives { 2_000 } else { 3_500 };
    assert!(begun.elapsed() < Duration::from_millis(limit), "{mode:?}: {:?}", begun.elapsed());
    if worker_lives {
        eventually("both tasks are told to stop", async || {
            worker.said().iter().filter(|line| line.contains("was to end")).count() == 2
        })
        .await;
        eventually("nothing is in work", async || group.info().await.unwrap().unwrap().pending == 0).await;
    } else {
        // What was cancelled does not begin with the next.
        worker.start();
        eventually("nothing is in work", async || group.info().await.unwrap().unwrap().pending == 0).await;
        assert!(!worker.has_said("done"), "{:?}", worker.said());
    }
    hand.nothing_pending("ending").await;
    assert_eq!(hand.workflows().status(&id).await.unwrap(), Status::Terminated);
    assert_eq!(hand.events("terminated-workflow").await.len(), 1);
    assert_eq!(hand.starts(&id).await.len(), 2);
}

#[tokio::test]
async fn a_run_that_is_terminated_while_workers_are_at_it_is_over_in_two_seconds_and_they_stop() {
    tokio::join!(terminated(MODES[0], true), terminated(MODES[1], true));
}

#[tokio::test]
async fn a_run_that_is_terminated_after_its_worker_was_killed_is_over_in_two_seconds() {
    tokio::join!(terminated(MODES[0], false), terminated(MODES[1], false));
}

#[tokio::test]
async fn a_client_that_is_killed_and_tries_again_with_the_same_id_begins_one_run() {
    let hand = Hand::new().await;
    let _engine = hand.engine().await;
    fs::write(hand.server.directory().join("a.flow"), "a → b").unwrap();
    let client =
        |id: &str| Program::new(&hand.server, &["run", "a.flow", "--id", id, "--input", "{\"x\": 1}"]);
    let begun = Instant::now();
    let mut first = client("r0");
    first.start();
    first.wait();
    let takes = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let (mut random, mut ids, mut early) = (Rng::with_seed(7), vec![RunId::from("r0")], 0);
    for number in 1..16 {
        let id = format!("r{number}");
        let mut client = client(&id);
        for _ in 0..3 {
            client.start();
            // Also soon after its start: how long it takes differs with what else is to be done.
            let longest = random.u64(1..takes);
            sleep(Duration::from_micros(random.u64(..longest))).await;
            client.kill();
            early += usize::from(hand.server.cli(&["EXISTS", &format!("workflow:{id}")]) == "0");
        }
        client.start();
        client.wait();
        ids.push(RunId::from(id));
    }
    assert!((1..45).contains(&early), "{early} of 45 were killed before they had begun a run");
    for id in &ids {
        hand.end(&hand.started(id, "a").await, None).await;
        hand.end(&hand.started(id, "b").await, None).await;
        hand.becomes(id, Status::Finished).await;
        assert_eq!(hand.starts(id).await.len(), 2, "{id}");
    }
    assert_eq!(hand.events("start-workflow").await.len(), ids.len());
    assert_eq!(hand.server.cli(&["LLEN", "workflows:all"]), ids.len().to_string());
    assert_eq!(hand.server.cli(&["SCARD", "workflows:inprogress"]), "0");
    assert_eq!(hand.events("end-workflow").await.len(), ids.len());
}
