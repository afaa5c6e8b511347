//! Killed at any moment, again and again: every row once, and every push at least once and behind its commit.

use super::World;
use super::bulk::{Order, log, order};
use futures::StreamExt;
use mape::backend::Backend;
use mape::database::{BulkWriter, Database};
use mape::event::{Event, EventId};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const ROUNDS: u64 = 40;
/// Enough rounds, whatever their number, so that the test ends also on a slow disk.
const LONG_ENOUGH: Duration = Duration::from_secs(20);
/// Every so manieth event is no row.
const POISON: u64 = 17;

#[tokio::test]
async fn a_file_to_sqlite_survives_a_kill_at_any_moment() {
    if let Some(plan) = std::env::var_os("CRASHING") {
        return until_killed(plan.to_str().unwrap()).await;
    }
    let world = World::memory();
    let backend = format!("file:{}", world.directory().path().join("backend").display());
    survives("database::crash::a_file_to_sqlite_survives_a_kill_at_any_moment", world, &backend).await;
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_server_to_sqlite_survives_a_kill_at_any_moment() {
    if let Some(plan) = std::env::var_os("CRASHING") {
        return until_killed(plan.to_str().unwrap()).await;
    }
    let backend = crate::server::RedisServer::shared_url();
    survives("database::crash::a_server_to_sqlite_survives_a_kill_at_any_moment", World::memory(), &backend)
        .await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_file_to_postgres_survives_a_kill_at_any_moment() {
    if let Some(plan) = std::env::var_os("CRASHING") {
        return until_killed(plan.to_str().unwrap()).await;
    }
    let world = World::postgres();
    let backend = format!("file:{}", world.directory().path().join("backend").display());
    survives("database::crash::a_file_to_postgres_survives_a_kill_at_any_moment", world, &backend).await;
}

/// Kills writers until there were enough, and then lets one end its work.
pub(super) async fn survives(name: &str, world: World, backend: &str) {
    let (mut pushed, begun) = (BTreeSet::new(), Instant::now());
    let mut appended = 0;
    for _ in 0..ROUNDS {
        let lines = if fastrand::u8(..6) == 0 { 0 } else { fastrand::usize(1..150) };
        killed_after(name, &world, backend, lines, &mut appended, &mut pushed);
        // What was pushed was committed.
        let there: BTreeSet<u64> =
            if pushed.is_empty() { BTreeSet::new() } else { rows(&world).into_iter().collect() };
        assert!(
            pushed.is_subset(&there),
            "{:?} were pushed before they were there",
            pushed.difference(&there)
        );
        if begun.elapsed() > LONG_ENOUGH {
            break;
        }
    }
    assert!(appended > 100, "{appended} is too little to mean anything");
    let world = World { backend: Backend::open(backend).await.unwrap(), ..world };
    let all = log(&world).info().await.unwrap().len;
    let mut source = start(&world.backend, &world.url).await;
    let letters = async || log(&world).dead_letters().info().await.unwrap().len;
    let ended = async {
        let is_there = |pushed: &BTreeSet<u64>, n: u64| n.is_multiple_of(POISON) || pushed.contains(&n);
        while !(0..all).all(|n| is_there(&pushed, n)) || letters().await < all.div_ceil(POISON) {
            if let Ok(Some(order)) = timeout(Duration::from_millis(5), source.next()).await {
                pushed.insert(order.n);
            }
        }
    };
    timeout(Duration::from_secs(20), ended).await.expect("all is there in the end");
    let good: Vec<u64> = (0..all).filter(|n| !n.is_multiple_of(POISON)).collect();
    assert_eq!(rows(&world), good, "every row once");
    assert!(pushed.iter().eq(&good), "every push");
    let poison: Vec<Option<u64>> = (0..all).filter(|n| n.is_multiple_of(POISON)).map(Some).collect();
    let letters = log(&world).dead_letters().range(EventId::MIN, EventId::MAX, 10_000).await.unwrap();
    let letters = letters.iter().map(|entry| entry.event.as_ref().unwrap().get("number")?.as_u64());
    assert_eq!(letters.collect::<Vec<_>>(), poison, "every letter once");
}

fn rows(world: &World) -> Vec<u64> {
    world.query("SELECT n FROM orders ORDER BY n").iter().map(|n| n.parse().unwrap()).collect()
}

async fn start(backend: &Backend, database: &str) -> mape::database::WrittenSource<Order> {
    let table = Database::open(database).await.unwrap().table("orders").create();
    let writer = BulkWriter::new("shop", backend, "orders", &table);
    writer.batch(NonZeroUsize::new(7).unwrap(), Duration::from_millis(1)).start().await.unwrap()
}

fn killed_after(
    name: &str,
    world: &World,
    backend: &str,
    lines: usize,
    appended: &mut u64,
    pushed: &mut BTreeSet<u64>,
) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("CRASHING", format!("{backend} {}", world.url))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut note = |line: &str| {
        if let Some(n) = line.strip_prefix("pushed ") {
            pushed.insert(n.parse().unwrap());
        } else if let Some(n) = line.strip_prefix("appended ") {
            *appended = n.parse().unwrap();
        } else {
            return false;
        }
        true
    };
    let mut heard = 0;
    while heard < lines {
        match output.next() {
            Some(line) => heard += usize::from(note(&line.unwrap())),
            None => panic!("it ended by itself: {:?}", child.wait()),
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for line in output {
        note(&line.unwrap());
    }
}

/// Appends, writes, and says what comes out.
#[expect(clippy::print_stdout, reason = "it tells its parent what happened")]
async fn until_killed(plan: &str) {
    let (backend, database) = plan.split_once(' ').unwrap();
    let backend = Backend::open(backend).await.unwrap();
    let mut source = start(&backend, database).await;
    let log = backend.events().log("orders");
    let appending = async {
        for n in log.info().await.unwrap().len.. {
            let event =
                if n.is_multiple_of(POISON) { Event::new("order").with("number", n) } else { order(n) };
            log.append(event).await.unwrap();
            println!("appended {n}");
        }
    };
    tokio::join!(appending, async {
        while let Some(order) = source.next().await {
            println!("pushed {}", order.n);
        }
    });
}
