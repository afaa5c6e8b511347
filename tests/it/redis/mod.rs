//! Channels and connections on real Redis servers.

mod events;
mod knowledge;

use crate::server::RedisServer;
use mape::backend::Backend;

#[tokio::test]
async fn smoke() {
    let server = RedisServer::start();
    let backend = Backend::open(&server.url()).await.unwrap();
    assert_eq!(backend.channels().publish("a", &1).await.unwrap(), 0);
}
