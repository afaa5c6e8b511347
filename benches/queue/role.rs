//! Our worker as a process of its own.

use mape::backend::Backend;
use mape::prelude::{App, BoxError};
use mape::queue::{Queue, Queues, Settings, Task, Worker, working};
use rustix::time::{ClockId, clock_gettime};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// What all our queues here are like but for what is said.
pub(super) fn settings(keep: u64) -> Settings {
    Settings { concurrency: 1000, keep, ..Settings::default() }
}

/// The time in nanoseconds, the same in all processes.
pub(super) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
}

pub(super) async fn queue(app: &App, keep: u64) -> Queue {
    Queues::new(app).open("jobs", settings(keep)).await.unwrap()
}

/// What a worker does when a job begins, whose data it is given.
pub(super) async fn work(app: &App, queue: &Queue, begun: impl Fn(u64) + Send + Sync + 'static) -> Worker {
    let begun = Arc::new(begun);
    let work = working(move |task: Task<u64>| {
        begun(*task);
        async { Ok::<(), BoxError>(()) }
    });
    let element = app.create_loop("bench").unwrap().execute("work").each_unordered(1000, work);
    queue.work(&element.spawn().unwrap()).await.unwrap()
}

/// Works until so many jobs are begun, and ends when the backend knows of all.
pub(super) async fn work_off(app: &App, queue: &Queue, count: usize) {
    let (left, over) = (Arc::new(AtomicUsize::new(count)), Arc::new(Notify::new()));
    let last = over.clone();
    let worker = work(app, queue, move |_| {
        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
            last.notify_one();
        }
    });
    let worker = worker.await;
    over.notified().await;
    // All that was begun is settled then.
    assert_eq!(worker.stop(Duration::from_secs(30)).await, 0);
}

/// `--role work URL KEEP COUNT`, `--role begin URL KEEP COUNT`, `--role hold URL`.
pub(super) async fn play(role: &str, url: &str, rest: &[String]) {
    let app = App::with_backend(Backend::open(url).await.unwrap());
    let mut numbers = rest.iter().map(|number| number.parse::<usize>().unwrap());
    let (keep, count) = (numbers.next().unwrap_or(10_000), numbers.next().unwrap_or(0));
    let queue = queue(&app, keep as u64).await;
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    match role {
        "work" => work_off(&app, &queue, count).await,
        "begin" => begin(&app, &queue, count).await,
        // Says when a job begins, and never ends it.
        _ => {
            let hold = working(|_: Task<u64>| async {
                println!("{}", now());
                std::future::pending::<Result<(), BoxError>>().await
            });
            let element = app.create_loop("bench").unwrap().execute("hold").each_unordered(1000, hold);
            let _worker = queue.work(&element.spawn().unwrap()).await.unwrap();
            println!("works");
            std::future::pending::<()>().await;
        }
    }
    println!("done");
}

/// Says how long it took from when each job was about to be added until it began.
async fn begin(app: &App, queue: &Queue, count: usize) {
    let (waits, over) = (Arc::new(std::sync::Mutex::new(Vec::with_capacity(count))), Arc::new(Notify::new()));
    let (noted, last) = (waits.clone(), over.clone());
    let worker = work(app, queue, move |added| {
        let mut waits = noted.lock().unwrap();
        waits.push(now().saturating_sub(added));
        if waits.len() == count {
            last.notify_one();
        }
    });
    let worker = worker.await;
    println!("works");
    over.notified().await;
    worker.stop(Duration::from_secs(5)).await;
    let mut waits = waits.lock().unwrap();
    waits.sort_unstable();
    println!("{} {}", waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
}

/// A process that is told to go on by a line, and says lines.
pub(super) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// One of ours, ready.
    pub(super) fn ours(role: &str, url: &str, numbers: &[usize]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--role", role, url]).args(numbers.iter().map(ToString::to_string));
        let mut process = Self::start(command).unwrap();
        assert_eq!(process.line(), "ready");
        process
    }

    pub(super) fn start(mut command: Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let stdout = BufReader::new(child.stdout.take().ok_or("it has no output")?);
        Ok(Self { child, stdout })
    }

    pub(super) fn go(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// What it says next; nothing when it has ended.
    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
