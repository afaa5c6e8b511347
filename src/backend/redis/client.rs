//! The handle that everything here speaks through.

use super::dedicated::{Dedicated, Pool};
use super::endpoint::Endpoint;
use super::failure::{Failure, Refusal};
use super::keeper::Keeper;
use super::link::Link;
use super::obstacle::Obstacle;
use super::pauses::Pauses;
use super::script::Script;
use super::settings::Settings;
use super::shared::Shared;
use super::topology::Finder;
use super::verdict::Verdict;
use crate::backend::{Error, Options};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisError, Value};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// How long a command waits for a connection, or for a server that can do it.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// One deployment of Redis; a cheap handle. The connection goes with the last one.
#[derive(Clone)]
pub(in crate::backend) struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    settings: Arc<Settings>,
    pool: Pool,
    keeper: JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.keeper.abort();
        self.shared.close();
    }
}

impl Client {
    /// Connects, and waits for a server that is not there yet as long as the options say.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future opens nothing.
    pub(in crate::backend) async fn open(endpoint: Endpoint, options: &Options) -> Result<Self, Error> {
        let settings = Arc::new(Settings::new(endpoint, options).await?);
        let shared = Arc::new(Shared::new());
        let finder = Finder::new(settings.clone());
        let keeper = Keeper { shared: shared.clone(), settings: settings.clone(), finder };
        let (link, ended) = keeper.first(options.wait).await?;
        shared.up(link.clone());
        let keeper = tokio::spawn(keeper.keep(link, ended));
        Ok(Self { inner: Arc::new(Inner { shared, settings, pool: Pool::default(), keeper }) })
    }

    /// One command on the shared connection; nothing that blocks. An error of the server is [`Failure::Server`].
    ///
    /// Waits up to [`PATIENCE`] for a connection, and for a server that is loading, failing over or moving the slot.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it is carried out.
    pub(super) async fn query(&self, cmd: Cmd) -> Result<Value, Failure> {
        let Some((mut connection, epoch)) = self.connection() else {
            return Box::pin(self.query_patiently(&cmd, None)).await;
        };
        match connection.send_packed_command(&cmd).await {
            Ok(Value::ServerError(error)) => match Verdict::on(&error) {
                Verdict::Final => Err(Failure::Server(Refusal(error))),
                _ => Box::pin(self.query_patiently(&cmd, Some((epoch, error)))).await,
            },
            Ok(value) => Ok(value),
            Err(error) => Err(self.broken(epoch, &error)),
        }
    }

    /// Several commands on the shared connection, sent and carried out one after the other, others' between them.
    ///
    /// The server's errors are values ([`Value::ServerError`]) among the answers, so that one command's is not the
    /// other's. What the server could not do at the moment is sent again if nothing after it was done either. A
    /// pipeline is no transaction; [`script`](Self::script) is for that.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open what is carried out.
    pub(super) async fn pipeline(&self, pipe: Pipeline) -> Result<Vec<Value>, Failure> {
        if pipe.is_empty() {
            return Ok(Vec::new());
        }
        let Some((mut connection, epoch)) = self.connection() else {
            return Box::pin(self.pipeline_patiently(&pipe, None)).await;
        };
        match connection.send_packed_commands(&pipe, 0, pipe.len()).await {
            Ok(values) if values.iter().any(Verdict::is_again) => {
                Box::pin(self.pipeline_patiently(&pipe, Some((epoch, values)))).await
            }
            Ok(values) => Ok(values),
            Err(error) => Err(self.broken(epoch, &error)),
        }
    }

    /// Commands that are done as one (`MULTI`), which costs a server much less than a script; their answers, or `None`
    /// if there is no connection or the server could not do it now: then nothing was done, and what waits for better
    /// times, as [`script`](Self::script) does, may try.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether they are carried out.
    pub(super) async fn transaction(
        &self,
        commands: impl ExactSizeIterator<Item = Cmd>,
    ) -> Result<Option<Vec<Value>>, Failure> {
        let Some((mut connection, epoch)) = self.connection() else { return Ok(None) };
        let mut pipe = Pipeline::with_capacity(commands.len() + 2);
        pipe.cmd("MULTI");
        for command in commands {
            pipe.add_command(command);
        }
        pipe.cmd("EXEC");
        let mut answers = match connection.send_packed_commands(&pipe, 0, pipe.len()).await {
            Ok(answers) => answers,
            Err(error) => return Err(self.broken(epoch, &error)),
        };
        let done = match answers.pop() {
            Some(Value::Array(done)) => done,
            // A user who may not do that has had them done one by one.
            _ if matches!(answers.first(), Some(Value::ServerError(_))) => answers.split_off(1),
            _ => return Ok(None),
        };
        let refused = done.iter().find_map(|value| match value {
            Value::ServerError(error) => Some(error.clone()),
            _ => None,
        });
        match refused {
            None => Ok(Some(done)),
            Some(_) if done.iter().all(|value| matches!(value, Value::ServerError(_))) => Ok(None),
            Some(error) => Err(Failure::Server(Refusal(error))),
        }
    }

