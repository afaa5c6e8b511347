//! What a live server can do as a node among others.

use super::{Extract, following, node::Node, peers, publishing, pulling};
use crate::app::App;
use crate::live::client::Inner as Client;
use crate::live::{Error, JobId, Live, Security, Settings};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

/// A live server on a backend that several share.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeInfo {
    /// Which one: another one with each start.
    pub id: Arc<str>,
    /// The names of the jobs that it does.
    pub kinds: Vec<Arc<str>>,
    /// Whether it is the one that was asked.
    pub is_this: bool,
}

impl Live {
    /// One among all that share a backend, in this process or others: a **node**. On a server, [`with`](Self::with) makes
    /// such a one, too; here it is also on `memory:` and `file:`.
    ///
    /// A client at any node gets what is published at all of them, has jobs done that only other nodes do, sees the members
    /// of groups everywhere, and may come back to another node with its [`Position`](super::super::Position).
    ///
    /// # Delivery
    /// Those who asked for a job at the node that does it get its parts at once. To all others they come by a log in the
    /// backend, whose order is that of all nodes. While the backend is away, parts wait for it, 20,000 of them; then the
    /// oldest reaches this node's clients alone, and is counted. What a node has not read before it was trimmed or lost is
    /// counted, and its clients are told how many they missed. The jobs that a node does for others end with an error
    /// three seconds after its last sign of life.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use mape::backend::Backend;
    /// use mape::live::{Delivery, Interest, Live, Settings, Viewer};
    /// use mape::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), BoxError> {
    /// let backend = Backend::memory();
    /// let [app, other] = [App::with_backend(backend.clone()), App::with_backend(backend)];
    /// let a = Live::shared(&app, Settings::default(), ());
    /// let c = Live::shared(&other, Settings::default(), ());
    /// a.ready().await;
    /// let mut client = a.connect(Viewer::default());
    /// client.state("all", Interest::all(), None)?;
    /// c.publish("news", "hello")?;
    /// let Some(Delivery::Part(part)) = client.next().await else { panic!("there is a part") };
    /// assert_eq!(part.data(), Some(&"hello".into()));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn shared(app: &App, settings: Settings, security: impl Security) -> Self {
        Self::build(app, settings, Box::new(security), true)
    }

    /// Waits until it knows what other nodes have published before, and what they do. Before, who comes back to it is told
    /// that the gap is not known. At once if it is no [node](Self::shared).
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn ready(&self) {
        if let Some(node) = &self.0.node {
            // It is ours.
            let _ = node.is_ready.subscribe().wait_for(|is_ready| *is_ready).await;
            let _ = node.has_looked.subscribe().wait_for(|has_looked| *has_looked).await;
        }
    }

    /// Waits until all that was published here so far can be read by other nodes, and, if it is [closed](Self::close), until
    /// they are told that it goes; for a program that ends. At once if it is no [node](Self::shared).
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn flush(&self) {
        let Some(node) = &self.0.node else { return };
        loop {
            let less = node.outgoing.less.notified();
            if node.outgoing.waiting() == 0 {
                break;
            }
            less.await;
        }
        if node.is_leaving.load(Ordering::Acquire) {
            // It is ours.
            let _ = node.has_left.subscribe().wait_for(|has_left| *has_left).await;
        }
    }

    /// Whether of all nodes it is the one that has been there longest, for what only one of them is to do; `true` if it is
    /// no [node](Self::shared). `false` until it is [ready](Self::ready), and when it has been [closed](Self::close) and the
    /// others are told. While nodes come and go, two may say so for a moment, or none.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.0.node.as_ref().is_none_or(|node| {
            *node.has_looked.borrow() && !*node.has_left.borrow() && node.peers.is_first(&node.id)
        })
    }

    /// All nodes that are there, this one first; none if it is no [node](Self::shared).
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeInfo> {
        let Some(node) = &self.0.node else { return Vec::new() };
        let this = NodeInfo { id: node.id.clone(), kinds: node.peers.own_kinds(), is_this: true };
        let others = node.peers.all().into_iter().map(|(id, kinds)| NodeInfo { id, kinds, is_this: false });
        std::iter::once(this).chain(others).collect()
    }

    /// Of parts that are published here under this name, such as those of a kind of jobs, other nodes are told these values
    /// alone; the rest is kept here for a while ([`Settings::cache_lifetime`], [`cache_bytes`](Settings::cache_bytes)).
    ///
    /// A condition of a client at another node is judged on the values first. If it holds, the part is pulled from here, and
    /// judged in full; so only conditions on these values find anything there. Here the part is judged in full from the
    /// start, and who asked for the job gets all of it, wherever it is. A part that can't be pulled any more is told as an
    /// error, and counted. Who comes back to another node across such a part is told that the gap is not known.
    pub fn extract(&self, name: &str, extract: Extract) {
        if let Some(node) = &self.0.node {
            node.extracts.write().insert(name.into(), extract);
        }
    }

    /// How many histories there were: positions are of the last.
    #[cfg(feature = "http")]
    pub(crate) fn epochs(&self) -> u64 {
        self.hub().epochs()
    }

    /// Has a job done by another node that does such ones.
    pub(in crate::live) fn ask_elsewhere(
        &self,
        client: &Arc<Client>,
        name: &str,
        input: Value,
    ) -> Result<JobId, Error> {
        let found = self.0.node.as_ref().and_then(|node| Some((node, node.peers.who_does(name)?)));
        let Some((node, peer)) = found else { return Err(self.0.no_kind(name)) };
        let job = self.0.asked(client, name.into(), input)?;
        let id = job.id();
        if let Err(job) = node.send_job(&peer, job) {
            let told = job.fail("its input is too large to be given to another process");
            node.hub.serve(told.as_slice());
        }
        Ok(id)
    }

    /// Begins what a node does besides.
    pub(in crate::live) fn join_others(&self) {
        if let Some(node) = &self.0.node {
            self.own(following::follow(node.clone(), Arc::downgrade(&self.0)));
            self.own(publishing::publish(node.clone()));
            self.own(peers::keep(node.clone()));
            self.own(pulling::listen(node.clone()));
            self.own(pulling::pull(node.clone()));
        }
    }

    pub(in crate::live) fn say_goodbye(&self) {
        if let Some(node) = &self.0.node {
            node.is_leaving.store(true, Ordering::Release);
            node.leaving.notify_one();
        }
    }
}

impl Node {
    /// Waits while too much is on its way to other nodes.
    pub(in crate::live) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.outgoing.poll_room(cx)
    }

    pub(in crate::live) fn does(&self, kind: &Arc<str>) {
        self.peers.does(kind);
    }

    pub(in crate::live) fn kinds_elsewhere(&self) -> impl Iterator<Item = String> {
        self.peers.all().into_iter().flat_map(|(_, kinds)| kinds).map(|kind| kind.to_string())
    }
}
