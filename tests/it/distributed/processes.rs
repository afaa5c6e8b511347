//! The program as processes on a server: started, killed, started again, told to end.

use crate::server::RedisServer;
use crate::suite::eventually;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// One process of `mape`, or one after the other with the same arguments. It ends with the test.
pub(super) struct Program {
    arguments: Vec<String>,
    directory: PathBuf,
    running: Option<(Child, JoinHandle<()>)>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Program {
    /// One that is not started yet.
    pub(super) fn new(server: &RedisServer, arguments: &[&str]) -> Self {
        let url = server.url();
        let arguments = arguments.iter().copied().chain(["--backend", &url]);
        Self {
            arguments: arguments.map(str::to_owned).collect(),
            directory: server.directory().to_owned(),
            running: None,
            said: Arc::default(),
        }
    }

    pub(super) async fn started(server: &RedisServer, arguments: &[&str]) -> Self {
        let mut program = Self::new(server, arguments);
        program.start();
        program.ready().await;
        program
    }

    /// What it says is that of this process from now on.
    pub(super) fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
        for (name, _) in std::env::vars_os() {
            if ["MAPE_", "REDIS_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.args(&self.arguments).current_dir(&self.directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (said, stderr) = (self.said.clone(), child.stderr.take().unwrap());
        said.lock().unwrap().clear();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                said.lock().unwrap().push(line.unwrap());
            }
        });
        self.running = Some((child, reader));
    }

    pub(super) async fn ready(&self) {
        eventually("a program is ready", async || self.has_said("Ctrl-C ends it")).await;
    }

    pub(super) fn has_said(&self, what: &str) -> bool {
        self.said.lock().unwrap().iter().any(|line| line.contains(what))
    }

    pub(super) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    pub(super) fn signal(&self, name: &str) {
        let Some((child, _)) = &self.running else { return };
        let kill = format!("kill -{name} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// `kill -9`; returns when it is gone.
    pub(super) fn kill(&mut self) {
        let Some((mut child, reader)) = self.running.take() else { return };
        child.kill().unwrap();
        child.wait().unwrap();
        reader.join().unwrap();
    }

    /// SIGTERM; returns when it is gone. It has to end well.
    pub(super) fn end(&mut self) {
        self.signal("TERM");
        let Some((mut child, reader)) = self.running.take() else { return };
        let status = child.wait().unwrap();
        reader.join().unwrap();
        assert!(status.success(), "{status}: {:?}", self.said());
    }

    /// Returns when it has ended by itself.
    pub(super) fn wait(&mut self) {
        let Some((mut child, reader)) = self.running.take() else { return };
        let status = child.wait().unwrap();
        reader.join().unwrap();
        assert!(status.success(), "{status}: {:?}", self.said());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
