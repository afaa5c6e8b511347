//! Workers that are killed at any moment, servers that are restarted, lines that are cut: no job is lost, and each has one
//! end.

use super::conformance::{doer, settings, soon};
use crate::server::{Directory, Proxy, RedisServer};
use mape::backend::Backend;
use mape::element::Element;
use mape::prelude::{App, BoxError};
use mape::queue::{Done, Ending, NewJob, Queue, Queues, Schedule, Settings, Task, working};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The name of the test that also is the program of a worker.
const NAME: &str = "queue::killed::workers_killed_at_any_moment_lose_no_job_and_end_none_twice";
/// Where the queue of such a worker is.
const PLACE: &str = "MAPE_TEST_QUEUE";

#[derive(Debug, Serialize, Deserialize)]
struct Job {
    n: u64,
    /// How many of its attempts fail.
    fails: u32,
    /// Whether it ends its process.
    kills: bool,
}

fn held() -> Settings {
    Settings {
        concurrency: 4,
        priorities: 2,
        attempts: 12,
        retry_after: Duration::from_millis(5),
        retry_at_most: Duration::from_millis(40),
        lease: Duration::from_millis(400),
        keep: 1_000_000,
        ..Settings::default()
    }
}

fn worker(app: &App, uid: &str) -> Element<Task<Job>, Done<Task<Job>, u64>> {
    let work = |task: Task<Job>| async move {
        if task.kills {
            std::process::abort();
        }
        sleep(Duration::from_millis(task.n % 4)).await;
        if task.attempt() <= task.fails { Err(BoxError::from("not yet")) } else { Ok(task.n) }
    };
    app.create_loop(uid).unwrap().execute("work").each_unordered(4, working(work)).spawn().unwrap()
}

/// Adds jobs of all kinds and says which, and works on them, until it is killed.
#[expect(clippy::print_stdout, reason = "it tells its parent what happened")]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn until_killed(place: &str) {
    let (place, is_quiet) = place.strip_prefix("quiet ").map_or((place, false), |place| (place, true));
    let app = App::with_backend(Backend::open(place).await.unwrap());
    if is_quiet {
        let queue = Queues::new(&app).get("held").await.unwrap();
        let _worker = queue.work(&worker(&app, "killed")).await.unwrap();
        return std::future::pending().await;
    }
    let queue = Queues::new(&app).open("held", held()).await.unwrap();
    let schedule = Schedule {
        name: "each".to_owned(),
        cron: "* * * * * *".parse().unwrap(),
        data: json!(Job { n: 0, fails: 1, kills: false }),
        priority: 1,
    };
    queue.schedule(&schedule).await.unwrap();
    let worker = queue.work(&worker(&app, "killed")).await.unwrap();
    println!("ready");
    for _ in 0..60 {
        let n = fastrand::u64(..1_000_000);
        let mut job = NewJob::new(Job { n, fails: u32::from(n % 5 == 0), kills: false });
        job = job.priority(u8::from(n % 3 == 0));
        if n % 4 == 0 {
            job = job.delay(Duration::from_millis(n % 100));
        }
        if n % 7 == 0 {
            job = job.key(format!("key {}", n % 70));
        }
        let added = queue.add_job(job).await.unwrap();
        println!("added {}", added.id);
        sleep(Duration::from_millis(3)).await;
    }
    std::future::pending::<()>().await;
    drop(worker);
}

/// A worker in a process of its own, and what it says.
struct Process {
    child: Child,
    said: Receiver<String>,
}

impl Process {
    fn start(place: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(PLACE, place)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, said) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, said }
    }

    fn kill(mut self, added: &mut BTreeSet<String>) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
        // What it said before it was gone is there by now, or comes.
        while let Ok(line) = self.said.recv_timeout(Duration::from_millis(500)) {
            added.extend(line.strip_prefix("added ").map(str::to_owned));
        }
    }
}

/// Waits outside of any runtime.
fn pause(time: Duration) {
    let (_sender, nothing) = channel::<()>();
    // Nobody says anything.
    let _ = nothing.recv_timeout(time);
}

#[test]
fn workers_killed_at_any_moment_lose_no_job_and_end_none_twice() {
    if let Some(place) = std::env::var_os(PLACE) {
        return until_killed(place.to_str().unwrap());
    }
    let (server, directory) = (RedisServer::start(), Directory::new());
    let file = format!("file:{}", directory.path().join("data").display());
    // A directory has one owner; who comes second works through it, and ends with it.
    for (place, together) in [(server.url(), 2), (file, 1)] {
        let (mut added, mut rounds) = (BTreeSet::new(), 0);
        while rounds < 12 || added.len() < 100 {
            let processes: Vec<_> = (0..together).map(|_| Process::start(&place)).collect();
            for process in processes {
                while process.said.recv_timeout(Duration::from_secs(30)).unwrap() != "ready" {}
                // It is killed at any moment.
                pause(Duration::from_millis(fastrand::u64(..400)));
                process.kill(&mut added);
            }
            rounds += 1;
            assert!(rounds < 100, "{} jobs are too few to mean anything", added.len());
        }
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(all_have_one_end(&place, &added));
    }
}

