//! Raw commands to servers without a password.

use redis::{Client, Cmd, FromRedisValue, RedisResult};
use std::time::Duration;

/// The answer to one command, on a connection of its own: `ask::<String>(port, &["GET", "key"])`.
pub(crate) fn ask<T: FromRedisValue>(port: u16, words: &[impl AsRef<[u8]>]) -> RedisResult<T> {
    let patience = Duration::from_secs(10);
    let mut connection = Client::open(("127.0.0.1", port))?.get_connection_with_timeout(patience)?;
    connection.set_read_timeout(Some(patience))?;
    let mut command = Cmd::new();
    for word in words {
        command.arg(word.as_ref());
    }
    command.query(&mut connection)
}
