//! Killed at any moment, again and again: what was acknowledged is there, and nothing is there by half.

use super::{fresh_dir, open};
use mape::backend::Backend;
use mape::event::{Consumer, Event, EventId, Retention};
use mape::knowledge::{
    Command, Cursor, Data, End, Error, HashCommand, Items, Key, KeyCommand, ListCommand, Reply, SetCommand,
    SortedCommand, Transaction, ValueCommand,
};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

/// The name of the test, which runs itself in processes of their own.
const NAME: &str = "file::crash::what_was_acknowledged_survives_a_kill_at_any_moment";
/// Each does one operation after the other, on keys and a log of its own.
const WORKERS: usize = 4;
const ROUNDS: u64 = 100;
/// Enough rounds, whatever their number, so that the test ends also on a slow disk.
const LONG_ENOUGH: Duration = Duration::from_secs(8);

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    if let Some(plan) = std::env::var_os("CRASHING") {
        return until_killed(plan.to_str().unwrap());
    }
    let (dir, runtime) = (fresh_dir(), tokio::runtime::Runtime::new().unwrap());
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    // What has to be there, done once more where nothing is ever killed.
    let model = Backend::memory();
    let mut done = [0; WORKERS];
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        // Some are killed while they are still opening the directory.
        let lines = if random.u8(..8) == 0 { 0 } else { random.usize(1..80) };
        let acknowledged = killed_after(lines, &dir, seed, &done);
        runtime.block_on(async {
            let kept = open(&dir).await;
            for worker in 0..WORKERS {
                let there = dump(&kept, worker).await;
                for n in done[worker]..acknowledged[worker] {
                    act(&model, seed, worker, n).await;
                }
                done[worker] = acknowledged[worker];
                if there != dump(&model, worker).await {
                    // The one that was under way may be there as well, but as a whole.
                    act(&model, seed, worker, done[worker]).await;
                    done[worker] += 1;
                    assert_same(&there, &dump(&model, worker).await);
                }
            }
            kept.close().await;
        });
        if begun.elapsed() > LONG_ENOUGH {
            break;
        }
    }
    assert!(done.iter().sum::<u64>() > 100, "{done:?} is too little to mean anything");
}

fn assert_same(there: &BTreeMap<String, String>, expected: &BTreeMap<String, String>) {
    for key in there.keys().chain(expected.keys()) {
        assert_eq!(there.get(key), expected.get(key), "{key}");
    }
}

