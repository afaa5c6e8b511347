//! Processes of servers.

use super::directory::{CONFIGURATION, Directory, PID_FILE};
use super::wait::until;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Writes its id before it is a server; see the watchdog of [`Directory`].
const LAUNCH: &str = r#"echo $$ >pid && test -e server.conf && exec "$@""#;

/// A running server; it is killed when the value is dropped.
pub(crate) struct Process {
    child: Child,
    pid_file: PathBuf,
}

impl Process {
    /// Starts `redis-server server.conf MODE…` in a directory and waits until it writes `ready`. When it ends before
    /// that, the error is what it wrote.
    pub(crate) fn start(directory: &Directory, mode: &[&str], ready: &str) -> Result<Self, String> {
        Self::launch(directory, &[&["redis-server", CONFIGURATION], mode].concat(), ready)
    }

    /// Starts a program in a directory that has a configuration, which need not be the program's.
    pub(crate) fn launch(directory: &Directory, words: &[&str], ready: &str) -> Result<Self, String> {
        let directory = directory.path();
        let log = directory.join("log");
        let out = File::create(&log).unwrap();
        let child = Command::new("sh")
            .args(["-c", LAUNCH, "sh"])
            .args(words)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        let mut process = Self { child, pid_file: directory.join(PID_FILE) };
        let (mut written, mut ended) = (String::new(), false);
        until(&format!("{words:?} in {} is ready", directory.display()), || {
            ended = process.has_ended();
            written = String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned();
            ended || written.contains(ready)
        });
        if ended { Err(written) } else { Ok(process) }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    fn id(&self) -> u32 {
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
        let _ = self.child.kill();
        // Before the system may give its id to another process.
        let _ = fs::remove_file(&self.pid_file);
        let _ = self.child.wait();
    }
}
