//! A server as a process of its own, and what it uses.

use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// What the kernel counts a process's time in, a second.
const TICKS: f64 = 100.0;

/// It ends with the value; should this process be killed, it ends since nobody is there to ask.
pub(super) struct Server {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    pub(super) port: u16,
}

impl Server {
    pub(super) async fn start(of: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--role", of])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut server = Self { child, stdin, stdout, port: 0 };
        server.port = server.line().await.parse().unwrap();
        server
    }

    /// Asks it for something; its answer.
    pub(super) async fn ask(&mut self, line: &str) -> String {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        self.line().await
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.stdout.read_line(&mut line).await.unwrap() > 0, "the server has ended");
        line.trim().to_owned()
    }

    /// Bytes of it that are in memory; buffers of the kernel are not among them.
    pub(super) fn resident(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0
    }

    /// The processor's time that it has used, its own and the kernel's for it, in seconds.
    pub(super) fn cpu(&self) -> f64 {
        let stat = self.proc("stat");
        let behind_name = stat.rsplit_once(')').unwrap().1;
        let fields: Vec<&str> = behind_name.split_whitespace().collect();
        let ticks = |field: usize| fields[field].parse::<f64>().unwrap();
        // utime and stime, the 14th and 15th of all.
        (ticks(11) + ticks(12)) / TICKS
    }

    fn proc(&self, file: &str) -> String {
        let id = self.child.id().expect("the server has ended");
        std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap()
    }
}
