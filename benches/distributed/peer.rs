//! `BullMQ`, whose flows are the nearest thing elsewhere; npm installs it below target/.

use super::roles::TASKS;
use mape_benches::{RedisServer, Run};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

pub(super) struct BullMq {
    _server: RedisServer,
    child: Child,
    stdout: BufReader<ChildStdout>,
}

const VERSION: &str = "bullmq@5";

impl BullMq {
    pub(super) fn start() -> Result<Self, String> {
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/bullmq");
        std::fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
        if !directory.join("node_modules/bullmq").exists() {
            let npm = Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--silent", "--prefix", "."])
                .arg(VERSION)
                .current_dir(&directory)
                .stdout(Stdio::null())
                .status()
                .map_err(|error| format!("npm: {error}"))?;
            if !npm.success() {
                return Err(format!("npm cannot install {VERSION}"));
            }
        }
        let program = directory.join("peer.mjs");
        std::fs::write(&program, include_str!("bullmq.mjs")).map_err(|error| error.to_string())?;
        let server = RedisServer::start();
        let mut child = Command::new("node")
            .arg(program)
            .args([server.port().to_string(), (TASKS - 1).to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node: {error}"))?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or("it has no output")?);
        let mut line = String::new();
        stdout.read_line(&mut line).map_err(|error| error.to_string())?;
        if line.trim() == "ready" {
            Ok(Self { _server: server, child, stdout })
        } else {
            Err(format!("it says {line:?}"))
        }
    }

    /// As many flows as ours.
    pub(super) fn run(&mut self, runs: u64) -> Run {
        let begun = Instant::now();
        writeln!(self.child.stdin.as_mut().unwrap(), "{runs}").unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "done");
        Run { count: runs * TASKS, wall: begun.elapsed(), cpu: Duration::ZERO }
    }
}

impl Drop for BullMq {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
