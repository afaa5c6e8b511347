//! One connection, greeted and checked.

use super::address::Address;
use super::endpoint::Topology;
use super::failure::Refusal;
use super::obstacle::Obstacle;
use super::settings::Settings;
use super::socket::{Pulse, Socket};
use super::verdict::Verdict;
use crate::backend::Error;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, PushInfo, RedisConnectionInfo, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

/// How long an attempt to connect and greet may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long a connection is silent before it is asked for a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How often it is looked at.
const TICK: Duration = Duration::from_millis(500);
/// How long an idle connection has for that sign.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
/// How long one has that works on something.
const BUSY: Duration = Duration::from_secs(3);

/// An open connection; it closes with this value.
pub(super) struct Link {
    pub(super) address: Address,
    /// What the server calls this connection.
    pub(super) id: i64,
    pub(super) epoch: u64,
    connection: MultiplexedConnection,
    pulse: Arc<Pulse>,
    gone: Arc<AtomicBool>,
    retired: AtomicBool,
    driver: AbortHandle,
}

/// Resolves when a connection is over.
pub(super) type Ended = oneshot::Receiver<()>;

/// Hears what the server says unasked; called in the order of what comes, between the answers.
pub(super) type Pushes = Arc<dyn Fn(PushInfo) + Send + Sync>;

/// What a server says of itself.
struct Hello {
    version: String,
    id: i64,
    replica: bool,
    mode: String,
}

impl Link {
    /// Connects to the node with the keys.
    pub(super) async fn open(
        settings: &Settings,
        address: &Address,
        epoch: u64,
        pushes: Option<Pushes>,
    ) -> Result<(Self, Ended), Obstacle> {
        let opening = async {
            let (mut link, ended) =
                Self::greet(settings, settings.greeting(), address, epoch, pushes).await?;
            let mut pipe = redis::pipe();
            pipe.cmd("HELLO").cmd("CLIENT").arg("SETNAME").arg(settings.client_name()).cmd("PING");
            let mut connection = link.connection.clone();
            let answers = connection.send_packed_commands(&pipe, 0, 3).await;
            let [hello, _named, ping] =
                <[Value; 3]>::try_from(answers.map_err(|error| Obstacle::greeting(address, &error))?)
                    .map_err(|_| {
                        Obstacle::unsuitable(address, "its answers do not fit the commands; is it Redis?")
                    })?;
            let hello = Hello::read(hello)
                .ok_or_else(|| Obstacle::unsuitable(address, "it does not greet like Redis"))?;
            link.id = hello.id;
            hello.suits(&settings.endpoint.topology, address)?;
            match ping {
                Value::ServerError(error) if matches!(Verdict::on(&error), Verdict::Later) => {
                    Err(Obstacle::passing(address, Refusal(error)))
                }
                _ => Ok((link, ended)),
            }
        };
        let late = |_| Err(Obstacle::passing(address, settings.silence()));
        timeout(CONNECTING, opening).await.unwrap_or_else(late)
    }

    /// Connects and greets, whoever it is.
    pub(super) async fn greet(
        settings: &Settings,
        greeting: RedisConnectionInfo,
        address: &Address,
        epoch: u64,
        pushes: Option<Pushes>,
    ) -> Result<(Self, Ended), Obstacle> {
        let socket = Socket::open(address, settings.tls.as_ref()).await?;
        let pulse = socket.pulse();
        // Whoever asks too long is found by the heartbeat, without a timer for each command.
        let mut config =
            AsyncConnectionConfig::new().set_response_timeout(None).set_pipeline_buffer_size(256);
        if let Some(pushes) = pushes {
            config = config.set_push_sender(move |push| {
                pushes(push);
                Ok::<(), redis::aio::SendError>(())
            });
        }
        let (connection, driver) = MultiplexedConnection::new_with_config(&greeting, socket, config)
            .await
            .map_err(|error| Obstacle::greeting(address, &error))?;
        let (over, ended) = oneshot::channel();
        let gone = Arc::new(AtomicBool::new(false));
        let ending = Ending { gone: gone.clone(), _over: over };
        let driver = tokio::spawn(async move {
            let _ending = ending;
            driver.await;
        });
        let driver = driver.abort_handle();
        let retired = AtomicBool::new(false);
        let link = Self { address: address.clone(), id: 0, epoch, connection, pulse, gone, retired, driver };
        Ok((link, ended))
    }

