//! The server that both use, and their connections to it.

use mape::backend::Backend;
use mape_benches::RedisServer;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};

pub(crate) struct Server {
    process: RedisServer,
    client: Client,
    control: MultiplexedConnection,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let process = RedisServer::start();
        let client = Client::open(format!("{}?protocol=resp3", process.url())).unwrap();
        let control = client.get_multiplexed_async_connection().await.unwrap();
        Self { process, client, control }
    }

    /// A backend with connections of its own.
    pub(crate) async fn ours(&self) -> Backend {
        Backend::open(&self.process.url()).await.unwrap()
    }

    /// A connection as an expert would set it up for many commands at once.
    pub(crate) async fn hand(&self) -> MultiplexedConnection {
        // The server may let a command wait for as long as it is asked to.
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_pipeline_buffer_size(256);
        self.client.get_multiplexed_async_connection_with_config(&config).await.unwrap()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn url(&self) -> String {
        self.process.url()
    }

    pub(crate) fn port(&self) -> u16 {
        self.process.port()
    }

    /// A connection that no measured work uses.
    pub(crate) fn control(&self) -> MultiplexedConnection {
        self.control.clone()
    }

    /// How many times the server has carried out this command.
    pub(crate) async fn calls(&self, command: &str) -> u64 {
        let info: String =
            redis::cmd("INFO").arg("commandstats").query_async(&mut self.control()).await.unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
    }

    pub(crate) async fn clear(&self) {
        redis::cmd("FLUSHALL").exec_async(&mut self.control()).await.unwrap();
    }
}
