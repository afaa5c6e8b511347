//! Loops of other processes on the same backend.

use super::{App, Loop};
use crate::channel::Pattern;
use crate::element::{AnyElement, ElementPath, Role};
use crate::knowledge::{Cursor, Data, Error, Key, Reply, Store, ValueCommand};
use crate::stream::clock;
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::warn;

/// How often an app that is [announced](App::announce) gives a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long after its last sign of life an app counts as lost.
const LEASE: Duration = Duration::from_secs(3);
/// Where the signs of life are, beside the scopes of knowledge.
const PREFIX: &str = "k.peer.";

/// The loops of other apps on the same backend whose uid matches a pattern; see [`App::remote`].
#[derive(Clone, Debug)]
pub struct Remote {
    store: Arc<dyn Store>,
    loops: Pattern,
    own: String,
}

/// A loop of another app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Peer {
    /// Which app: another one with each start.
    pub app: String,
    /// The operating system's number of its process.
    pub process: u32,
    /// The loop's uid.
    pub uid: String,
    /// The level it is on; empty for the default one.
    pub level: String,
    /// Its elements that are [exposed](crate::element::Element::expose).
    pub ports: Vec<PeerPorts>,
}

/// The ports of a peer's exposed element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PeerPorts {
    /// Its path; by custom also the channel on which it [publishes](App::publish).
    pub path: ElementPath,
    /// Its role.
    pub role: Role,
    /// The Rust type of the items that go in.
    pub input: String,
    /// The Rust type of the items that come out.
    pub output: String,
}

/// What happened to a peer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PeerChange {
    /// It is there; also for those that are when the watching begins.
    Joined(Peer),
    /// Its exposed ports or its level are others now.
    Changed(Peer),
    /// It said goodbye.
    Left(Peer),
    /// It gave no sign of life for three seconds: its process died or hangs, or it cannot reach the backend.
    Lost(Peer),
}

/// A sign of life, as it is kept.
#[derive(Serialize, Deserialize)]
struct Record {
    loops: Vec<Peer>,
    at: Option<SystemTime>,
    #[serde(default)]
    ended: bool,
}

/// Gives signs of life until it is dropped.
#[derive(Debug)]
pub(super) struct Announcement(JoinHandle<()>);

impl Drop for Announcement {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) async fn announce(app: &App) -> Result<Announcement, Error> {
    let (store, key) = (app.backend().store(), Key::from(format!("{PREFIX}{}", app.0.id)));
    show(&*store, &key, app, false).await?;
    let weak = Arc::downgrade(&app.0);
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat.reset();
    Ok(Announcement(tokio::spawn(async move {
        let mut failed = false;
        loop {
            beat.tick().await;
            let Some(app) = weak.upgrade().map(App::from_inner) else { return };
            let shown = show(&*store, &key, &app, false).await;
            if let (Err(error), false) = (&shown, failed) {
                warn!(%key, error = error as &dyn std::error::Error, "others cannot be told that this app lives");
            }
            failed = shown.is_err();
        }
    })))
}

/// Says goodbye, so that nobody takes it for a death.
pub(super) async fn leave(app: &App) {
    let (store, key) = (app.backend().store(), Key::from(format!("{PREFIX}{}", app.0.id)));
    if let Err(error) = show(&*store, &key, app, true).await {
        warn!(%key, error = &error as &dyn std::error::Error, "others could not be told that this app ends");
    }
}

async fn show(store: &dyn Store, key: &Key, app: &App, ended: bool) -> Result<(), Error> {
    let loops = app.loops().iter().map(|l| peer(&app.0.id, l)).collect();
    let record = Record { loops, at: Some(clock::now()), ended };
    let value = match serde_json::to_string(&record) {
        Ok(json) => Data::from(json),
        Err(source) => {
            return Err(Error::Encode { key: key.clone(), type_name: "Peer", source: source.into() });
        }
    };
    store.run(key, ValueCommand::Set { value, expiry: Some(LEASE) }.into()).await?.done(key)
}

