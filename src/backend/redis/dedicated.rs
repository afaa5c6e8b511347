//! Connections of one's own, for commands that block.

use super::address::Address;
use super::client::Client;
use super::failure::{Failure, Refusal};
use super::link::{Link, SIGN_OF_LIFE};
use super::verdict::Verdict;
use parking_lot::Mutex;
use redis::{Cmd, Value};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A connection that nobody else uses meanwhile. Dropped while a command is under way, or after a failure, it closes;
/// else it goes back to a small pool.
pub(super) struct Dedicated {
    client: Client,
    link: Option<Link>,
    /// A command is under way: what comes next on the connection is its answer.
    busy: bool,
}

impl Dedicated {
    pub(super) fn new(client: Client, link: Link) -> Self {
        Self { client, link: Some(link), busy: false }
    }

    /// The server's `CLIENT ID` of this connection.
    pub(super) fn id(&self) -> i64 {
        self.link.as_ref().map_or(0, |link| link.id)
    }

    /// One command, which may block on the server for less than `within`.
    ///
    /// Nothing is tried again: what the server cannot do now is [`Failure::NotSent`] and closes the connection.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it is carried out, and the connection closes.
    pub(super) async fn query(&mut self, cmd: &Cmd, within: Duration) -> Result<Value, Failure> {
        let Some(link) = self.link.as_ref().filter(|link| !link.is_gone() && !self.busy) else {
            self.link = None;
            return Err(Failure::not_sent("this connection was lost"));
        };
        self.busy = true;
        let answer = timeout(within, link.connection().send_packed_command(cmd)).await;
        let failure = match answer {
            Ok(Ok(value)) => {
                self.busy = false;
                if let Value::ServerError(error) = &value
                    && let Verdict::Elsewhere = Verdict::on(error)
                {
                    self.client.shared().leave(&link.address, Refusal(error.clone()).to_string());
                }
                match Failure::check(value) {
                    Err(failure @ Failure::NotSent(_)) => failure,
                    answer => return answer,
                }
            }
            Ok(Err(error)) => Failure::Unavailable(error.to_string().into()),
            Err(_) => Failure::Unavailable(format!("no answer within {within:?}").into()),
        };
        self.link = None;
        Err(failure)
    }
}

impl Drop for Dedicated {
    fn drop(&mut self) {
        if let Some(link) = self.link.take()
            && !self.busy
        {
            self.client.pool().give(link);
        }
    }
}

/// Connections that nobody uses at the moment.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<(Link, Instant)>>,
}

/// How many are kept.
const KEPT: usize = 4;
/// How long one can lie before it is asked for a sign of life.
const FRESH: Duration = Duration::from_secs(1);

impl Pool {
    /// One to this server that works.
    pub(super) async fn take(&self, address: &Address) -> Option<Link> {
        loop {
            let (link, since) = self.idle.lock().pop()?;
            if link.is_gone() || link.address != *address {
                continue;
            }
            if since.elapsed() < FRESH {
                return Some(link);
            }
            let ping = redis::cmd("PING");
            if let Ok(Ok(_)) = timeout(SIGN_OF_LIFE, link.connection().send_packed_command(&ping)).await {
                return Some(link);
            }
        }
    }

    fn give(&self, link: Link) {
        let mut idle = self.idle.lock();
        idle.retain(|(link, _)| !link.is_gone());
        if idle.len() < KEPT && !link.is_gone() {
            idle.push((link, Instant::now()));
        }
    }
}
