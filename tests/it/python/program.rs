//! Programs in Python: those of `tests/python`, in the environment that `scripts/test` makes.

use crate::distributed::hand::Hand;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// A listener that naps does so for ten seconds at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// One that runs, until it is dropped.
pub(super) struct Program {
    child: Child,
    says: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts one that listens, and waits until it does.
    pub(super) async fn listening(hand: &Hand, script: &str, arguments: &[&str]) -> Self {
        let mut child = command(hand, script, arguments).stdin(Stdio::null()).spawn().unwrap();
        let says = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut program = Self { child, says };
        assert_eq!(program.line().await, "ready", "{script}");
        program
    }

    /// What it says next.
    pub(super) async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.says.next_line()).await.expect("it says something in time");
        line.unwrap().expect("it has not ended")
    }

    /// All that it has said, after it was killed as by `kill -9`.
    pub(super) async fn kill(mut self) -> Vec<String> {
        self.child.kill().await.unwrap();
        let mut said = Vec::new();
        while let Some(line) = self.says.next_line().await.unwrap() {
            said.push(line);
        }
        said
    }
}

/// Lets `client.py` do what it is told, to its end.
pub(super) async fn client(hand: &Hand, arguments: &[&str], input: &Value) {
    let mut child = command(hand, "client.py", arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).await.unwrap();
    let status = timeout(PATIENCE, child.wait()).await.expect("it ends in time").unwrap();
    assert!(status.success(), "client.py {arguments:?}: {status}");
}

fn command(hand: &Hand, script: &str, arguments: &[&str]) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/python/bin/python");
    assert!(python.exists(), "{} is missing: scripts/test makes it", python.display());
    let mut command = Command::new(python);
    command.arg(root.join("tests/python").join(script)).args(["--port", &hand.server.port().to_string()]);
    command.args(arguments).env("PYTHONDONTWRITEBYTECODE", "1").stdout(Stdio::piped()).kill_on_drop(true);
    command
}
