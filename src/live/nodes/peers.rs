//! Which nodes are there, what they do, and who is with them.

use super::metered;
use super::node::Node;
use super::presence::Groups;
use super::pulling::NODES;
use super::wire::LARGEST;
use crate::element::BoxError;
use crate::knowledge::{self, Hash};
use crate::live::Position;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

/// How often a node gives a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long after its last sign of life it counts as gone.
const LEASE: Duration = Duration::from_secs(3);
/// For how long changes are gathered before others are told.
const GATHER: Duration = Duration::from_millis(20);
/// So many members are shown at other nodes.
const MEMBERS: usize = 10_000;

/// The other nodes, and what this one does.
#[derive(Default)]
pub(super) struct Peers {
    known: RwLock<BTreeMap<Arc<str>, Peer>>,
    kinds: RwLock<BTreeSet<Arc<str>>>,
    /// It is worth while to look who is there.
    pub(super) look: Notify,
}

struct Peer {
    sign: Sign,
    /// When its sign of life changed.
    seen: Instant,
    /// It has changed at least once: it is there, and not left from before.
    is_sure: bool,
}

/// A sign of life.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
struct Sign {
    /// Changes with each.
    beat: u64,
    /// Jobs that it does.
    kinds: BTreeSet<Arc<str>>,
    /// Changes when members come or go.
    presence: u64,
}

impl Peers {
    /// This node does such jobs.
    pub(super) fn does(&self, kind: &Arc<str>) {
        self.kinds.write().insert(kind.clone());
        self.look.notify_one();
    }

    /// A node that does such jobs, any of them.
    pub(super) fn who_does(&self, kind: &str) -> Option<Arc<str>> {
        let known = self.known.read();
        let able = known.iter().filter(|(_, peer)| peer.sign.kinds.contains(kind));
        let sure = able.clone().filter(|(_, peer)| peer.is_sure).map(|(id, _)| id);
        fastrand::choice(sure.collect::<Vec<_>>()).or_else(|| able.map(|(id, _)| id).next()).cloned()
    }

    pub(super) fn is_there(&self, peer: &str) -> bool {
        self.known.read().contains_key(peer)
    }

    /// The others, with the kinds of jobs that each does.
    pub(super) fn all(&self) -> Vec<(Arc<str>, Vec<Arc<str>>)> {
        let known = self.known.read();
        known.iter().map(|(id, peer)| (id.clone(), peer.sign.kinds.iter().cloned().collect())).collect()
    }

    pub(super) fn own_kinds(&self) -> Vec<Arc<str>> {
        self.kinds.read().iter().cloned().collect()
    }
}

/// Gives signs of life, and looks at those of others; until it is told to say goodbye.
pub(in crate::live) async fn keep(node: Arc<Node>) {
    let mut life = Life {
        signs: node.knowledge.hash("live.nodes"),
        present: node.knowledge.hash("live.present"),
        node,
        sign: Sign::default(),
        has_moved: true,
        trusted_from: None,
        has_failed: false,
    };
    loop {
        if let Err(error) = life.beat().await {
            life.trusted_from = Some(Instant::now() + LEASE + HEARTBEAT);
            if !std::mem::replace(&mut life.has_failed, true) {
                warn!(error = &*error, "other nodes can't be seen or told anything; it is tried again");
            }
        } else if std::mem::take(&mut life.has_failed) {
            info!("other nodes can be seen again");
        }
        tokio::select! {
            () = sleep(HEARTBEAT) => {}
            () = life.node.peers.look.notified() => sleep(GATHER).await,
            () = life.node.hub.moved.notified() => {
                life.has_moved = true;
                sleep(GATHER).await;
            }
            () = life.node.leaving.notified() => return life.say_goodbye().await,
        }
    }
}

struct Life {
    node: Arc<Node>,
    signs: Hash<String, Vec<u8>>,
    present: Hash<String, Vec<u8>>,
    sign: Sign,
    /// Who is here has changed since others were told.
    has_moved: bool,
    /// Until then nobody is gone: their signs of life had no chance to arrive.
    trusted_from: Option<Instant>,
    has_failed: bool,
}

impl Life {
    async fn beat(&mut self) -> Result<(), BoxError> {
        let id = &*self.node.id;
        let mut news = false;
        if self.has_moved {
            self.present.insert(id, self.present()?.as_slice()).await?;
            self.sign.presence += 1;
            (self.has_moved, news) = (false, true);
        }
        let kinds = self.node.peers.kinds.read().clone();
        news |= kinds != self.sign.kinds;
        self.sign = Sign { beat: self.sign.beat + 1, kinds, presence: self.sign.presence };
        let is_new = self.signs.insert(id, serde_json::to_vec(&self.sign)?.as_slice()).await?;
        if is_new && self.sign.beat > 1 {
            // It was taken for gone, or the server has lost it.
            self.has_moved = true;
            self.node.peers.look.notify_one();
        }
        if news {
            self.node.channels.publish(NODES, id).await?;
        }
        self.look().await?;
        self.check_epoch().await?;
        self.node.only_here(self.node.outgoing.take_back_lost());
        self.node.cache.lock().expire();
        Ok(())
    }