    /// To send commands on; a clone costs a few counters.
    pub(super) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }

    /// Whether nothing more is to be sent on it.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Relaxed)
    }

    /// It is broken, even if its driver has not noticed yet.
    pub(super) fn broke(&self) {
        self.gone.store(true, Relaxed);
    }

    /// From now on nothing more is to be sent on it; what is under way goes on.
    pub(super) fn retire(&self) {
        self.retired.store(true, Relaxed);
        self.gone.store(true, Relaxed);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Relaxed)
    }

    /// Closes it now: whoever waits for an answer on it is told.
    pub(super) fn close(&self) {
        self.broke();
        self.driver.abort();
    }

    /// Ends when the connection gives no sign of life although it was asked for one.
    pub(super) async fn silence(&self) {
        let mut connection = self.connection();
        let (mut reads, mut silent) = (self.pulse.reads(), Duration::ZERO);
        loop {
            sleep(TICK).await;
            silent = if self.pulse.reads() == reads { silent + TICK } else { Duration::ZERO };
            reads = self.pulse.reads();
            if silent < HEARTBEAT {
                continue;
            }
            let patience = if self.pulse.is_unanswered() { BUSY } else { SIGN_OF_LIFE };
            let ping = redis::cmd("PING");
            // An error is an answer; a broken connection shows elsewhere.
            let answered = timeout(patience, connection.send_packed_command(&ping)).await.is_ok();
            if !answered && self.pulse.reads() == reads {
                return;
            }
            silent = Duration::ZERO;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.close();
    }
}

/// Held by the driver: whichever way it ends, it is told.
struct Ending {
    gone: Arc<AtomicBool>,
    _over: oneshot::Sender<()>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.gone.store(true, Relaxed);
    }
}

impl Hello {
    fn read(value: Value) -> Option<Self> {
        let Value::Map(pairs) = value else { return None };
        let mut hello = Self { version: String::new(), id: 0, replica: false, mode: String::new() };
        for (key, value) in pairs {
            let text = |value| match value {
                Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Value::SimpleString(text) => text,
                _ => String::new(),
            };
            match (text(key).as_str(), value) {
                ("version", value) => hello.version = text(value),
                ("mode", value) => hello.mode = text(value),
                ("role", value) => hello.replica = text(value) != "master",
                ("id", Value::Int(id)) => hello.id = id,
                _ => {}
            }
        }
        Some(hello)
    }

    /// Whether this is the server to work with.
    fn suits(&self, topology: &Topology, address: &Address) -> Result<(), Obstacle> {
        let mut numbers = self.version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version < OLDEST {
            let version = self.version.clone();
            return Err(Obstacle::Final(Error::TooOld { address: address.to_string(), version }));
        }
        let problem = match (self.mode.as_str(), topology) {
            ("cluster", Topology::Standalone | Topology::Sentinel { .. }) => {
                "it is a node of a cluster; write `redis+cluster://HOST:PORT`"
            }
            ("sentinel", _) => "it is a sentinel; write `redis+sentinel://HOST:PORT/MASTER`",
            ("standalone", Topology::Cluster) => "it is no node of a cluster; write `redis://HOST:PORT`",
            _ if self.replica => return Err(Obstacle::Replica(address.clone())),
            _ => return Ok(()),
        };
        Err(Obstacle::unsuitable(address, problem))
    }
}

/// Older servers lack commands that are needed.
const OLDEST: (u32, u32) = (6, 2);
