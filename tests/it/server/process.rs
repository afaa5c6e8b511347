//! Processes that do not outlive the test process.

use super::wait::until;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Ends a server once the test process is gone, and removes its directory. It waits for the end of its input, which
/// comes however the test process ends; what ends a whole group of processes must not end it before.
const WATCHDOG: &str = r#"trap '' INT TERM HUP; read -r _; kill -9 "$0"; rm -rf "$1""#;

/// A running redis-server or sentinel; it is killed when the value is dropped.
pub(crate) struct Process {
    child: Child,
    watchdog: Child,
}

impl Process {
    /// Starts `redis-server redis.conf MODE…` in a directory and waits until it writes `ready`. When it ends before
    /// that, the error is what it wrote.
    pub(crate) fn start(directory: &Path, mode: &[&str], ready: &str) -> Result<Self, String> {
        let log = directory.join("log");
        let out = File::create(&log).unwrap();
        let child = Command::new("redis-server")
            .arg("redis.conf")
            .args(mode)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .expect("redis-server does not start: is the package redis-server installed?");
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, &child.id().to_string()])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut process = Self { child, watchdog };
        let (mut written, mut ended) = (String::new(), false);
        until(&format!("redis-server {mode:?} in {} is ready", directory.display()), || {
            ended = process.child.try_wait().unwrap().is_some();
            written = String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned();
            ended || written.contains(ready)
        });
        if ended { Err(written) } else { Ok(process) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it, as when a machine hangs: its connections stay open and nobody answers.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
        until("the process is stopped", || self.state() == 'T');
    }

    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// The letter behind the name, which is in brackets and may hold anything.
    fn state(&self) -> char {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next()).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The watchdog first: it must not find another process under the id of one that is gone.
        for child in [&mut self.watchdog, &mut self.child] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::RedisServer;
    use super::*;

    #[test]
    fn a_server_and_its_directory_go_when_the_test_process_is_gone() {
        let mut server = RedisServer::start();
        let directory = server.directory().to_owned();
        let process = server.process_mut();
        // What the system does when this process ends.
        drop(process.watchdog.stdin.take());
        until("the server has ended", || process.child.try_wait().unwrap().is_some());
        until("its directory is gone", || !directory.exists());
    }

    #[test]
    fn a_dropped_server_leaves_neither_process_nor_directory() {
        let mut server = RedisServer::start();
        let directory = server.directory().to_owned();
        let ids = [server.process_mut().child.id(), server.process_mut().watchdog.id()];
        drop(server);
        assert!(!directory.exists());
        assert!(ids.iter().all(|id| !Path::new(&format!("/proc/{id}")).exists()));
    }
}