    /// Runs a script, which the server remembers; if it does not any more, the whole of it is sent.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it is carried out.
    pub(super) async fn script<K, A>(&self, script: &Script, keys: &[K], args: &[A]) -> Result<Value, Failure>
    where
        K: AsRef<[u8]>,
        A: AsRef<[u8]>,
    {
        let call = |name: &str, body: &str| {
            let mut cmd = redis::cmd(name);
            cmd.arg(body).arg(keys.len());
            for key in keys {
                cmd.arg(key.as_ref());
            }
            for arg in args {
                cmd.arg(arg.as_ref());
            }
            cmd
        };
        match self.query(call("EVALSHA", &script.sha)).await {
            Err(failure) if failure.code() == Some("NOSCRIPT") => self.query(call("EVAL", script.code)).await,
            answer => answer,
        }
    }

    /// A connection of one's own, for what blocks.
    ///
    /// # Cancel safety
    ///
    /// Yes.
    pub(super) async fn dedicated(&self) -> Result<Dedicated, Failure> {
        let deadline = Instant::now() + PATIENCE;
        let mut pauses = Pauses::default();
        loop {
            let address = self.inner.shared.wait(deadline).await?.address.clone();
            if let Some(idle) = self.inner.pool.take(&address).await {
                return Ok(Dedicated::new(self.clone(), idle));
            }
            match Link::open(&self.inner.settings, &address, 0, None).await {
                Ok((link, _ended)) => return Ok(Dedicated::new(self.clone(), link)),
                Err(obstacle) => {
                    if let Obstacle::Replica(address) = &obstacle {
                        self.inner.shared.leave(address, obstacle.to_string());
                    }
                    let until = Instant::now() + pauses.next();
                    if until >= deadline {
                        return Err(Failure::not_sent(&obstacle));
                    }
                    sleep_until(until).await;
                }
            }
        }
    }

    /// From now on `heard` is called for every key that is written whose name begins with `prefix`, with the rest of the
    /// name; with nothing if all keys were deleted. It is called in the driver of the shared connection: whoever was
    /// answered that a key is written can be sure that it is heard here before anything that is done after that is
    /// answered here. To be called once.
    ///
    /// What is written while there is no connection is not heard; [`connection_epoch`](Self::connection_epoch) tells.
    pub(super) async fn on_push(
        &self,
        prefix: String,
        heard: impl Fn(&[u8]) + Send + Sync + 'static,
    ) -> Result<(), Failure> {
        let shared = &self.inner.shared;
        shared.control.set(prefix, heard);
        let Some(listen) = shared.control.command() else { return Ok(()) };
        // Connections made from here on listen by themselves; the one there is has to be told.
        loop {
            let link = shared.wait(Instant::now() + PATIENCE).await?;
            let (mut connection, epoch) = (link.connection(), link.epoch);
            drop(link);
            match connection.send_packed_command(&listen).await {
                // It does so already.
                Ok(Value::ServerError(error))
                    if error.details().is_some_and(|text| text.contains("overlaps")) => {}
                Ok(Value::ServerError(error)) => return Err(Failure::answered(error)),
                Ok(_) => {}
                Err(error) => drop(self.broken(epoch, &error)),
            }
            if shared.with(|now| now.epoch) == Some(epoch) {
                return Ok(());
            }
        }
    }

    /// What `name` is called on the server.
    pub(super) fn key(&self, name: &str) -> String {
        let prefix = &self.inner.settings.prefix;
        let mut key = String::with_capacity(prefix.len() + name.len());
        key.push_str(prefix);
        key.push_str(name);
        key
    }

    /// What every key on the server begins with.
    pub(super) fn prefix(&self) -> &str {
        &self.inner.settings.prefix
    }

    /// Grows with every connection that takes the place of the shared one, before that can be used.
    pub(super) fn connection_epoch(&self) -> u64 {
        self.inner.shared.epoch()
    }

    /// The URL, without the password.
    pub(in crate::backend) fn url(&self) -> String {
        self.inner.settings.endpoint.to_string()
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    pub(super) fn settings(&self) -> &Arc<Settings> {
        &self.inner.settings
    }

    fn connection(&self) -> Option<(MultiplexedConnection, u64)> {
        self.inner.shared.with(|link| (link.connection(), link.epoch))
    }

    /// What a connection's error means for the command sent on it.
    pub(super) fn broken(&self, epoch: u64, error: &RedisError) -> Failure {
        self.inner.shared.lost(epoch);
        Failure::Unavailable(error.to_string().into())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.inner.settings.endpoint).finish()
    }
}
