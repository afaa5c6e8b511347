//! Which nodes are there, what they do, and who is with them.

use super::metered;
use super::node::Node;
use super::presence::{Groups, Present};
use super::pulling::{GOODBYES, NODES};
use super::wire::LARGEST;
use crate::element::BoxError;
use crate::knowledge::{self, Hash};
use crate::live::{Member, Position};
use crate::stream::clock;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

/// How often a node gives a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long after its last sign of life it counts as gone.
const LEASE: Duration = Duration::from_secs(3);
/// For how long changes are gathered before others are told.
const GATHER: Duration = Duration::from_millis(20);
/// The same if there are many members, all of whom others are told.
const GATHER_MOST: Duration = Duration::from_millis(500);
/// So many members are shown at other nodes.
const MEMBERS: usize = 10_000;

/// The other nodes, and what this one does.
#[derive(Default)]
pub(super) struct Peers {
    known: RwLock<BTreeMap<Arc<str>, Peer>>,
    kinds: RwLock<BTreeSet<Arc<str>>>,
    /// When this one has come.
    since: AtomicU64,
    /// Who has said goodbye.
    left: Mutex<BTreeSet<Arc<str>>>,
    /// It is worth while to look who is there.
    pub(super) look: Notify,
}

struct Peer {
    sign: Sign,
    /// When its sign of life changed.
    seen: Instant,
    /// It has changed at least once: it is there, and not left from before.
    is_sure: bool,
    /// The number of its members that were read.
    presence: Option<u64>,
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
    /// When it has come, in milliseconds since 1970 by its clock.
    #[serde(default)]
    since: u64,
}

impl Peers {
    /// A node has said goodbye.
    pub(super) fn left(&self, id: &str) {
        if self.is_there(id) {
            self.left.lock().insert(id.into());
            self.look.notify_one();
        }
    }