/// Runs workers that go on behind what is `done` in another process, and kills it when it has acknowledged so many
/// operations; which one each worker would do next.
fn killed_after(lines: usize, dir: &Path, seed: u64, done: &[u64; WORKERS]) -> [u64; WORKERS] {
    let plan = format!("{} {seed} {done:?}", dir.display()).replace(['[', ']', ','], "");
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env("CRASHING", plan)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = *done;
    let mut note = |line: String| {
        let Some(said) = line.strip_prefix("done ") else { return false };
        let (worker, n) = said.split_once(' ').unwrap();
        let worker: usize = worker.parse().unwrap();
        assert_eq!(n.parse(), Ok(next[worker]));
        next[worker] += 1;
        true
    };
    let mut heard = 0;
    while heard < lines {
        match output.next() {
            Some(line) => heard += usize::from(note(line.unwrap())),
            None => panic!("it ended by itself: {:?}", child.wait()),
        }
    }
    kill(&mut child);
    for line in output {
        note(line.unwrap());
    }
    next
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[expect(clippy::print_stdout, reason = "it tells its parent what happened")]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn until_killed(plan: &str) {
    let mut plan = plan.split(' ');
    let (dir, seed) = (plan.next().unwrap(), plan.next().unwrap().parse().unwrap());
    let backend = open(Path::new(dir)).await;
    let workers = plan.map(|n| n.parse().unwrap()).enumerate().map(|(worker, first)| {
        let backend = backend.clone();
        tokio::spawn(async move {
            for n in first.. {
                act(&backend, seed, worker, n).await;
                println!("done {worker} {n}");
            }
        })
    });
    futures::future::join_all(workers.collect::<Vec<_>>()).await;
}

/// The `n`-th operation of a worker: what it does depends on nothing else but on what the worker has done before.
pub(super) async fn act(backend: &Backend, seed: u64, worker: usize, n: u64) {
    let mut random = fastrand::Rng::with_seed(seed ^ (worker as u64) << 56 ^ n.wrapping_mul(0x9e37_79b9));
    let key = |name: &str| Key::from(format!("{worker}.{name}"));
    let store = backend.store();
    let consumer = Consumer::new(log(worker), "group", "one");
    if n == 0 {
        let events = backend.event_log();
        events.create_group(&consumer.log, &consumer.group, EventId::MIN).await.unwrap();
        return;
    }
    match random.u8(..11) {
        0..5 => {
            let (name, command) = command(&mut random);
            settled(store.run(&key(name), command).await);
        }
        5 => {
            let member = data(&mut random);
            let both = Transaction::new()
                .rpush(key("moved"), member.clone())
                .srem(key("set"), member.clone())
                .hset(key("hash"), member, n.to_string())
                .incrby(key("count"), 1)
                .append(log(worker), event(n));
            settled(store.commit(both).await);
        }
        6 => {
            let log = backend.events().log(log(worker));
            log.append_all((0..random.u64(1..4)).map(|_| event(n)).collect()).await.unwrap();
        }
        7 => read(backend, &consumer).await,
        8 => acknowledge(backend, &consumer, random.bool()).await,
        9 => {
            let keep = Retention::Entries(random.u64(..8));
            backend.event_log().trim(&log(worker).into(), keep).await.unwrap();
        }
        _ => {
            let gone = Transaction::new().del(key("list")).del(key("set")).expire(key("hash"), HOUR);
            settled(store.commit(gone).await);
        }
    }
}

/// Done or not: it is the same each time.
fn settled<T>(result: Result<T, Error>) {
    if let Err(error) = result {
        assert!(!matches!(error, Error::Unavailable { .. } | Error::Refused { .. }), "{error:?}");
    }
}

const HOUR: Duration = Duration::from_hours(1);

fn log(worker: usize) -> &'static str {
    ["0.log", "1.log", "2.log", "3.log"][worker]
}

fn event(n: u64) -> Event {
    Event::new("order").with("n", n).with("text", "some bytes ".repeat(usize::try_from(n % 9).unwrap()))
}

/// Reads from a group what there is.
async fn read(backend: &Backend, consumer: &Consumer) {
    let events = backend.event_log();
    if events.info(&consumer.log).await.unwrap().groups[0].lag > 0 {
        events.read(consumer, 3).await.unwrap();
    }
}

/// Acknowledges what is pending, all of it or the first by way of a transaction.
async fn acknowledge(backend: &Backend, consumer: &Consumer, all: bool) {
    let (events, Consumer { log, group, .. }) = (backend.event_log(), consumer);
    let pending = events.pending(log, group, EventId::MIN, usize::MAX).await.unwrap();
    let ids: Vec<_> = pending.iter().map(|pending| pending.id).collect();
    if all {
        events.acknowledge(log, group, ids).await.unwrap();
    } else if let Some(first) = ids.first() {
        let done = Transaction::new().expect_pending(consumer, *first).acknowledge(log, group, *first);
        let done = done.append(log, event(7)).set(format!("{log}.last"), "done");
        backend.store().commit(done).await.unwrap();
    }
}

fn data(random: &mut fastrand::Rng) -> Data {
    match random.u8(..4) {
        0 => vec![0xff, random.u8(..3), 0].into(),
        1 => "a text that is longer than what fits inline".into(),
        _ => Data::from(i64::from(random.u8(..4))),
    }
}

