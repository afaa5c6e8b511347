//! What the log of all nodes brings.

use super::node::Node;
use super::publishing::pause;
use super::pulls::Wanted;
use super::wire::{self, Read, Told};
use super::{jobs, metered};
use crate::event::{Entry, Error, EventId};
use crate::live::hub::Arrived;
use crate::live::live::Shared;
use crate::live::{Job, Position};
use futures::StreamExt;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use tokio::time::sleep;
use tracing::{debug, warn};

/// How many entries are handed on at a time.
const AT_ONCE: usize = 256;
/// Of how many nodes it is known how far they are.
const NODES: usize = 4096;
/// More than so many can't be missing.
const MOST_MISSING: u64 = 1 << 32;

/// Reads the log, for ever: first what was there before, for whoever comes back, and then all that comes.
pub(in crate::live) async fn follow(node: Arc<Node>, live: Weak<Shared>) {
    let begun = node.begin().await;
    let mut following = Following { live, node, came: begun.came, at: begun.floor, last: HashMap::new() };
    loop {
        let mut entries = Box::pin(following.node.log.follow(following.at).ready_chunks(AT_ONCE));
        while let Some(brought) = entries.next().await {
            following.take_in(brought);
        }
        // Its last item was an error, which a retry does not mend by itself.
        sleep(pause(10)).await;
    }
}

/// Where a node begins.
struct Begun {
    /// What is behind this is in the log.
    floor: EventId,
    /// Where it said that it has come.
    came: EventId,
}

impl Node {
    async fn begin(&self) -> Begun {
        let mut failures = 0;
        loop {
            match self.try_to_begin().await {
                Ok(begun) => return begun,
                Err(error) => {
                    if failures == 0 {
                        warn!(error = &*error, "a node can't read what others share; it is tried again");
                    }
                    sleep(pause(failures)).await;
                    failures += 1;
                }
            }
        }
    }

    async fn try_to_begin(&self) -> Result<Begun, crate::element::BoxError> {
        let epoch = self.epoch().await?;
        let came = self.log.append(wire::hello(&self.id)).await?;
        let first = self.log.range(EventId::MIN, came, 1).await?;
        // Of what was before the first that is there nothing is known.
        let floor = first.first().map_or(came, |entry| entry.id).previous();
        self.hub.begin(&Position { epoch: epoch.into(), offset: floor });
        Ok(Begun { floor, came })
    }
}

struct Following {
    node: Arc<Node>,
    live: Weak<Shared>,
    came: EventId,
    at: EventId,
    /// The last number of each node.
    last: HashMap<Arc<str>, u64>,
}

/// What a number says.
enum Number {
    Next,
    Doubled,
    /// So many before it are missing.
    Behind(u64),
    Impossible,
}

impl Following {
    fn take_in(&mut self, brought: Vec<Result<Entry, Error>>) {
        let mut arrived = Vec::with_capacity(brought.len());
        for entry in brought {
            match entry {
                Ok(entry) => {
                    self.at = entry.id;
                    self.take_in_one(&entry, &mut arrived);
                    if entry.id == self.came {
                        self.hand_out(&mut arrived);
                        self.begun();
                    }
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    warn!(error, "what other nodes share can't be read; it is tried again");
                }
            }
        }
        self.hand_out(&mut arrived);
        if self.at >= self.came && !*self.node.is_ready.borrow() {
            // What it said itself was trimmed meanwhile.
            self.begun();
        }
    }

    fn begun(&self) {
        self.node.hub.begun();
        self.node.is_ready.send_replace(true);
    }

    fn hand_out(&self, arrived: &mut Vec<Arrived>) {
        self.node.hub.arrive(std::mem::take(arrived));
    }

