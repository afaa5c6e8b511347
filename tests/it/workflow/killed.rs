//! Killed at any moment, again and again: runs go on, what has ended is not done again, and waits go on, too.

use crate::file::{fresh_dir, open};
use mape::app::App;
use mape::workflow::{Engine, Invocation, RunId, Status, Task, TaskError, Tasks};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The name of the test, which runs itself in processes of their own.
const NAME: &str = "workflow::killed::a_run_is_killed_at_fifty_points_and_does_once_what_has_ended";
const KILLS: u32 = 50;
/// Enough kills, whatever their number, so that the test ends also on a slow disk.
const LONG_ENOUGH: Duration = Duration::from_secs(40);
/// The wait before a second attempt.
const WAIT: Duration = Duration::from_millis(40);

/// Every third step is a fan of three, and every fourth fails at its first attempt.
fn flow() -> String {
    let step = |n: usize| match n {
        n if n % 3 == 0 => format!("{{ a{n} b{n} c{n} }} → > m{n}"),
        n if n % 4 == 0 => format!("flaky{n} (- retry: {{attempts: 1, wait: {}ms}} -)", WAIT.as_millis()),
        n => format!("t{n}"),
    };
    (0..24).map(step).collect::<Vec<_>>().join(" → ")
}

#[test]
fn a_run_is_killed_at_fifty_points_and_does_once_what_has_ended() {
    if let Some(plan) = std::env::var_os("KILLED") {
        return until_killed(plan.to_str().unwrap());
    }
    let dir = fresh_dir();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (begun, mut kills, mut runs) = (Instant::now(), 0, 0);
    while kills < KILLS && begun.elapsed() < LONG_ENOUGH {
        let id = format!("r{runs}");
        let mut killed = 0;
        // A new run each time one gets through.
        while !finished(&dir, &id, random.usize(..16), Duration::from_micros(random.u64(..6_000))) {
            killed += 1;
        }
        check(&dir, &id, killed);
        kills += killed;
        runs += 1;
    }
    assert!(kills >= 20, "{kills} kills are too few to mean anything");
}

/// Goes on with a run in another process and kills it a moment after it has begun so many tasks; whether it got through.
fn finished(dir: &Path, id: &str, tasks: usize, moment: Duration) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env("KILLED", format!("{} {id}", dir.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told = output.filter(|line| line == "begins" || line == "finished");
    let mut through = false;
    for _ in 0..=tasks {
        match told.next().as_deref() {
            Some("finished") => through = true,
            Some(_) => {}
            None => break,
        }
    }
    if !through {
        wait_busily(moment);
        child.kill().unwrap();
        through = told.any(|line| line == "finished");
    }
    ended(&mut child, through);
    through
}

/// Shorter than what a sleep can be.
fn wait_busily(moment: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < moment {
        std::hint::spin_loop();
    }
}

fn ended(child: &mut Child, through: bool) {
    let status = child.wait().unwrap();
    // It ends by itself only when the run is through.
    assert!(through || status.code().is_none(), "{status}");
}

/// What was begun and what ended, in the order in which it happened in all processes.
fn check(dir: &Path, id: &str, kills: u32) {
    let log = fs::read_to_string(dir.join(format!("{id}.log"))).unwrap();
    let mut attempts: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    // Of a chain a step begins only when what came before is kept: no step of an earlier place begins after it.
    let mut reached = 0;
    for line in log.lines() {
        let (name, attempt) = line.split_once(' ').unwrap();
        let place = name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<usize>().unwrap() * 2;
        let place = place + usize::from(name.starts_with('m'));
        assert!(place >= reached, "{name} began again after what follows it\n{log}");
        reached = place;
        attempts.entry(name).or_default().push(attempt.parse().unwrap());
    }
    assert_eq!(attempts.len(), 24 + 3 * 8, "{log}");
    let mut repeated = 0;
    for (name, attempts) in &attempts {
        // Numbers only go up: nothing is done twice under the same one.
        assert!(attempts.is_sorted_by(|a, b| a < b), "{name}: {attempts:?}\n{log}");
        repeated += (attempts.len() - 1).saturating_sub(usize::from(name.starts_with("flaky")));
    }
    // A kill can hit three at a time.
    assert!(repeated <= 3 * kills as usize, "{repeated} repeated for {kills} kills\n{log}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let backend = open(dir).await;
        let runs = mape::workflow::Workflows::new(&backend);
        let run = runs.inspect(&RunId::from(id)).await.unwrap();
        assert_eq!(run.status, Status::Finished);
        assert_eq!(run.output.as_deref(), Some(&json!({"t23": 1})));
        check_waits(&runs.archive(&RunId::from(id)).await.unwrap());
        backend.close().await;
    });
}

/// Between an attempt that failed and the next is the wait, whoever was killed meanwhile.
fn check_waits(archive: &Value) {
    let mut failed: BTreeMap<u64, u64> = BTreeMap::new();
    for record in archive["steps"].as_array().unwrap() {
        let at = record["at"].as_u64().unwrap();
        for cause in record["causes"].as_array().unwrap() {
            if !cause["ended"]["failed"].is_null() {
                failed.insert(cause["ended"]["node"].as_u64().unwrap(), at);
            } else if let Some(node) = cause["due"]["node"].as_u64() {
                let waited = Duration::from_micros(at - failed.remove(&node).unwrap());
                assert!(waited >= WAIT, "{waited:?}");
            }
        }
    }
    assert!(failed.is_empty(), "{failed:?} were not tried again");
}

#[expect(clippy::print_stdout, reason = "it tells its parent what happened")]
#[tokio::main(flavor = "current_thread")]
async fn until_killed(plan: &str) {
    let (dir, id) = plan.rsplit_once(' ').unwrap();
    let backend = open(Path::new(dir)).await;
    let log = Path::new(dir).join(format!("{id}.log"));
    let task = Task::new("*", move |invocation: Invocation| {
        let (name, attempt) = (invocation.name().to_owned(), invocation.attempt());
        let mut log = fs::File::options().create(true).append(true).open(&log).unwrap();
        log.write_all(format!("{name} {attempt}\n").as_bytes()).unwrap();
        println!("begins");
        async move {
            tokio::time::sleep(Duration::from_micros(fastrand::u64(..2_000))).await;
            if name.starts_with("flaky") {
                // One that was killed is made again at once, so it may be another attempt that fails.
                if attempt == 1 {
                    return Err(TaskError::new("not at once"));
                }
            }
            Ok(json!({name: 1}))
        }
    });
    let engine = Engine::start(&App::with_backend(backend.clone()), Tasks::new().with(task)).await.unwrap();
    let run = engine.run_as(id.into(), &flow(), Value::Null).await.unwrap();
    let output = run.output().await.unwrap();
    assert!(output.is_ok(), "{output:?}");
    engine.close().await.unwrap();
    backend.close().await;
    println!("finished");
}
