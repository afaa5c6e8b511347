//! Directories of servers, and who clears up when the test process cannot.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The file with the id of the process that runs in a directory, as long as it does.
pub(crate) const PID_FILE: &str = "pid";
/// Without this file, no process starts in a directory.
pub(crate) const CONFIGURATION: &str = "server.conf";

/// Kills the process that runs in a directory and removes the directory. It waits for the end of its input, which comes
/// however the test process ends; what ends a whole group of processes must not end it before. A process that is being
/// started meanwhile either has written its id by then, or finds no configuration.
const WATCHDOG: &str = r#"
    trap '' INT TERM HUP
    read -r _
    cd "$0" && rm -f server.conf && kill -9 $(cat pid)
    rm -rf "$0"
"#;

/// A directory below the system's temporary one. It goes with the value, at the latest with the test process.
pub(crate) struct Directory {
    path: PathBuf,
    watchdog: Child,
}

impl Directory {
    pub(crate) fn new() -> Self {
        let path = make();
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { path, watchdog }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn make() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mape-test-{}-{number}", std::process::id()));
        match fs::create_dir(&path) {
            Ok(()) => return path,
            // Of an earlier process with the same id.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => panic!("making {}: {error}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RedisServer, until};
    use super::*;

    /// What the system does when this process ends.
    fn lose(directory: &mut Directory) {
        drop(directory.watchdog.stdin.take());
    }

    #[test]
    fn a_server_and_its_directory_go_when_the_test_process_is_gone() {
        let mut server = RedisServer::start();
        let path = server.directory().to_owned();
        lose(server.directory_mut());
        until("its directory is gone", || !path.exists());
        until("the server has ended", || server.has_ended());
    }

    #[test]
    fn the_directory_of_a_killed_server_goes_when_the_test_process_is_gone() {
        let mut server = RedisServer::start();
        server.kill_9();
        let path = server.directory().to_owned();
        assert!(path.exists() && !path.join(PID_FILE).exists());
        lose(server.directory_mut());
        until("its directory is gone", || !path.exists());
    }

    #[test]
    fn a_dropped_server_leaves_neither_process_nor_directory() {
        let mut server = RedisServer::start();
        let path = server.directory().to_owned();
        let server_id: u32 = fs::read_to_string(path.join(PID_FILE)).unwrap().trim().parse().unwrap();
        let ids = [server_id, server.directory_mut().watchdog.id()];
        assert!(ids.iter().all(|id| Path::new(&format!("/proc/{id}")).exists()));
        drop(server);
        assert!(!path.exists());
        assert!(!ids.iter().any(|id| Path::new(&format!("/proc/{id}")).exists()));
    }
}
