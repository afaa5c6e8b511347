//! A master, a replica and three sentinels.

use super::command::ask;
use super::directory::{CONFIGURATION, Directory};
use super::process::Process;
use super::redis_server::RedisServer;
use super::tcp::on_free_ports;
use super::wait::until;
use std::collections::HashMap;
use std::fs;

const MASTER_NAME: &str = "main";
/// How often the sentinels do what they do from time to time, in ms. Five periods of pings are how old their knowledge
/// of a replica may be, and while its master is down they renew that only every second: so not less.
const HASTE: &str = "info-period 100 ping-period 400 ask-period 100 publish-period 100 \
                     tilt-period 1000 election-timeout 2000";

/// Two servers and the sentinels that watch them (quorum 2). A master that does not answer for 500 ms is replaced.
pub(crate) struct Sentinels {
    servers: [RedisServer; 2],
    watchers: Vec<Sentinel>,
    /// Which server was killed last.
    killed: Option<usize>,
}

struct Sentinel {
    // Before the directory, so that it ends first.
    _process: Process,
    _directory: Directory,
    port: u16,
}

impl Sentinels {
    /// Takes about a second, until everybody knows everybody and a failover would succeed.
    pub(crate) fn start() -> Self {
        let options = || RedisServer::options().config("repl-diskless-sync-delay", "0");
        let master = options().start();
        let replica = options().config("replicaof", &format!("127.0.0.1 {}", master.port())).start();
        let servers = [master, replica];
        let watchers = on_free_ports(|ports| start_sentinels(&servers, ports));
        for sentinel in &watchers {
            let words: Vec<_> = ["SENTINEL", "DEBUG"].into_iter().chain(HASTE.split(' ')).collect();
            ask::<()>(sentinel.port, &words).unwrap();
        }
        let started = Self { servers, watchers, killed: None };
        started.wait_until_whole();
        started
    }

    /// `redis+sentinel://127.0.0.1:P1,127.0.0.1:P2,127.0.0.1:P3/main/0`.
    pub(crate) fn url(&self) -> String {
        let places: Vec<_> = self.watchers.iter().map(|each| format!("127.0.0.1:{}", each.port)).collect();
        format!("redis+sentinel://{}/{MASTER_NAME}/0", places.join(","))
    }

    /// The server that the sentinels call master.
    pub(crate) fn master(&self) -> &RedisServer {
        &self.servers[self.master_index()]
    }

    pub(crate) fn kill_master(&mut self) {
        let index = self.master_index();
        self.servers[index].kill_9();
        self.killed = Some(index);
    }

    /// Whether, after [`Self::kill_master`], the other server is master in its own eyes and in those of all sentinels.
    pub(crate) fn has_failed_over(&self) -> bool {
        let heir = &self.servers[1 - self.killed.expect("no master was killed")];
        replicated(heir, "role:master").is_some()
            && self.watchers.iter().all(|sentinel| sentinel.master_port() == Some(heir.port()))
    }

    /// Blocks; takes one to two seconds.
    pub(crate) fn wait_for_failover(&self) {
        until("the sentinels have made the replica master", || self.has_failed_over());
    }

    /// Starts the killed server again and waits until it is a replica that has everything.
    pub(crate) fn restart_killed(&mut self) {
        let index = self.killed.expect("no master was killed");
        self.servers[index].restart();
        self.wait_until_whole();
    }

    /// Waits until the replica has everything that was written before. What is acknowledged later than that is lost
    /// when the master is killed too soon.
    pub(crate) fn wait_for_replica(&self) {
        let index = self.master_index();
        let written = replicated(&self.servers[index], "role:master").expect("the master answers");
        until("the replica has what the master has", || {
            replicated(&self.servers[1 - index], "master_link_status:up") >= Some(written)
        });
    }

    /// Waits until everybody knows everybody, and the replica follows the master.
    fn wait_until_whole(&self) {
        until("the sentinels see each other, the master and the replica", || {
            self.watchers.iter().all(Sentinel::sees_all)
        });
        until("the replica is sent what is written", || {
            self.master().cli(&["INFO", "replication"]).contains("state=online")
        });
    }

