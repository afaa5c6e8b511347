//! Servers of a benchmark's own, which are those of the integration tests.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "benchmarks need few of the faults, and one without its server has to stop"
)]

// Files that need little but std; what they say of `super` is here.
#[path = "../tests/it/server/directory.rs"]
mod directory;
#[path = "../tests/it/server/exchange.rs"]
mod exchange;
#[cfg(feature = "postgres")]
#[path = "../tests/it/server/postgres.rs"]
mod postgres;
#[path = "../tests/it/server/process.rs"]
mod process;
#[path = "../tests/it/server/redis_server.rs"]
mod redis_server;
#[path = "../tests/it/server/tcp.rs"]
mod tcp;
#[path = "../tests/it/server/tls.rs"]
mod tls;
#[path = "../tests/it/server/victoria_metrics.rs"]
mod victoria_metrics;
#[path = "../tests/it/server/wait.rs"]
mod wait;

/// A running redis-server on a free port of 127.0.0.1. It ends with the value, at the latest with the process.
pub struct RedisServer(redis_server::RedisServer);

impl RedisServer {
    /// Starts one that keeps nothing on disk.
    pub fn start() -> Self {
        Self(redis_server::RedisServer::start())
    }

    /// Starts one that writes all that it acknowledges to disk.
    pub fn start_durable() -> Self {
        Self(redis_server::RedisServer::options().aof().start())
    }

    /// `redis://127.0.0.1:PORT`, without a database.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.0.port()
    }
}

/// A running victoria-metrics on a free port of 127.0.0.1. It ends with the value, at the latest with the process.
pub struct VictoriaMetrics(victoria_metrics::VictoriaMetrics);

impl VictoriaMetrics {
    /// Starts one that has nothing.
    pub fn start() -> Self {
        Self(victoria_metrics::VictoriaMetrics::start())
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.0.url()
    }
}

/// A running `PostgreSQL` on a free port of 127.0.0.1. It ends with the value, at the latest with the process.
#[cfg(feature = "postgres")]
pub struct PostgresServer(postgres::PostgresServer);

#[cfg(feature = "postgres")]
impl PostgresServer {
    /// Whether there is one that could be started.
    pub fn is_installed() -> bool {
        postgres::PostgresServer::is_installed()
    }

    /// Starts one that writes all that it commits to disk.
    pub fn start() -> Self {
        Self(postgres::PostgresServer::start_durable())
    }

    /// The URL of a new database on it.
    pub fn database(&self) -> String {
        self.0.database()
    }
}