fn command(random: &mut fastrand::Rng) -> (&'static str, Command) {
    let end = if random.bool() { End::Front } else { End::Back };
    let many = |random: &mut fastrand::Rng| (0..random.usize(..4)).map(|_| data(random)).collect::<Vec<_>>();
    match random.u8(..15) {
        0 => {
            ("value", ValueCommand::Set { value: data(random), expiry: random.bool().then_some(HOUR) }.into())
        }
        1 => ("count", ValueCommand::Increment(3).into()),
        2 => ("value", ValueCommand::Take.into()),
        3 => ("hash", HashCommand::Set((data(random), data(random)).into()).into()),
        4 => ("hash", HashCommand::Remove(Items::Many(many(random))).into()),
        5 => ("set", SetCommand::Add(Items::Many(many(random))).into()),
        6 | 7 => ("list", ListCommand::Push(end, Items::Many(many(random))).into()),
        8 => ("list", ListCommand::Pop(end).into()),
        9 => ("list", ListCommand::Remove(data(random)).into()),
        10 => ("list", ListCommand::Trim(random.i64(-9..2), random.i64(-2..20)).into()),
        11 => ("list", ListCommand::Set(random.i64(-3..3), data(random)).into()),
        12 => ("sorted", SortedCommand::Add((data(random), f64::from(random.i8(..)) / 3.0).into()).into()),
        // Whatever it was, it is a value then.
        13 => ("odd", HashCommand::Set((data(random), data(random)).into()).into()),
        _ => ("odd", ValueCommand::Set { value: data(random), expiry: None }.into()),
    }
}

/// Everything a worker has made, without what differs from one time to the next.
pub(super) async fn dump(backend: &Backend, worker: usize) -> BTreeMap<String, String> {
    let (store, mut keys, mut from) = (backend.store(), Vec::new(), Some(Cursor::default()));
    while let Some(cursor) = from {
        let page = store.scan(&format!("{worker}.*").as_str().into(), cursor).await.unwrap();
        keys.extend(page.keys);
        from = page.next;
    }
    let mut dump = BTreeMap::new();
    for key in keys {
        let Reply::Kind(kind) = store.run(&key, KeyCommand::Kind.into()).await.unwrap() else { panic!() };
        let read: Command = match kind.to_string().as_str() {
            "string" => ValueCommand::Get.into(),
            "hash" => HashCommand::All.into(),
            "set" => SetCommand::Members.into(),
            "list" => ListCommand::Range(0, -1).into(),
            _ => SortedCommand::Range(0, -1).into(),
        };
        let expires = store.run(&key, KeyCommand::TimeToLive.into()).await.unwrap() != Reply::Nil;
        let held = match store.run(&key, read).await.unwrap() {
            Reply::List(mut list) if key.ends_with("set") => {
                list.sort();
                format!("{list:?}")
            }
            Reply::Pairs(mut pairs) => {
                pairs.sort();
                format!("{pairs:?}")
            }
            other => format!("{other:?}"),
        };
        dump.insert(key.to_string(), format!("{kind} expires: {expires} {held}"));
    }
    let (events, name) = (backend.event_log(), log(worker).into());
    let entries = events.range(&name, EventId::MIN, EventId::MAX, usize::MAX).await.unwrap();
    let place = |id| entries.iter().position(|entry| entry.id == id);
    for group in events.info(&name).await.unwrap().groups {
        let pending = events.pending(&name, &group.name, EventId::MIN, usize::MAX).await.unwrap();
        let pending: Vec<_> = pending.iter().map(|p| (place(p.id), p.consumer.clone(), p.attempts)).collect();
        dump.insert(group.name.to_string(), format!("{} {} {pending:?}", group.lag, group.consumers));
    }
    let entries: Vec<_> = entries.iter().map(|entry| entry.event.as_ref().unwrap().to_string()).collect();
    dump.insert(name.to_string(), entries.join("\n"));
    dump
}