    /// Whether this node has been there longest.
    pub(super) fn is_first(&self, id: &str) -> bool {
        let since = self.since.load(Ordering::Acquire);
        let left = self.left.lock();
        let known = self.known.read();
        let mut others = known.iter().filter(|(other, _)| !left.contains(*other));
        // One that has not yet come is behind all that have.
        since > 0 && others.all(|(other, peer)| (since, id) < (peer.sign.since, &**other))
    }

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
        members: 0,
        trusted_from: None,
        has_failed: false,
    };
    loop {
        if let Err(error) = life.beat().await {
            life.trusted_from = Some(Instant::now() + LEASE + HEARTBEAT);
            if !std::mem::replace(&mut life.has_failed, true) {
                warn!(error = &*error, "other nodes can't be seen or told anything; it is tried again");
            }
        } else {
            life.node.has_looked.send_replace(true);
            if std::mem::take(&mut life.has_failed) {
                info!("other nodes can be seen again");
            }
        }
        tokio::select! {
            () = sleep(HEARTBEAT) => {}
            () = life.node.peers.look.notified() => sleep(GATHER).await,
            () = life.node.hub.moved.notified() => {
                life.has_moved = true;
                sleep(life.gather()).await;
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
    /// How many others were told of.
    members: usize,
    /// Until then nobody is gone: their signs of life had no chance to arrive.
    trusted_from: Option<Instant>,
    has_failed: bool,
}

impl Life {
    async fn beat(&mut self) -> Result<(), BoxError> {
        let id = &*self.node.id.clone();
        let mut news = false;
        if self.has_moved {
            let present = self.present()?;
            self.present.insert(id, present.as_slice()).await?;
            self.sign.presence += 1;
            (self.has_moved, news) = (false, true);
        }
        let kinds = self.node.peers.kinds.read().clone();
        news |= kinds != self.sign.kinds;
        let since = if self.sign.since > 0 { self.sign.since } else { millis() };
        self.node.peers.since.store(since, Ordering::Release);
        self.sign = Sign { beat: self.sign.beat + 1, kinds, presence: self.sign.presence, since };
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
        self.node.lost_on_the_way(self.node.outgoing.take_back_lost());
        self.node.cache.lock().expire();
        Ok(())
    }

    /// Who is here, as others read it.
    fn present(&mut self) -> serde_json::Result<Vec<u8>> {
        let (groups, is_all) = self.node.hub.present(MEMBERS);
        if !is_all {
            debug!(most = MEMBERS, "not all members of groups are shown at other nodes");
        }
        self.members = groups.values().map(BTreeMap::len).sum();
        let written = serde_json::to_vec(&groups)?;
        if written.len() <= LARGEST {
            return Ok(written);
        }
        debug!(bytes = written.len(), "what members of groups say of themselves is too long for other nodes");
        let mute = |member: &Arc<Member>| {
            Arc::new(Member { client: member.client.clone(), name: member.name.clone(), info: Value::Null })
        };
        let groups: Present = groups
            .into_iter()
            .map(|(name, members)| {
                (name, members.iter().map(|(id, member)| (id.clone(), mute(member))).collect())
            })
            .collect();
        serde_json::to_vec(&groups)
    }

    /// For how long changes are gathered: the longer the more members there are, all of whom are written each time.
    fn gather(&self) -> Duration {
        (GATHER + Duration::from_micros(50) * u32::try_from(self.members).unwrap_or(u32::MAX))
            .min(GATHER_MOST)
    }

    async fn look(&mut self) -> Result<(), BoxError> {
        let left = self.node.peers.left.lock().clone();
        let signs: Vec<(String, Vec<u8>)> = self.signs.all().await?;
        let now = Instant::now();
        let mut moved = Vec::new();
        self.part_from(&left, &signs).await?;
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
            let presence = known.get(&*id).and_then(|peer| peer.presence);
            if presence != Some(sign.presence) {
                moved.push((id.clone(), sign.presence));
            }
            match known.get_mut(&*id) {
                Some(peer) if peer.sign.beat == sign.beat => {}
                Some(peer) => *peer = Peer { sign, seen: now, is_sure: true, presence },
                None => {
                    debug!(node = %id, "there is another node");
                    known.insert(id.into(), Peer { sign, seen: now, is_sure: false, presence });
                }
            }
        }
        for (id, presence) in moved {
            self.see_who_is_at(&id).await?;
            // What could not be read is read again.
            if let Some(peer) = self.node.peers.known.write().get_mut(&*id) {
                peer.presence = Some(presence);
            }
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

    /// Takes leave of nodes that have said goodbye, and of which there is no sign any more.
    async fn part_from(
        &self,
        left: &BTreeSet<Arc<str>>,
        signs: &[(String, Vec<u8>)],
    ) -> Result<(), BoxError> {
        for id in left.iter().filter(|left| !signs.iter().any(|(id, _)| **id == ***left)) {
            debug!(node = %id, "a node has said goodbye");
            if self.node.peers.known.write().remove(id).is_some() {
                self.node.lost(id);
            }
            self.present.remove(&**id).await?;
        }
        self.node.peers.left.lock().retain(|id| !left.contains(id));
        Ok(())
    }

    /// A server that has lost everything has lost the log, too.
    async fn check_epoch(&mut self) -> Result<(), BoxError> {
        let epoch = self.node.epoch().await?;
        let at = self.node.hub.position();
        if *self.node.is_ready.borrow() && *epoch != *at.epoch {
            warn!("the log of parts is another one: who comes back is told that the gap is not known");
            self.node.lost_on_the_way(self.node.outgoing.take_back());
            // Behind all that the one before had.
            self.node.hub.begin(&Position { epoch: epoch.into(), offset: at.offset.next() });
            self.node.hub.begun();
            self.has_moved = true;
        }
        Ok(())
    }

    async fn say_goodbye(self) {
        let id = &*self.node.id;
        let said = async {
            self.signs.remove(id).await?;
            self.present.remove(id).await?;
            self.node.channels.publish(GOODBYES, id).await?;
            Ok::<(), BoxError>(())
        };
        if let Err(error) = said.await {
            warn!(error = &*error, "other nodes could not be told that this one ends");
        }
        self.node.has_left.send_replace(true);
    }
}

fn millis() -> u64 {
    let since = clock::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX).max(1)
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
