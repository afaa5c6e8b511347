//! Channels and connections on real Redis servers.

mod server;

use mape::backend::Backend;
use server::Server;

#[tokio::test]
async fn smoke() {
    let server = Server::start().await;
    let backend = Backend::open(&server.url()).await.unwrap();
    assert_eq!(backend.channels().publish("a", &1).await.unwrap(), 0);
}
