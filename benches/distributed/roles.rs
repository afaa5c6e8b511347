//! The processes of a deployment.

use mape::app::App;
use mape::backend::Backend;
use mape::flow::Graph;
use mape::workflow::{Engine, Invocation, Status, Task, Tasks, Worker};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

/// Nine tasks beside each other, and one behind them.
pub(super) const FLOW: &str = "{ t:1 t:2 t:3 t:4 t:5 t:6 t:7 t:8 t:9 } → t:end";
pub(super) const TASKS: u64 = 10;

/// A process of this program.
pub(super) struct Role {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Role {
    pub(super) fn start(of: &str, url: &str, rest: &[&str]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--role", of, url])
            .args(rest)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut role = Self { child, stdin, stdout };
        assert_eq!(role.line(), "ready");
        role
    }

    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Asks it for something; its answer.
    pub(super) fn ask(&mut self, line: &str) -> String {
        self.tell(line);
        self.line()
    }

    pub(super) fn tell(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
    }

    /// How much memory it has, in MiB.
    pub(super) fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(super) async fn play(of: &str, url: &str, rest: &[String]) {
    let compatible = rest.iter().any(|word| word == "compatible");
    let app = App::with_backend(Backend::open(url).await.unwrap());
    match of {
        "engine" => {
            let engine = Engine::with(Tasks::new().and_others());
            let engine = if compatible { engine.compatible() } else { engine };
            let engine = engine.start(&app).await.unwrap();
            println!("ready");
            serve(&engine).await;
        }
        "worker" => {
            let nothing = Task::new("t:*", |_: Invocation| async { Ok(()) });
            let worker = Worker::new("doers", Tasks::new().with(nothing)).concurrency(1024);
            let worker = if compatible { worker.receipts() } else { worker };
            let worker = worker.start(&app).await.unwrap();
            println!("ready");
            lines(async |_| {}).await;
            worker.drain().await;
        }
        "bare" => super::bare::play(url, rest).await,
        other => panic!("there is no role {other}"),
    }
}

/// Does something for each line that comes in.
pub(super) async fn lines(mut each: impl AsyncFnMut(String)) {
    let (to, mut lines) = tokio::sync::mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if to.blocking_send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = lines.recv().await {
        each(line).await;
    }
}

/// Begins as many runs as each line says, at most a thousand at a time, and says when they are over.
async fn serve(engine: &Engine) {
    let graph = Arc::new(FLOW.parse::<Graph>().unwrap());
    lines(async |line| {
        let count: usize = line.parse().unwrap();
        let at_once = Arc::new(tokio::sync::Semaphore::new(1000));
        let mut runs = tokio::task::JoinSet::new();
        for _ in 0..count {
            let permit = at_once.clone().acquire_owned().await.unwrap();
            // What has ended is not kept.
            while let Some(ended) = runs.try_join_next() {
                ended.unwrap();
            }
            let (engine, graph) = (engine.clone(), graph.clone());
            runs.spawn(async move {
                let run = engine.run_graph(graph, Value::Null).await.unwrap();
                assert_eq!(run.wait().await.unwrap().status, Status::Finished);
                drop(permit);
            });
        }
        while let Some(ended) = runs.join_next().await {
            ended.unwrap();
        }
        println!("done");
    })
    .await;
}
