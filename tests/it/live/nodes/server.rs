//! Nodes on a server that fails, and as processes that are killed.

use super::{Node, counted, data, next, next_data, node_with, told};
use crate::patterns::example;
use crate::server::RedisServer;
use crate::suite::eventually;
use mape::backend::Backend;
use mape::event::EventId;
use mape::live::{Delivery, Extract, Interest, Position, Settings};
use mape::prelude::*;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};

/// A node with connections of its own, whose clients may read late.
async fn apart(server: &RedisServer) -> Node {
    let mut settings = Settings::default();
    settings.client_buffer = 100_000;
    node_with(&Backend::open(&server.url()).await.unwrap(), settings).await
}

#[tokio::test(flavor = "multi_thread")]
async fn own_askers_are_served_while_the_server_is_away_and_the_rest_is_shared_behind_it() {
    let mut server = RedisServer::options().aof().start();
    let [a, c] = [apart(&server).await, apart(&server).await];
    c.does("count", |job, parts| async move {
        for n in 0..job.input_as::<u64>()? {
            parts.send(n).await?;
        }
        Ok(())
    });
    let (mut watches, mut asks) = (a.client(), c.client());
    let before = watches.state("all", Interest::all(), None).unwrap().position;
    asks.ask("count", 10).unwrap();
    assert_eq!(next(&mut asks, 11).await.len(), 11);
    assert_eq!(next_data(&mut watches, 10).await, (0..10).collect::<Vec<_>>());
    server.kill_9();
    asks.ask("count", 100).unwrap();
    let told_meanwhile = next(&mut asks, 101).await;
    assert!(matches!(told_meanwhile[100], Delivery::Ended { parts: 100, .. }), "{:?}", told_meanwhile[100]);
    for n in 100..2000 {
        c.live.publish("more", n).unwrap();
    }
    assert!(told(&mut watches).is_empty());
    server.restart();
    let seen = next_data(&mut watches, 2000).await;
    assert_eq!(seen, (0..100).chain(100..2000).collect::<Vec<_>>());
    assert!(told(&mut watches).is_empty(), "nothing comes twice, and nothing was missed");
    // The order is the same for who comes back, wherever that is.
    let interest = || Interest::named(["more"]);
    let mut back = [a.client(), c.client()];
    for client in &mut back {
        let middle = Position { epoch: before.epoch.clone(), offset: a.live.position().offset };
        assert_eq!(client.state("more", interest(), Some(&middle)).unwrap().recovered, Some(true));
    }
    c.live.publish("more", "last").unwrap();
    for client in &mut back {
        assert_eq!(next_data(client, 1).await, ["last"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_lost_everything_has_another_history() {
    let server = RedisServer::start();
    let [a, c] = [apart(&server).await, apart(&server).await];
    let mut client = a.client();
    let before = client.state("all", Interest::all(), None).unwrap().position;
    client.join("tea", json!({"nick": "joe"}), false, None).unwrap();
    c.live.publish("n", 1).unwrap();
    assert_eq!(next_data(&mut client, 1).await, [1]);
    server.cli(&["FLUSHALL"]);
    eventually("both have noticed", || async {
        let [a, c] = [a.live.position(), c.live.position()];
        a.epoch == c.epoch && a.epoch != before.epoch
    })
    .await;
    assert_eq!(client.state("again", Interest::all(), Some(&before)).unwrap().recovered, Some(false));
    c.live.publish("n", 2).unwrap();
    assert_eq!(next_data(&mut client, 1).await, [2]);
    let d = apart(&server).await;
    eventually("members are told anew", || async { d.live.members("tea").len() == 1 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_too_long_for_the_server_reaches_its_own_clients_alone_and_others_are_told() {
    let mut server = RedisServer::options().aof().start();
    let [a, c] = [apart(&server).await, apart(&server).await];
    let (mut watches, mut near) = (a.client(), c.client());
    watches.state("all", Interest::named(["last"]), None).unwrap();
    near.state(
        "all",
        Interest::when(mape::condition::Condition::parse("n ge 600 and n lt 603").unwrap()),
        None,
    )
    .unwrap();
    c.live.publish("last", "before").unwrap();
    assert_eq!(next_data(&mut watches, 1).await, ["before"]);
    let unshared = counted("unshared");
    server.kill_9();
    for n in 0..21_000 {
        c.live.publish("n", json!({"n": n})).unwrap();
    }
    c.live.publish("last", "after").unwrap();
    // The oldest have given way, in their order.
    assert_eq!(next_data(&mut near, 3).await, [600, 601, 602].map(|n| json!({"n": n})));
    assert!(counted("unshared") - unshared >= 400);
    server.restart();
    let told = next(&mut watches, 2).await;
    assert!(matches!(told[0], Delivery::Missed { count } if count >= 400), "{told:?}");
    assert_eq!(data(&told[1]).unwrap(), "after");
}

/// A process of `examples/live_node.rs`, which ends with this.
struct Process {
    child: Child,
    out: Receiver<String>,
    errors: Receiver<String>,
}

impl Process {
    fn start(server: &RedisServer, arguments: &[&str]) -> Self {
        let mut child =
            example("live_node").args(["--backend", &server.url()]).args(arguments).spawn().unwrap();
        let out = lines_of(child.stdout.take().unwrap());
        let errors = lines_of(child.stderr.take().unwrap());
        Self { child, out, errors }
    }

    /// Where it is in the order of all when it is ready.
    fn ready(&self) -> String {
        loop {
            let line = self.errors.recv_timeout(Duration::from_secs(20)).expect("it gets ready");
            if let Some(position) = line.strip_prefix("ready: at ") {
                return position.to_owned();
            }
        }
    }

    fn next(&self) -> Value {
        let line = self.out.recv_timeout(Duration::from_secs(20)).expect("it says more");
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // `kill -9`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(read: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(read).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[test]
fn three_processes_are_one_live_server() {
    let server = RedisServer::start();
    let c = Process::start(&server, &["--does", "orders"]);
    c.ready();
    let b = Process::start(&server, &["--when", "** contains joe@doe.com"]);
    b.ready();
    // A has the job done by C, and gets all of it.
    let a = Process::start(&server, &["--ask", "orders", "--input", "6"]);
    let told: Vec<_> = (0..7).map(|_| a.next()).collect();
    let ids: Vec<_> = told.iter().filter_map(|told| told["data"]["id"].as_u64()).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4, 5], "{told:?}");
    let by = c.child.id();
    assert!(told[..6].iter().all(|told| told["data"]["by"] == by));
    assert_eq!((&told[6]["end"], &told[6]["parts"]), (&json!(true), &json!(6)));
    // B gets what it is interested in.
    let of_joe: Vec<_> = (0..3).map(|_| b.next()["data"]["id"].clone()).collect();
    assert_eq!(of_joe, [0, 2, 4]);
    // Another process of B's goes on behind what that one saw last.
    drop(b);
    let back = told[2]["offset"].as_str().unwrap();
    let epoch = Process::start(&server, &["--when", "none eq 1"]).ready();
    let since = format!("{}:{back}", epoch.split(':').next().unwrap());
    let b = Process::start(&server, &["--when", "** contains joe@doe.com", "--since", &since]);
    b.ready();
    assert_eq!(b.next()["data"]["id"], 4);
    // C is killed at work: A is told, and that it is over.
    let a = Process::start(&server, &["--ask", "orders", "--input", "100000"]);
    assert_eq!(a.next()["data"]["id"], 0);
    let killed = std::time::Instant::now();
    drop(c);
    let last: Vec<_> =
        std::iter::repeat_with(|| a.next()).skip_while(|told| told["data"].is_object()).take(2).collect();
    assert_eq!(last[0]["error"], "the process that did it is gone", "{last:?}");
    assert_eq!(last[1]["end"], true);
    assert!(killed.elapsed() < Duration::from_secs(6), "{:?}", killed.elapsed());
    // Another one takes its place.
    let c = Process::start(&server, &["--does", "orders"]);
    c.ready();
    let a = Process::start(&server, &["--ask", "orders", "--input", "1"]);
    assert_eq!(a.next()["data"]["by"], c.child.id());
}

#[test]
fn a_client_on_a_gets_what_another_process_keeps() {
    let server = RedisServer::start();
    let c = Process::start(&server, &["--does", "orders", "--keep"]);
    c.ready();
    let a = Process::start(&server, &["--when", "customer.mail eq joe@doe.com"]);
    a.ready();
    let b = Process::start(&server, &["--ask", "orders", "--input", "1"]);
    assert_eq!(b.next()["data"]["notes"], "…");
    // The job was asked for elsewhere, so the log has had all of it.
    assert_eq!(a.next()["data"]["notes"], "…");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let here = apart(&server).await;
        here.live.extract("orders", Extract::paths(["customer.mail"]));
        for n in 0..10 {
            here.live
                .publish("orders", json!({"customer": {"mail": "joe@doe.com"}, "notes": "kept", "n": n}))
                .unwrap();
        }
        // Of these the log has the mail alone, and all of them come out of this process.
        let (a, seen) = tokio::task::spawn_blocking(move || {
            let seen: Vec<_> = (0..10).map(|_| a.next()["data"].clone()).collect();
            (a, seen)
        })
        .await
        .unwrap();
        assert!(
            seen.iter().enumerate().all(|(n, data)| data["n"] == n && data["notes"] == "kept"),
            "{seen:?}"
        );
        let log = here.app.logs().log("mape:live");
        let entries = log.range(EventId::MIN, EventId::MAX, 100).await.unwrap();
        assert!(entries.iter().all(|entry| !entry.event.as_ref().unwrap().to_string().contains("kept")));
        drop(a);
    });
}