    fn take_in_one(&mut self, entry: &Entry, arrived: &mut Vec<Arrived>) {
        let malformed = |why: &str| {
            self.node.meter.add(metered::MALFORMED, 1);
            debug!(id = %entry.id, why, "an entry of the log of parts can't be read");
        };
        let Ok(event) = &entry.event else { return malformed("it is no event") };
        if let Some(node) = wire::is_hello(event) {
            // All that it publishes comes behind this.
            self.heard(&node, |last| last.unwrap_or(0));
            self.node.peers.look.notify_one();
            return;
        }
        let Some(read) = Read::of(event) else {
            return malformed("it has no node or number, or is too large");
        };
        let is_own = *read.node == *self.node.id;
        match number(self.last.get(&read.node).copied(), read.seq) {
            Number::Next => {}
            Number::Doubled => {
                self.node.meter.add(metered::DOUBLED, 1);
                return;
            }
            Number::Behind(_) if is_own => {}
            Number::Behind(missing) => {
                self.hand_out(arrived);
                let is_old = entry.id <= self.came;
                self.node.meter.add(metered::LOST, missing);
                self.node.hub.lost(missing, entry.id, is_old);
                if !is_old {
                    self.node.missed_of(&read.node);
                }
            }
            Number::Impossible => return malformed("its number can't be"),
        }
        self.heard(&read.node, |_| read.seq);
        if is_own {
            self.take_in_own(read.seq, entry.id, arrived);
            return;
        }
        self.node.meter.add(metered::BROUGHT, 1);
        let Some(told) = read.told(entry.id) else {
            return self.node.meter.add(metered::MALFORMED, 1);
        };
        self.take_in_told(&read.node, read.seq, entry.id, told, arrived);
    }

    /// Remembers how far a node is.
    fn heard(&mut self, node: &Arc<str>, far: impl FnOnce(Option<u64>) -> u64) {
        if self.last.len() >= NODES && !self.last.contains_key(node) {
            // Those that are gone say no more.
            let Self { last, node: this, .. } = self;
            last.retain(|other, _| *other == this.id || this.peers.is_there(other));
            if last.len() >= NODES {
                // More than there can be: their next numbers are believed.
                last.retain(|other, _| *other == this.id);
            }
        }
        let last = far(self.last.get(node).copied());
        self.last.insert(node.clone(), last);
    }

    /// What this node has published itself, which is known already.
    fn take_in_own(&self, seq: u64, at: EventId, arrived: &mut Vec<Arrived>) {
        let (lost, own) = self.node.outgoing.brought(seq);
        if !lost.is_empty() {
            self.hand_out(arrived);
            self.node.lost_on_the_way(lost);
        }
        if self.node.is_behind_unshared(seq) {
            self.hand_out(arrived);
            self.node.hub.forget_up_to(at);
        }
        if let Some(own) = own {
            self.node.meter.record(own.at.elapsed());
            arrived.push(own.arrived(Some(at)));
        }
        self.node.outgoing.less.notify_waiters();
    }

    fn take_in_told(&self, from: &Arc<str>, seq: u64, at: EventId, told: Told, arrived: &mut Vec<Arrived>) {
        let node = &self.node;
        let is_old = at <= self.came;
        match told {
            Told::Part(part) => {
                let owners =
                    part.job.and_then(|job| node.jobs.owners(from, job, part.nr)).unwrap_or_default();
                arrived.push(Arrived { part, owners, have: Vec::new(), is_old });
            }
            Told::Values { name, job, nr, values } => {
                self.hand_out(arrived);
                let to = node.hub.interested_in(&name, values.as_ref(), at, is_old);
                if !to.is_empty() {
                    node.want(from, Wanted { seq, name, job, nr, offset: at, to });
                }
            }
            _ if is_old => {}
            Told::Ask { to, name, job, input, viewer } if *to == *node.id => {
                self.hand_out(arrived);
                let job = Job::of(job, name, Arc::new(input), viewer);
                if let Some(live) = self.live.upgrade() {
                    jobs::take(&live, node, from, &job);
                }
            }
            Told::Cancel { to, job } if *to == *node.id => node.cancel_taken(job),
            Told::End { job } => {
                self.hand_out(arrived);
                // With it the job ends.
                drop(node.jobs.ended(from, job));
            }
            Told::Missed { to } if *to == *node.id => {
                node.end_jobs_at(from, "it may have been lost on its way to another process");
            }
            Told::Ask { .. } | Told::Cancel { .. } | Told::Missed { .. } => {}
        }
    }
}

fn number(last: Option<u64>, seq: u64) -> Number {
    match last {
        None => Number::Next,
        Some(last) if seq <= last => Number::Doubled,
        Some(last) => match seq - last - 1 {
            0 => Number::Next,
            missing if missing < MOST_MISSING => Number::Behind(missing),
            _ => Number::Impossible,
        },
    }
}
