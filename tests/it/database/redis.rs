//! What is special to a log on Redis.

use super::World;
use super::bulk::{append, start, take};
use crate::server::RedisServer;
use crate::suite::eventually;
use mape::backend::Backend;

#[tokio::test]
async fn a_log_that_cannot_be_read_for_a_while_is_followed_again() {
    let server = RedisServer::start();
    let world = World { backend: Backend::open(&server.url()).await.unwrap(), ..World::memory() };
    let mut source = start(&world, world.open().await.table("orders").create()).await;
    append(&world, 0..10).await;
    take(&mut source, 10).await;
    let keys = server.cli(&["KEYS", "*"]);
    let key = keys.lines().find(|key| server.cli(&["TYPE", key]) == "stream").unwrap();
    // Something else stands in its place.
    server.cli(&["RENAME", key, "aside"]);
    server.cli(&["SET", key, "no log"]);
    server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    eventually("it was read in vain", async || {
        let commands = server.cli(&["INFO", "commandstats"]);
        commands
            .lines()
            .any(|line| line.starts_with("cmdstat_xread:") && !line.trim().ends_with("failed_calls=0"))
    })
    .await;
    server.cli(&["RENAME", "aside", key]);
    append(&world, [10]).await;
    let orders = take(&mut source, 1).await;
    assert!(orders.iter().map(|order| order.n).eq([10]));
}
