//! Waiting for events, each reader on a connection of its own.

use super::entries;
use super::event_log::On;
use super::failure::Failure;
use crate::event::{Consumer, Delivered, Entry, Error, EventId};
use redis::Cmd;
use std::time::Duration;

/// How long the server waits for an event before it says that there is none.
const WAIT: Duration = Duration::from_secs(5);
/// How long is waited for what the server says then.
const ANSWER: Duration = Duration::from_secs(10);

/// Entries that nobody of the group has got.
///
/// A broken connection is an error, because the answer that it may have carried is pending for this consumer now.
pub(super) async fn read(on: &On, consumer: &Consumer, count: usize) -> Result<Vec<Delivered>, Error> {
    let mut cmd = redis::cmd("XREADGROUP");
    cmd.arg("GROUP").arg(consumer.group.as_str()).arg(consumer.name.as_str());
    cmd.arg("COUNT").arg(count.max(1)).arg("BLOCK").arg(WAIT.as_millis().to_string());
    cmd.arg("STREAMS").arg(on.key()).arg(">");
    let read = wait(on, &cmd, true).await?;
    Ok(read.into_iter().map(|entry| Delivered { entry, attempt: 1 }).collect())
}

/// Entries behind `after`.
pub(super) async fn follow(on: &On, after: EventId, count: usize) -> Result<Vec<Entry>, Error> {
    let mut cmd = redis::cmd("XREAD");
    cmd.arg("COUNT").arg(count.max(1)).arg("BLOCK").arg(WAIT.as_millis().to_string());
    cmd.arg("STREAMS").arg(on.key()).arg(after.to_string());
    wait(on, &cmd, false).await
}

async fn wait(on: &On, cmd: &Cmd, losses_matter: bool) -> Result<Vec<Entry>, Error> {
    loop {
        // Waits itself for a while when there is no server.
        let mut connection = match on.client.dedicated().await {
            Ok(connection) => connection,
            Err(Failure::Server(refusal)) => return Err(on.failed(Failure::Server(refusal))),
            Err(Failure::NotSent(_) | Failure::Unavailable(_)) => continue,
        };
        loop {
            match connection.query(cmd, ANSWER).await {
                Ok(value) => {
                    let read = on.expect(entries::read(value))?;
                    if !read.is_empty() {
                        return Ok(read);
                    }
                }
                Err(Failure::NotSent(_)) => break,
                Err(Failure::Unavailable(_)) if !losses_matter => break,
                Err(failure) => return Err(on.failed(failure)),
            }
        }
    }
}