fn peer(app: &str, of: &Loop) -> Peer {
    let ports = |element: AnyElement| {
        element.door()?;
        let info = element.info();
        Some(PeerPorts { path: info.path, role: info.role, input: info.input.item, output: info.output.item })
    };
    Peer {
        app: app.to_owned(),
        process: std::process::id(),
        uid: of.uid().to_owned(),
        level: of.level().uid().to_owned(),
        ports: of.elements().into_iter().filter_map(ports).collect(),
    }
}

impl Remote {
    pub(super) fn new(app: &App, loops: Pattern) -> Self {
        Self { store: app.backend().store(), loops, own: app.0.id.clone() }
    }

    /// Those that are there now, by uid.
    ///
    /// # Errors
    /// As of the store of knowledge.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn peers(&self) -> Result<Vec<Peer>, Error> {
        let (mut there, _) = self.look().await?;
        there.sort_by(|a, b| (&a.uid, &a.app).cmp(&(&b.uid, &b.app)));
        Ok(there)
    }

    /// Who is there and those who said goodbye not long ago.
    async fn look(&self) -> Result<(Vec<Peer>, Vec<Peer>), Error> {
        let pattern = Pattern::new("*").prefixed(PREFIX);
        let (mut there, mut gone) = (Vec::new(), Vec::new());
        let mut cursor = Some(Cursor::default());
        while let Some(from) = cursor {
            let page = self.store.scan(&pattern, from).await?;
            cursor = page.next;
            for key in page.keys.iter().filter(|key| key.strip_prefix(PREFIX) != Some(&*self.own)) {
                let Reply::Data(data) = self.store.run(key, ValueCommand::Get.into()).await? else {
                    continue;
                };
                // What is no sign of life is somebody else's.
                let Ok(record) = serde_json::from_slice::<Record>(&data) else { continue };
                let list = if record.ended { &mut gone } else { &mut there };
                list.extend(record.loops.into_iter().filter(|peer| self.loops.matches(&peer.uid)));
            }
        }
        Ok((there, gone))
    }

    /// What happens to them, beginning with a [`PeerChange::Joined`] for each that is there. Looks once a second.
    ///
    /// During an outage of the backend nothing is told; after it, peers have as long to give a sign of life as at any
    /// other time.
    pub fn changes(&self) -> impl Stream<Item = PeerChange> + Send + use<> {
        let state = Watch {
            remote: self.clone(),
            known: BTreeMap::new(),
            ready: VecDeque::new(),
            trusted_from: None,
            next: Instant::now(),
        };
        stream::unfold(state, |mut state| async move {
            loop {
                if let Some(change) = state.ready.pop_front() {
                    return Some((change, state));
                }
                tokio::time::sleep_until(state.next).await;
                state.next = Instant::now() + HEARTBEAT;
                state.compare().await;
            }
        })
        .boxed()
    }
}

struct Watch {
    remote: Remote,
    /// By app and uid.
    known: BTreeMap<(String, String), Peer>,
    ready: VecDeque<PeerChange>,
    /// Until then nobody is lost: their signs of life had no chance to arrive.
    trusted_from: Option<Instant>,
    next: Instant,
}

impl Watch {
    async fn compare(&mut self) {
        let (there, gone) = match self.remote.look().await {
            Ok(seen) => seen,
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "peers cannot be looked for");
                self.trusted_from = Some(Instant::now() + LEASE + HEARTBEAT);
                return;
            }
        };
        let trusted = self.trusted_from.is_none_or(|from| from <= Instant::now());
        let key = |peer: &Peer| (peer.app.clone(), peer.uid.clone());
        let mut before = std::mem::take(&mut self.known);
        for peer in there {
            match before.remove(&key(&peer)) {
                None => self.ready.push_back(PeerChange::Joined(peer.clone())),
                Some(known) if known != peer => self.ready.push_back(PeerChange::Changed(peer.clone())),
                Some(_) => {}
            }
            self.known.insert(key(&peer), peer);
        }
        for (of, peer) in before {
            // A loop that was removed from an app that lives has left, too.
            let lives = self.known.keys().any(|(app, _)| *app == peer.app);
            if lives || gone.iter().any(|other| key(other) == of) {
                self.ready.push_back(PeerChange::Left(peer));
            } else if trusted {
                self.ready.push_back(PeerChange::Lost(peer));
            } else {
                self.known.insert(of, peer);
            }
        }
    }
}
