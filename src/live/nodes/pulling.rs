//! Nodes ask one another for parts of which the log has values alone.

use super::metered;
use super::node::Node;
use super::publishing::pause;
use crate::channel::{ChannelName, Incoming, Topics};
use crate::live::Body;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

/// The channel on which nodes say that something about them has changed.
pub(super) const NODES: &str = "mape:live:nodes";
/// The channel on which nodes say goodbye.
pub(super) const GOODBYES: &str = "mape:live:goodbyes";
/// An answer that is not there by then is asked for once more, and then given up.
const DEADLINE: Duration = Duration::from_secs(2);
/// So many bytes of parts are in an answer, or one part.
const ANSWER: usize = 1024 * 1024;
/// The longest message.
const LONGEST: usize = 64 * 1024 * 1024;

/// What nodes say to one another.
#[derive(Serialize, Deserialize)]
struct Message {
    from: Arc<str>,
    /// Numbers the requests of whoever pulls.
    request: u64,
    /// What is pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pull: Vec<u64>,
    /// What was pulled: the first of it, as much as is sent at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pulled: Vec<Answer>,
}

/// What became of a part.
#[derive(Serialize, Deserialize)]
pub(super) struct Answer {
    n: u64,
    is: Is,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Is {
    Data(Arc<Value>),
    Error(Arc<str>),
    Gone,
}

fn channel_of(node: &str) -> ChannelName {
    format!("mape:live:node:{node}").into()
}

/// Hears what other nodes say, for ever.
pub(in crate::live) async fn listen(node: Arc<Node>) {
    let topics = || Topics::names([channel_of(&node.id), NODES.into(), GOODBYES.into()]);
    loop {
        match node.channels.subscribe(topics()).await {
            Ok(mut heard) => {
                while let Some(incoming) = heard.next().await {
                    match incoming {
                        Incoming::Delivery(told) if told.channel.as_str() == NODES => {
                            node.peers.look.notify_one();
                        }
                        Incoming::Delivery(told) if told.channel.as_str() == GOODBYES => {
                            if let Ok(id) = serde_json::from_slice::<String>(&told.payload) {
                                node.peers.left(&id);
                            }
                        }
                        Incoming::Delivery(told) => node.hear(&told.payload).await,
                        // Who asked asks once more.
                        Incoming::Missed(_) | Incoming::Interrupted => node.peers.look.notify_one(),
                    }
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(error, "other nodes can't be heard; it is tried again");
            }
        }
        sleep(pause(10)).await;
    }
}

/// Pulls what somebody here is interested in, from all nodes at once, for ever.
pub(in crate::live) async fn pull(node: Arc<Node>) {
    let mut pulling = FuturesUnordered::new();
    loop {
        for peer in node.pulls.begin() {
            pulling.push(node.pull_from(peer));
        }
        tokio::select! {
            () = node.pulls.more.notified() => {}
            Some(()) = pulling.next() => {}
        }
    }
}

impl Node {
    async fn pull_from(&self, peer: Arc<str>) {
        loop {
            let wanted = self.pulls.next(&peer);
            if wanted.is_empty() {
                return;
            }
            match self.ask_for(&peer, &wanted).await {
                Some(answers) => {
                    for Answer { n, is } in answers {
                        let Some(wanted) = self.pulls.take(&peer, n) else { continue };
                        let body = match is {
                            Is::Data(data) => Ok(Body::Data(data)),
                            Is::Error(error) => Ok(Body::Error(error)),
                            Is::Gone => Err("the process that published it does not keep it any more"),
                        };
                        self.hand(&wanted, body);
                    }
                }
                None => {
                    // Others would wait as long, one batch behind the other.
                    for wanted in self.pulls.take_all(&peer) {
                        self.hand(&wanted, Err("the process that has it does not answer"));
                    }
                }
            }
        }
    }

    /// What a node answers; it begins with the first that is wanted.
    async fn ask_for(&self, peer: &str, wanted: &[u64]) -> Option<Vec<Answer>> {
        for attempt in 0..2 {
            if attempt > 0 && !self.peers.is_there(peer) {
                break;
            }
            let (request, answer) = self.pulls.request();
            let message =
                Message { from: self.id.clone(), request, pull: wanted.to_vec(), pulled: Vec::new() };
            let asked = async {
                if let Err(error) = self.channels.publish(channel_of(peer), &message).await {
                    debug!(%error, peer, "a node can't be asked for parts");
                }
                answer.await.ok()
            };
            let answers = timeout(DEADLINE, asked).await.ok().flatten();
            self.pulls.give_up(request);
            // An answer to something else does not count.
            let fits =
                |answers: &Vec<Answer>| answers.first().map(|answer| answer.n) == wanted.first().copied();
            if let Some(answers) = answers.filter(fits) {
                return Some(answers);
            }
        }
        None
    }

    async fn hear(&self, payload: &[u8]) {
        let message = (payload.len() <= LONGEST).then(|| serde_json::from_slice::<Message>(payload).ok());
        let Some(message) = message.flatten() else {
            self.meter.add(metered::MALFORMED, 1);
            return;
        };
        if message.pull.is_empty() {
            self.pulls.answered(message.request, message.pulled);
            return;
        }
        let pulled = self.give(&message.pull);
        self.meter.add(metered::GIVEN, pulled.len() as u64);
        let answer = Message { from: self.id.clone(), request: message.request, pull: Vec::new(), pulled };
        if let Err(error) = self.channels.publish(channel_of(&message.from), &answer).await {
            debug!(%error, "a node can't be given the parts it asked for");
        }
    }

    /// The first of these, as much as is sent at a time.
    fn give(&self, wanted: &[u64]) -> Vec<Answer> {
        let mut cache = self.cache.lock();
        let (mut given, mut bytes) = (Vec::new(), 0);
        for &n in wanted.iter().take(1000) {
            let (is, size) = match cache.get(n) {
                Some((Body::Data(data), size)) => (Is::Data(data.clone()), size),
                Some((Body::Error(error), size)) => (Is::Error(error.clone()), size),
                None => (Is::Gone, 0),
            };
            bytes += size;
            if !given.is_empty() && bytes > ANSWER {
                break;
            }
            given.push(Answer { n, is });
        }
        self.meter.set(metered::KEPT_BYTES, cache.bytes() as f64);
        given
    }
}
