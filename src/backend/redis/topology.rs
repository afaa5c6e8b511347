//! Which server has the keys.

use super::address::Address;
use super::endpoint::Topology;
use super::link::Link;
use super::obstacle::Obstacle;
use super::settings::Settings;
use super::slot::{slot, tag};
use parking_lot::Mutex;
use redis::{Cmd, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long one sentinel or node is waited for before the next one is asked.
const ANSWER: Duration = Duration::from_secs(1);

/// Finds the server that has the keys, again after each loss.
pub(super) struct Finder {
    settings: Arc<Settings>,
    /// Whom to ask, in this order.
    known: Mutex<Vec<Address>>,
}

impl Finder {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        let known = Mutex::new(settings.endpoint.addresses.clone());
        Self { settings, known }
    }

    /// Where the keys are now, as far as those who were asked know.
    pub(super) async fn find(&self) -> Result<Address, Obstacle> {
        if self.settings.endpoint.topology == Topology::Standalone {
            return Ok(self.settings.first_address());
        }
        let known = self.known.lock().clone();
        let mut obstacle = None;
        for asked in known {
            let late = |_| Obstacle::passing(&asked, format!("no answer within {} s", ANSWER.as_secs()));
            match timeout(ANSWER, self.ask(&asked)).await.unwrap_or_else(|elapsed| Err(late(elapsed))) {
                Ok(found) => {
                    self.prefer(&asked);
                    return Ok(found);
                }
                Err(found) if found.is_passing() => obstacle = obstacle.or(Some(found)),
                Err(found) => return Err(found),
            }
        }
        let nobody = || Obstacle::unsuitable(&self.settings.first_address(), "the URL names no server");
        Err(obstacle.unwrap_or_else(nobody))
    }

    async fn ask(&self, asked: &Address) -> Result<Address, Obstacle> {
        match &self.settings.endpoint.topology {
            Topology::Standalone => Ok(asked.clone()),
            Topology::Sentinel { master } => self.master(asked, master).await,
            Topology::Cluster => self.owner(asked).await,
        }
    }

    /// Who has answered is asked first the next time.
    fn prefer(&self, asked: &Address) {
        let mut known = self.known.lock();
        if let Some(place) = known.iter().position(|address| address == asked) {
            known.rotate_left(place);
        }
    }

    /// What was found turned out not to be so: another one is asked first the next time.
    pub(super) fn doubt(&self) {
        let mut known = self.known.lock();
        if !known.is_empty() {
            known.rotate_left(1);
        }
    }

    /// The master of this name, as a sentinel sees it.
    async fn master(&self, sentinel: &Address, name: &str) -> Result<Address, Obstacle> {
        let mut ask = redis::cmd("SENTINEL");
        ask.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        let greeting = |login| self.settings.greeting_of_a_sentinel(login);
        let mut answer = self.answer(sentinel, greeting(false), &ask).await?;
        if matches!(&answer, Value::ServerError(error) if error.code() == "NOAUTH") {
            answer = self.answer(sentinel, greeting(true), &ask).await?;
        }
        match answer {
            Value::Array(words) => {
                let [host, port] = words.as_slice() else { return Err(not_understood(sentinel)) };
                let port = text(port).and_then(|port| port.parse().ok());
                let (Some(host), Some(port)) = (text(host), port) else {
                    return Err(not_understood(sentinel));
                };
                Ok(Address::Tcp { host, port })
            }
            Value::Nil => {
                Err(Obstacle::passing(sentinel, format!("this sentinel knows no master called {name:?}")))
            }
            Value::ServerError(error)
                if error.details().is_some_and(|text| text.contains("unknown command")) =>
            {
                Err(Obstacle::unsuitable(sentinel, "it is no sentinel; write `redis://HOST:PORT`"))
            }
            Value::ServerError(error) => Err(Obstacle::refused(sentinel, error)),
            _ => Err(not_understood(sentinel)),
        }
    }

    /// The node with the slot of the prefix, as another node sees it.
    async fn owner(&self, node: &Address) -> Result<Address, Obstacle> {
        let mut ask = redis::cmd("CLUSTER");
        ask.arg("SLOTS");
        let ranges = match self.answer(node, self.settings.greeting(), &ask).await? {
            Value::Array(ranges) => ranges,
            Value::ServerError(error) if error.details().is_some_and(|text| text.contains("disabled")) => {
                return Err(Obstacle::unsuitable(
                    node,
                    "it is no node of a cluster; write `redis://HOST:PORT`",
                ));
            }
            Value::ServerError(error) => return Err(Obstacle::refused(node, error)),
            _ => return Err(not_understood(node)),
        };
        let wanted = i64::from(slot(tag(&self.settings.prefix).unwrap_or(&self.settings.prefix)));
        let mut owner = None;
        for range in &ranges {
            let Value::Array(parts) = range else { continue };
            let [Value::Int(first), Value::Int(last), master, replicas @ ..] = parts.as_slice() else {
                continue;
            };
            for other in std::iter::once(master).chain(replicas) {
                if let Some(address) = node_address(other, node) {
                    self.learn(address);
                }
            }
            if (*first..=*last).contains(&wanted) {
                owner = node_address(master, node);
            }
        }
        owner.ok_or_else(|| Obstacle::passing(node, format!("no node of the cluster has slot {wanted}")))
    }

    /// Nodes of the URL may go while others come.
    fn learn(&self, address: Address) {
        let mut known = self.known.lock();
        if !known.contains(&address) {
            let most = self.settings.endpoint.addresses.len() + LEARNED;
            if known.len() >= most {
                let of_the_url = |address: &Address| self.settings.endpoint.addresses.contains(address);
                if let Some(oldest) = known.iter().position(|address| !of_the_url(address)) {
                    known.remove(oldest);
                }
            }
            known.push(address);
        }
    }

    async fn answer(
        &self,
        asked: &Address,
        greeting: redis::RedisConnectionInfo,
        cmd: &Cmd,
    ) -> Result<Value, Obstacle> {
        let (link, _ended) = Link::greet(&self.settings, greeting, asked, 0, None).await?;
        let answer = link.connection().send_packed_command(cmd).await;
        answer.map_err(|error| Obstacle::passing(asked, error))
    }
}

/// How many nodes are remembered that the URL does not name.
const LEARNED: usize = 64;

/// `[host, port, id, …]` of a node; a host that is missing is that of the node which says so.
fn node_address(node: &Value, asked: &Address) -> Option<Address> {
    let Value::Array(parts) = node else { return None };
    let [host, Value::Int(port), ..] = parts.as_slice() else { return None };
    Address::of_node(&format!("{}:{port}", text(host).unwrap_or_default()), asked)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}

fn not_understood(asked: &Address) -> Obstacle {
    Obstacle::unsuitable(asked, "its answer is not understood; is it Redis?")
}
