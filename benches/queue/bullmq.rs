//! `BullMQ`; npm installs it below target/.

use super::role::Process;
use mape_benches::RedisServer;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const VERSION: &str = "bullmq@5";

/// A server of its own, and where its programs are.
pub(super) struct BullMq {
    server: RedisServer,
    program: PathBuf,
}

impl BullMq {
    /// Nothing, and why is written, where it cannot be had.
    pub(super) fn find() -> Option<Self> {
        match Self::install() {
            Ok(peer) => Some(peer),
            Err(reason) => {
                eprintln!("BullMQ is absent: {reason}");
                None
            }
        }
    }

    fn install() -> Result<Self, String> {
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
        let program = directory.join("queue.mjs");
        std::fs::write(&program, include_str!("bullmq.mjs")).map_err(|error| error.to_string())?;
        Command::new("node")
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .map_err(|e| format!("node: {e}"))?;
        Ok(Self { server: RedisServer::start(), program })
    }

    /// One of its processes, ready: `add`, `work`, `begin`, `pace`, `hold`.
    pub(super) fn process(&self, role: &str, numbers: &[usize]) -> Process {
        let mut command = Command::new("node");
        command.arg(&self.program).arg(self.server.port().to_string()).arg(role);
        command.args(numbers.iter().map(ToString::to_string));
        let mut process = Process::start(command).unwrap();
        assert_eq!(process.line(), "ready");
        process
    }

    /// Removes all that is there.
    pub(super) fn flush(&self) {
        super::cases::flush(self.server.port());
    }
}
