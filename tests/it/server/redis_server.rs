//! A redis-server of a test's own, and one that all tests of the binary share.

use super::directory::{CONFIGURATION, Directory};
use super::process::Process;
use super::tcp::{is_in_use, on_free_ports};
use super::tls;
use super::wait::until;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Databases of the shared server: one for each call of [`RedisServer::shared_url`].
const DATABASES: usize = 4096;

/// A running redis-server. It ends, and its directory goes, when the value is dropped.
pub(crate) struct RedisServer {
    // Before the directory, so that it ends first.
    process: Option<Process>,
    directory: Directory,
    port: u16,
    password: Option<String>,
    /// The certificate of the authority, with TLS.
    authority: Option<PathBuf>,
}

impl RedisServer {
    /// Starts one that keeps nothing on disk.
    pub(crate) fn start() -> Self {
        Self::options().start()
    }

    /// `RedisServer::options().aof().start()`.
    pub(crate) fn options() -> Options {
        Options::default()
    }

    /// The one that all tests of this binary share; it can neither be killed nor paused. Tests that flush or configure
    /// all of a server, and those that count on its channels or its clients, start one of their own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(|| Self::options().config("databases", &DATABASES.to_string()).start())
    }

    /// An empty database of the shared server that no other call is given. Keys, `FLUSHDB` and keyspace events are apart
    /// from those of other tests; channels of publish and subscribe are not, they know no databases.
    pub(crate) fn shared_url() -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let database = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(database < DATABASES, "the shared server has {DATABASES} databases");
        format!("{}/{database}", Self::shared().url())
    }

    /// `redis://127.0.0.1:PORT`, or `rediss:` with TLS, with the password when there is one. A database can be added as
    /// `/3`.
    pub(crate) fn url(&self) -> String {
        self.url_for("", self.password.as_deref().unwrap_or_default())
    }

    /// The same for a user of [`Options::acl`].
    pub(crate) fn url_for(&self, user: &str, password: &str) -> String {
        let scheme = if self.authority.is_some() { "rediss" } else { "redis" };
        let login = if password.is_empty() { String::new() } else { format!("{user}:{password}@") };
        format!("{scheme}://{login}127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where it keeps its configuration, its log (`log`) and its data.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The certificate of the authority that a client has to trust, in PEM.
    pub(crate) fn ca_file(&self) -> &Path {
        self.authority.as_deref().expect("the server was started without `tls`")
    }

    /// Kills it and waits until it is gone; its connections are closed then.
    pub(crate) fn kill_9(&mut self) {
        self.process = None;
    }

    /// Starts it again on its port and in its directory, after killing it when it still runs.
    pub(crate) fn restart(&mut self) {
        self.kill_9();
        until("the server can bind its port again", || {
            let started = self.run();
            if let Err(log) = &started {
                assert!(is_in_use(log), "the server ended at its start:\n{log}");
            }
            self.process = started.ok();
            self.process.is_some()
        });
    }

    /// Stops its process, as when a machine hangs: connections stay open, and new ones are accepted by the system, but
    /// nothing is answered.
    pub(crate) fn pause(&mut self) {
        self.process_mut().pause();
    }

    /// Lets a paused server go on; it works off what was sent to it meanwhile.
    pub(crate) fn resume(&mut self) {
        self.process_mut().resume();
    }

    /// What redis-cli writes for a command. Panics when the server answers with an error.
    pub(crate) fn cli(&self, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-e", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if let Some(password) = &self.password {
            command.env("REDISCLI_AUTH", password);
        }
        if let Some(authority) = &self.authority {
            command.arg("--tls").arg("--cacert").arg(authority);
        }
        let output = command.args(words).output().expect("redis-cli does not start: install redis-tools");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        let (out, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{words:?}: {out}{errors}");
        out
    }

    #[cfg(test)]
    pub(super) fn directory_mut(&mut self) -> &mut Directory {
        &mut self.directory
    }

    #[cfg(test)]
    pub(super) fn has_ended(&mut self) -> bool {
        self.process_mut().has_ended()
    }

    fn process_mut(&mut self) -> &mut Process {
        self.process.as_mut().expect("the server was killed")
    }

    fn run(&self) -> Result<Process, String> {
        Process::start(&self.directory, &[], "Ready to accept connections")
    }
}

/// How a server is started; see [`RedisServer::options`].
#[derive(Default)]
pub(crate) struct Options {
    lines: Vec<String>,
    password: Option<String>,
    tls: bool,
    cluster: bool,
}

impl Options {
    /// A line of its configuration, such as `.config("notify-keyspace-events", "KEA")`; a value that holds blanks is in quotes.
    pub(crate) fn config(mut self, key: &str, value: &str) -> Self {
        self.lines.push(format!("{key} {value}"));
        self
    }

    /// Whatever was acknowledged is on disk.
    pub(crate) fn aof(self) -> Self {
        self.config("appendonly", "yes").config("appendfsync", "always")
    }

    /// The password of the default user.
    pub(crate) fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self.config("requirepass", password)
    }

    /// A further user: `.acl("reader", "on >secret ~* &* +@read")`.
    pub(crate) fn acl(self, user: &str, rules: &str) -> Self {
        self.config("user", &format!("{user} {rules}"))
    }

    /// Writes beyond that are refused.
    pub(crate) fn max_memory(self, bytes: usize) -> Self {
        self.config("maxmemory", &bytes.to_string()).config("maxmemory-policy", "noeviction")
    }

    /// Speaks TLS only, with a certificate for 127.0.0.1 and localhost of an authority of its own
    /// ([`RedisServer::ca_file`]).
    pub(crate) fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    pub(super) fn cluster(mut self) -> Self {
        self.cluster = true;
        self
    }

    pub(crate) fn start(self) -> RedisServer {
        on_free_ports(|ports| self.start_on(ports))
    }

    fn start_on(&self, [port, bus]: [u16; 2]) -> Result<RedisServer, String> {
        let directory = Directory::new();
        let authority = self.tls.then(|| tls::make_certificates(directory.path()));
        let mut lines = vec!["bind 127.0.0.1".to_owned(), "save \"\"".to_owned()];
        lines.push(match &authority {
            None => format!("port {port}"),
            Some(_) => format!("port 0\ntls-port {port}\n{}", tls::CONFIGURATION),
        });
        if self.cluster {
            lines.push(format!("cluster-enabled yes\ncluster-port {bus}"));
        }
        lines.extend_from_slice(&self.lines);
        fs::write(directory.path().join(CONFIGURATION), lines.join("\n") + "\n").unwrap();
        let mut server =
            RedisServer { process: None, directory, port, password: self.password.clone(), authority };
        server.process = Some(server.run()?);
        Ok(server)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ask;
    use super::*;
    use redis::{Client, RedisResult};
    use std::time::Duration;

    fn asked(url: &str, words: &[&str]) -> RedisResult<String> {
        let mut connection = Client::open(url)?.get_connection_with_timeout(Duration::from_secs(10))?;
        redis::cmd(words[0]).arg(&words[1..]).query(&mut connection)
    }

    #[test]
    fn what_was_acknowledged_outlives_kill_9() {
        let mut server = RedisServer::options().aof().start();
        server.cli(&["SET", "key", "value"]);
        let port = server.port();
        for _ in 0..3 {
            server.kill_9();
            assert!(asked(&server.url(), &["PING"]).is_err());
            server.restart();
            assert_eq!((server.port(), server.cli(&["GET", "key"])), (port, "value".into()));
        }
    }

    #[test]
    fn a_paused_server_answers_once_it_is_resumed() {
        let mut server = RedisServer::start();
        let mut connection = Client::open(server.url()).unwrap().get_connection().unwrap();
        connection.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        server.pause();
        let error = redis::cmd("PING").query::<String>(&mut connection).unwrap_err();
        // A child of another test that ends is a signal to this process, which interrupts a read that has a limit.
        assert!(error.is_timeout() || error.to_string().contains("Interrupted"), "{error:?}");
        server.resume();
        assert_eq!(ask::<String>(server.port(), &["PING"]).unwrap(), "PONG");
    }

    #[test]
    fn passwords_and_users_are_asked_for() {
        let options = RedisServer::options().password("secret").acl("reader", "on >word ~* +@read");
        let server = options.start();
        assert_eq!(server.cli(&["SET", "key", "value"]), "OK");
        assert!(ask::<String>(server.port(), &["PING"]).unwrap_err().to_string().contains("NOAUTH"));
        let reader = server.url_for("reader", "word");
        assert_eq!(asked(&reader, &["GET", "key"]).unwrap(), "value");
        assert_eq!(asked(&reader, &["SET", "key", "x"]).unwrap_err().code(), Some("NOPERM"));
    }

    #[test]
    fn a_full_server_refuses_to_write() {
        let server = RedisServer::options().max_memory(1).start();
        assert_eq!(ask::<String>(server.port(), &["SET", "key", "x"]).unwrap_err().code(), Some("OOM"));
    }

    #[test]
    fn shared_urls_lead_to_databases_of_their_own() {
        let (one, other) = (RedisServer::shared_url(), RedisServer::shared_url());
        assert_eq!(asked(&one, &["SET", "key", "value"]).unwrap(), "OK");
        assert!(asked(&other, &["GET", "key"]).is_err());
        assert_eq!(asked(&one, &["GET", "key"]).unwrap(), "value");
    }

    // The provider of TLS comes with the backend.
    #[cfg(feature = "redis")]
    #[test]
    fn tls_is_for_those_who_trust_its_authority() {
        let server = RedisServer::options().tls().password("secret").start();
        assert_eq!(server.cli(&["PING"]), "PONG");
        let connect = |root_cert| {
            let certificates = redis::TlsCertificates { client_tls: None, root_cert };
            Client::build_with_tls(server.url(), certificates)?.get_connection()
        };
        let mut connection = connect(Some(fs::read(server.ca_file()).unwrap())).unwrap();
        assert_eq!(redis::cmd("PING").query::<String>(&mut connection).unwrap(), "PONG");
        assert!(connect(None).is_err());
    }
}
