//! `PostgreSQL` of a test's own, and one that all tests of the binary share.

use super::directory::{CONFIGURATION, Directory};
use super::process::Process;
use super::tcp::{is_in_use, on_free_ports};
use super::tls::make_certificates;
use super::wait::until;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A running server. It ends, and its directory goes, when the value is dropped.
pub(crate) struct PostgresServer {
    // Before the directory, so that it ends first.
    process: Option<Process>,
    directory: Directory,
    port: u16,
    tls: bool,
    durable: bool,
}

/// Who may do everything.
const USER: &str = "mape";

impl PostgresServer {
    /// Starts one that lets everybody on this machine in.
    pub(crate) fn start() -> Self {
        Self::start_with(false, false)
    }

    /// One that writes all that it commits to disk.
    pub(crate) fn start_durable() -> Self {
        Self::start_with(false, true)
    }

    /// Whether there is one that could be started.
    pub(crate) fn is_installed() -> bool {
        find("postgres").is_some()
    }

    /// One that also speaks TLS, with a certificate of an authority of its own ([`Self::ca_file`]).
    pub(crate) fn secured() -> Self {
        Self::start_with(true, false)
    }

    fn start_with(tls: bool, durable: bool) -> Self {
        on_free_ports(|[port]| {
            let directory = Directory::new();
            fs::write(directory.path().join(CONFIGURATION), "# It is configured by arguments.\n").unwrap();
            let data = directory.path().join("data");
            fs::create_dir(&data).unwrap();
            if is_root() {
                let owned = Command::new("chown").arg("postgres").arg(&data).status();
                assert!(owned.unwrap().success(), "there is no user `postgres`: install postgresql");
            }
            let words = [
                "-D",
                "data",
                "-U",
                USER,
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ];
            let made = command("initdb").args(words).current_dir(directory.path()).output().unwrap();
            assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
            if tls {
                make_certificates(directory.path());
                let key = directory.path().join("server.key");
                let owned =
                    !is_root() || Command::new("chown").arg("postgres").arg(key).status().unwrap().success();
                assert!(owned);
            }
            let mut server = Self { process: None, directory, port, tls, durable };
            server.process = Some(server.run()?);
            Ok(server)
        })
    }

    /// The one that all tests of this binary share; it can neither be killed nor paused.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A new database on this server.
    pub(crate) fn database(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
        psql(&self.url("postgres"), &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Whom to trust.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.crt")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`, of the process that all others end with.
    pub(crate) fn kill_9(&mut self) {
        self.process = None;
    }

    /// Starts it again on its port and in its directory.
    pub(crate) fn restart(&mut self) {
        self.kill_9();
        until("the server can be started again", || {
            let started = self.run();
            if let Err(log) = &started {
                let is_ending =
                    is_in_use(log) || log.contains("is still in use") || log.contains("postmaster.pid");
                assert!(is_ending, "the server ended at its start:\n{log}");
            }
            self.process = started.ok();
            self.process.is_some()
        });
    }

    fn run(&self) -> Result<Process, String> {
        let server = program("postgres").display().to_string();
        let port = self.port.to_string();
        let fsync = if self.durable { "fsync=on" } else { "fsync=off" };
        let mut words = as_nobody();
        words.extend([&server, "-D", "data", "-p", &port, "-c", "listen_addresses=127.0.0.1"]);
        words.extend(["-c", "unix_socket_directories=", "-c", fsync, "-c", "shared_buffers=64MB"]);
        words.extend(["-c", "max_connections=200", "-c", "deadlock_timeout=100ms"]);
        if self.tls {
            words.extend([
                "-c",
                "ssl=on",
                "-c",
                "ssl_cert_file=../server.crt",
                "-c",
                "ssl_key_file=../server.key",
            ]);
        }
        Process::launch(&self.directory, &words, "database system is ready to accept connections")
    }
}

/// What psql writes for some statements: a row a line, with `|` between columns.
pub(crate) fn psql(url: &str, sql: &str) -> Vec<String> {
    let mut psql = Command::new(program("psql"));
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, url]).stdin(Stdio::null());
    let output = psql.output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// A program of the server, which runs as somebody with no rights, for it does not as root.
fn command(name: &str) -> Command {
    let words = as_nobody();
    let path = program(name);
    match words.split_first() {
        None => Command::new(path),
        Some((first, others)) => {
            let mut command = Command::new(first);
            command.args(others).arg(path);
            command
        }
    }
}

fn as_nobody() -> Vec<&'static str> {
    if is_root() {
        vec!["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    } else {
        Vec::new()
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&id.stdout).trim() == "0"
}

/// The newest that is installed; Debian does not put them where one looks.
fn program(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|| panic!("there is no `{name}`: install postgresql"))
}

fn find(name: &str) -> Option<PathBuf> {
    let of = |version: fs::DirEntry| version.path().join("bin").join(name);
    let mut found: Vec<_> =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(of).collect();
    found.retain(|path| Path::new(path).exists());
    found.sort();
    found.pop()
}