/// Works off what is left, and looks at all that was told.
async fn all_have_one_end(place: &str, added: &BTreeSet<String>) {
    let app = App::with_backend(Backend::open(place).await.unwrap());
    let queue = Queues::new(&app).open("held", held()).await.unwrap();
    queue.unschedule("each").await.unwrap();
    let worker = queue.work(&worker(&app, "last")).await.unwrap();
    is_worked_off(&queue).await;
    let ends = ends(&queue).await;
    let many: BTreeSet<_> =
        ends.iter().filter(|(_, ends)| **ends != 1).map(|(job, _)| job.as_str()).collect();
    let told = queue.last_outcomes(usize::MAX).await.unwrap();
    let told: Vec<_> = told.iter().filter(|told| many.contains(told.job.as_str())).collect();
    assert!(many.is_empty(), "at {place} {many:?}: {told:?}");
    let lost: Vec<_> = added.iter().filter(|job| !ends.contains_key(*job)).collect();
    assert!(lost.is_empty(), "{lost:?} of {}", added.len());
    assert_eq!(worker.stop(Duration::from_secs(5)).await, 0);
}

async fn is_worked_off(queue: &Queue) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let stats = match queue.stats().await {
            Ok(stats) => stats,
            Err(error) if error.is_retryable() => continue,
            Err(error) => panic!("{error}"),
        };
        if stats.running == 0 && stats.delayed == 0 && stats.waiting.iter().all(|many| *many == 0) {
            return;
        }
        assert!(Instant::now() < deadline, "{stats:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// How many ends each job has that was ever told of.
async fn ends(queue: &Queue) -> BTreeMap<String, usize> {
    let told = queue.last_outcomes(usize::MAX).await.unwrap();
    let mut ends = BTreeMap::new();
    for outcome in told {
        *ends.entry(outcome.job.to_string()).or_default() += usize::from(outcome.is_final());
    }
    ends
}

#[tokio::test]
async fn what_a_killed_worker_had_is_begun_again_and_a_job_that_kills_is_dead_in_the_end() {
    let server = RedisServer::start();
    let app = App::with_backend(Backend::open(&server.url()).await.unwrap());
    let settings = Settings { attempts: 2, concurrency: 1, priorities: 1, ..held() };
    let queue = Queues::new(&app).open("held", settings).await.unwrap();
    let deadly = queue.add(&Job { n: 1, fails: 0, kills: true }).await.unwrap().id;
    let harmless = queue.add(&Job { n: 2, fails: 0, kills: false }).await.unwrap().id;
    for _ in 0..2 {
        let mut process = Process::start(&format!("quiet {}", server.url()));
        let ended = tokio::task::spawn_blocking(move || process.child.wait().unwrap()).await.unwrap();
        assert!(!ended.success());
    }
    let _worker = queue.work(&worker(&app, "last")).await.unwrap();
    assert!(soon(queue.outcome(&harmless)).await.unwrap().result::<u64>().is_ok());
    let told = soon(queue.outcome(&deadly)).await.unwrap();
    let reason = "it was tried 2 times; the last time: its worker was gone before it was done";
    assert_eq!(told.ending, Ending::Dead { error: reason.to_owned() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_lines_and_a_server_that_is_killed_lose_no_job_and_end_none_twice() {
    let mut server = RedisServer::options().aof().start();
    let proxy = Proxy::before(&server);
    let app = App::with_backend(Backend::open(&proxy.url()).await.unwrap());
    let queue = Queues::new(&app).open("held", Settings { attempts: 100, ..held() }).await.unwrap();
    let mut workers = Vec::new();
    for n in 0..2 {
        workers.push(queue.work(&worker(&app, &format!("w{n}"))).await.unwrap());
    }
    let next = AtomicU64::new(0);
    let adding = async {
        let deadline = Instant::now() + Duration::from_secs(4);
        while Instant::now() < deadline {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let fails = u32::from(n.is_multiple_of(5));
            // Said again until it is there; the key makes one of it.
            loop {
                let job = NewJob::new(Job { n, fails, kills: false }).key(n.to_string());
                match queue.add_job(job).await {
                    Ok(_) => break,
                    Err(error) => assert!(error.is_retryable(), "{error}"),
                }
            }
        }
    };
    let failing = async {
        for n in 0..16 {
            sleep(Duration::from_millis(200)).await;
            tokio::task::block_in_place(|| match n % 8 {
                3 => server.restart(),
                6 => {
                    proxy.refuse(true);
                    proxy.cut();
                    pause(Duration::from_millis(100));
                    proxy.refuse(false);
                }
                _ => proxy.cut(),
            });
        }
    };
    futures::join!(adding, failing);
    is_worked_off(&queue).await;
    let all = next.load(Ordering::Relaxed);
    let ends = ends(&queue).await;
    let many: Vec<_> = ends.iter().filter(|(_, ends)| **ends != 1).collect();
    assert!(many.is_empty(), "{many:?}");
    assert_eq!(ends.len() as u64, all);
    assert!(all > 100, "{all} jobs are too few to mean anything");
}

#[tokio::test]
async fn an_outcome_is_told_through_an_outage() {
    let server = RedisServer::start();
    let proxy = Proxy::before(&server);
    let app = App::with_backend(Backend::open(&proxy.url()).await.unwrap());
    let queue = Queues::new(&app).open("reply", settings()).await.unwrap();
    let job = queue.add(&1).await.unwrap().id;
    let waiting = tokio::spawn({
        let (queue, job) = (queue.clone(), job.clone());
        async move { queue.outcome(&job).await }
    });
    sleep(Duration::from_millis(100)).await;
    proxy.refuse(true);
    proxy.cut();
    // Meanwhile it is done by one that is not cut off.
    let near = App::with_backend(Backend::open(&server.url()).await.unwrap());
    let other = Queues::new(&near).open("reply", settings()).await.unwrap();
    let worker = other.work(&doer(&near, "one", |task| async move { Ok(*task) })).await.unwrap();
    soon(other.outcome(&job)).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    proxy.refuse(false);
    assert_eq!(soon(waiting).await.unwrap().unwrap().result::<u64>().unwrap(), 1);
    worker.stop(Duration::from_secs(5)).await;
}