    fn master_index(&self) -> usize {
        let port = self.watchers[0].master_port();
        self.servers.iter().position(|server| Some(server.port()) == port).unwrap()
    }
}

impl Sentinel {
    fn master_port(&self) -> Option<u16> {
        let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME];
        let (_, port): (String, u16) = ask(self.port, &words).ok()?;
        Some(port)
    }

    /// Whether it is in touch with the two other sentinels, the master, and a replica that is in touch with the master.
    fn sees_all(&self) -> bool {
        type Known = HashMap<String, String>;
        let words = |what| ["SENTINEL", what, MASTER_NAME];
        let master: Known = ask(self.port, &words("MASTER")).unwrap();
        let replicas: Vec<Known> = ask(self.port, &words("REPLICAS")).unwrap();
        let others: Vec<Known> = ask(self.port, &words("SENTINELS")).unwrap();
        let is = |each: &Known, key: &str, value: &str| each.get(key).is_some_and(|found| found == value);
        // Flags tell what is wrong, too.
        (replicas.len(), others.len()) == (1, 2)
            && is(&master, "flags", "master")
            && replicas.iter().all(|each| is(each, "flags", "slave") && is(each, "master-link-status", "ok"))
            && others.iter().all(|each| is(each, "flags", "sentinel"))
    }
}

/// How many bytes of commands a server has, of a line of whose description this is one.
fn replicated(server: &RedisServer, line: &str) -> Option<u64> {
    let info: String = ask(server.port(), &["INFO", "replication"]).ok()?;
    let lines: Vec<_> = info.lines().map(str::trim_end).collect();
    let offset = lines.iter().find_map(|each| each.strip_prefix("master_repl_offset:"))?.parse().ok()?;
    lines.contains(&line).then_some(offset)
}

/// They are told of each other and of the replica, which they would find out by themselves, but slowly.
fn start_sentinels(servers: &[RedisServer; 2], ports: [u16; 3]) -> Result<Vec<Sentinel>, String> {
    let id = |port: u16| format!("{port:040x}");
    let [master, replica] = servers.each_ref().map(RedisServer::port);
    let start =
        |port: u16| {
            let mut lines = vec![
                format!("port {port}"),
                "bind 127.0.0.1".into(),
                format!("sentinel myid {}", id(port)),
                format!("sentinel monitor {MASTER_NAME} 127.0.0.1 {master} 2"),
                format!("sentinel down-after-milliseconds {MASTER_NAME} 500"),
                format!("sentinel failover-timeout {MASTER_NAME} 3000"),
                format!("sentinel known-replica {MASTER_NAME} 127.0.0.1 {replica}"),
            ];
            let others = ports.into_iter().filter(|other| *other != port);
            lines.extend(others.map(|other| {
                format!("sentinel known-sentinel {MASTER_NAME} 127.0.0.1 {other} {}", id(other))
            }));
            let directory = Directory::new();
            fs::write(directory.path().join(CONFIGURATION), lines.join("\n") + "\n").unwrap();
            let process = Process::start(&directory, &["--sentinel"], "Sentinel ID is")?;
            Ok(Sentinel { _process: process, _directory: directory, port })
        };
    ports.into_iter().map(start).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_master_is_replaced_and_comes_back_as_a_replica() {
        let mut sentinels = Sentinels::start();
        let before = sentinels.master().port();
        assert_eq!(sentinels.master().cli(&["SET", "key", "value"]), "OK");
        sentinels.wait_for_replica();
        sentinels.kill_master();
        sentinels.wait_for_failover();
        assert_ne!(sentinels.master().port(), before);
        assert_eq!(sentinels.master().cli(&["GET", "key"]), "value");

        sentinels.restart_killed();
        sentinels.kill_master();
        sentinels.wait_for_failover();
        assert_eq!(sentinels.master().port(), before);
        assert_eq!(sentinels.master().cli(&["GET", "key"]), "value");
    }
}