    /// Who is here, as others read it.
    fn present(&self) -> serde_json::Result<Vec<u8>> {
        let mut room = MEMBERS;
        let mut groups = self.node.hub.present();
        for members in groups.values_mut() {
            if members.len() > room {
                debug!(most = MEMBERS, "not all members of groups are shown at other nodes");
                *members = std::mem::take(members).into_iter().take(room).collect();
            }
            room -= members.len();
        }
        let written = serde_json::to_vec(&groups)?;
        if written.len() <= LARGEST {
            return Ok(written);
        }
        debug!(bytes = written.len(), "what members of groups say of themselves is too long for other nodes");
        groups
            .values_mut()
            .flat_map(|members| members.values_mut())
            .for_each(|member| member.info = Value::Null);
        serde_json::to_vec(&groups)
    }

    async fn look(&mut self) -> Result<(), BoxError> {
        let signs: Vec<(String, Vec<u8>)> = self.signs.all().await?;
        let now = Instant::now();
        let mut moved = Vec::new();
        for (id, sign) in signs {
            if id == *self.node.id {
                continue;
            }
            let sign = (sign.len() <= LARGEST).then(|| serde_json::from_slice::<Sign>(&sign).ok()).flatten();
            let Some(sign) = sign else {
                self.node.meter.add(metered::MALFORMED, 1);
                continue;
            };
            let mut known = self.node.peers.known.write();
            let before = known.get(&*id).map(|peer| peer.sign.presence);
            if before != Some(sign.presence) {
                moved.push(id.clone());
            }
            match known.get_mut(&*id) {
                Some(peer) if peer.sign.beat == sign.beat => {}
                Some(peer) => *peer = Peer { sign, seen: now, is_sure: true },
                None => {
                    debug!(node = %id, "there is another node");
                    known.insert(id.into(), Peer { sign, seen: now, is_sure: false });
                }
            }
        }
        for id in moved {
            self.see_who_is_at(&id).await?;
        }
        self.miss(now).await?;
        let others = self.node.peers.known.read().len();
        self.node.meter.set(metered::OTHERS, others as f64);
        Ok(())
    }

    async fn see_who_is_at(&self, id: &str) -> Result<(), BoxError> {
        let Some(groups) = self.present.get(id).await? else { return Ok(()) };
        let read = (groups.len() <= 2 * LARGEST).then(|| serde_json::from_slice::<Groups>(&groups).ok());
        if let Some(groups) = read.flatten() {
            self.node.hub.present_elsewhere(&id.into(), groups);
        } else {
            self.node.meter.add(metered::MALFORMED, 1);
            debug!(node = id, "who is at another node can't be read");
        }
        Ok(())
    }

    /// Takes leave of nodes that give no sign of life.
    async fn miss(&self, now: Instant) -> Result<(), BoxError> {
        if self.trusted_from.is_some_and(|from| now < from) {
            return Ok(());
        }
        let gone: Vec<Arc<str>> = {
            let mut known = self.node.peers.known.write();
            let gone = known.extract_if(.., |_, peer| now - peer.seen >= LEASE);
            gone.map(|(id, _)| id).collect()
        };
        for id in gone {
            debug!(node = %id, "a node gives no sign of life any more");
            self.node.lost(&id);
            self.signs.remove(&*id).await?;
            self.present.remove(&*id).await?;
        }
        Ok(())
    }

    /// A server that has lost everything has lost the log, too.
    async fn check_epoch(&mut self) -> Result<(), BoxError> {
        let epoch = self.node.epoch().await?;
        let at = self.node.hub.position();
        if *self.node.is_ready.borrow() && *epoch != *at.epoch {
            warn!("the log of parts is another one: who comes back is told that the gap is not known");
            self.node.only_here(self.node.outgoing.take_back());
            self.node.hub.begin(&Position { epoch: epoch.into(), offset: at.offset });
            self.has_moved = true;
        }
        Ok(())
    }

    async fn say_goodbye(self) {
        let id = &*self.node.id;
        let said = async {
            self.signs.remove(id).await?;
            self.present.remove(id).await?;
            self.node.channels.publish(NODES, id).await?;
            Ok::<(), BoxError>(())
        };
        if let Err(error) = said.await {
            warn!(error = &*error, "other nodes could not be told that this one ends");
        }
    }
}

impl Node {
    /// Which history the log is; a new one if there is none.
    pub(super) async fn epoch(&self) -> Result<String, knowledge::Error> {
        let epoch = self.knowledge.value::<String>("live.epoch");
        loop {
            if let Some(epoch) = epoch.get().await? {
                return Ok(epoch);
            }
            let new = format!("{:016x}", fastrand::u64(..));
            if epoch.compare_and_set(None, &new).await? {
                return Ok(new);
            }
        }
    }
}
