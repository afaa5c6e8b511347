//! Jobs that other nodes do for this one, and those that this one does for others.

use super::metered;
use super::node::Node;
use super::outgoing::{Own, UnderWay};
use super::wire::{Field, LARGEST, What};
use crate::live::client::Inner as Client;
use crate::live::job::Running;
use crate::live::live::Shared;
use crate::live::{Body, Job, JobId};
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use tokio::time::Instant;

/// Why a job ends whose node is gone.
const GONE: &str = "the process that did it is gone";

/// Jobs that other nodes do for this one, and those that this one does for others.
#[derive(Default)]
pub(super) struct Jobs {
    /// Each is held here until the node that does it says that it has ended.
    sent: Mutex<HashMap<JobId, Sent>>,
    taken: Mutex<HashMap<JobId, Taken>>,
}

struct Sent {
    to: Arc<str>,
    job: Job,
}

struct Taken {
    from: Arc<str>,
    running: Weak<Running>,
}

impl Jobs {
    /// Those who asked for a job of which a node has sent a part.
    pub(super) fn owners(&self, from: &str, job: JobId, nr: u64) -> Option<Vec<Arc<Client>>> {
        let sent = self.sent.lock();
        let Sent { job, .. } = sent.get(&job).filter(|sent| *sent.to == *from)?;
        job.has_part(nr);
        Some(job.owners())
    }

    /// A job that a node says has ended.
    pub(super) fn ended(&self, from: &str, job: JobId) -> Option<Job> {
        let mut sent = self.sent.lock();
        if sent.get(&job).is_some_and(|sent| *sent.to == *from) { Some(sent.remove(&job)?.job) } else { None }
    }

    /// Whether it is done for another node.
    pub(super) fn is_taken(&self, job: JobId) -> bool {
        self.taken.lock().contains_key(&job)
    }
}

impl Node {
    /// Gives a job to another node.
    ///
    /// # Errors
    /// Its input is too large.
    pub(in crate::live) fn send_job(self: &Arc<Self>, to: &Arc<str>, job: Job) -> Result<(), Job> {
        let input = job.input().to_string();
        if input.len() > LARGEST {
            return Err(job);
        }
        let (node, peer, id) = (Arc::downgrade(self), to.clone(), job.id());
        job.when_cancelled(move || {
            if let Some(node) = node.upgrade() {
                // Nothing gives way for it.
                let _none = node.outgoing.put(|_| What::Cancel { to: peer, job: id });
            }
        });
        self.jobs.sent.lock().insert(id, Sent { to: to.clone(), job: job.clone() });
        self.meter.add(metered::SENT, 1);
        // A job that the queue holds would not end: it has what there is to say of it.
        let asked = Job::of(id, job.name().clone(), job.input().clone(), job.asked_by().clone());
        let _none = self.outgoing.put(|_| What::Ask { to: to.clone(), job: asked, input });
        if !self.peers.is_there(to) {
            // It was missed meanwhile, and the jobs that it had have ended already.
            self.end_job(id, GONE);
        }
        Ok(())
    }

    /// The node for which a job is done wants it no more.
    pub(super) fn cancel_taken(&self, job: JobId) {
        let running = self.jobs.taken.lock().get(&job).and_then(|taken| taken.running.upgrade());
        if let Some(running) = running {
            let job = Job::from(running);
            job.set_for_other(false);
            self.hub.give_up(u64::MAX, job);
        }
    }

    /// Ends the jobs that a node does for this one, whose parts and ends can't be relied on.
    pub(super) fn end_jobs_at(&self, peer: &str, why: &str) {
        let ended: Vec<_> = {
            let mut sent = self.jobs.sent.lock();
            sent.extract_if(|_, sent| *sent.to == *peer).collect()
        };
        self.meter.add(metered::ABANDONED, ended.len() as u64);
        for (_, sent) in ended {
            self.abandon(sent, why);
        }
    }

    /// Ends a job that another node was to do.
    fn end_job(&self, job: JobId, why: &str) {
        let sent = self.jobs.sent.lock().remove(&job);
        if let Some(sent) = sent {
            self.meter.add(metered::ABANDONED, 1);
            self.abandon(sent, why);
        }
    }

    fn abandon(&self, sent: Sent, why: &str) {
        let Sent { to, job } = sent;
        let id = job.id();
        let told = job.fail(why);
        self.hub.serve(told.as_slice());
        drop((told, job));
        let _none = self.outgoing.put(|_| What::Cancel { to, job: id });
    }

    /// What this node has said, and the log has lost: parts reach its own clients alone, jobs end, all else is said again.
    pub(super) fn lost_on_the_way(&self, lost: Vec<UnderWay>) {
        let mut owns = Vec::new();
        for one in lost {
            match one {
                UnderWay::Part(own) => owns.push(own),
                UnderWay::Ask(job) => self.end_job(job, "it was lost on its way to another process"),
                UnderWay::Again(what) => {
                    let _none = self.outgoing.put(|_| what);
                }
            }
        }
        self.only_here(owns);
    }

    /// Something that another node has said was lost on its way here: parts or ends of jobs that it does for this one, or
    /// what it asked for or took back.
    pub(super) fn missed_of(&self, peer: &Arc<str>) {
        self.end_jobs_at(peer, "parts of it were lost on their way from another process");
        // It says why its jobs end before it reads that they have.
        let _none = self.outgoing.put(|_| What::Missed { from: peer.clone() });
        self.cancel_taken_from(peer);
    }

    fn cancel_taken_from(&self, peer: &str) {
        let taken = self.jobs.taken.lock();
        let unwanted: Vec<_> =
            taken.iter().filter(|(_, taken)| *taken.from == *peer).map(|(job, _)| *job).collect();
        drop(taken);
        for job in unwanted {
            self.cancel_taken(job);
        }
    }

    /// A node is gone: what it did has ended, and nobody there wants anything.
    pub(super) fn lost(&self, peer: &str) {
        self.end_jobs_at(peer, GONE);
        self.cancel_taken_from(peer);
        self.hub.present_elsewhere(&peer.into(), super::Groups::new());
    }

    /// Tells another node what is wrong with its job.
    fn refuse(&self, job: &Job, error: &dyn std::fmt::Display) {
        let error = error.to_string();
        let own = Own {
            name: job.name().clone(),
            job: Some(job.id()),
            nr: 0,
            body: Body::Error(error.as_str().into()),
            have: Vec::new(),
            at: Instant::now(),
        };
        let json = Value::from(error).to_string();
        self.only_here(self.outgoing.put(|_| What::Part { own, field: Field::Error, json }));
    }
}

/// Does a job for another node.
pub(super) fn take(live: &Shared, node: &Arc<Node>, from: &Arc<str>, job: &Job) {
    let id = job.id();
    {
        let mut all = node.jobs.taken.lock();
        if all.contains_key(&id) {
            return;
        }
        all.insert(id, Taken { from: from.clone(), running: Arc::downgrade(job.running()) });
    }
    node.meter.add(metered::TAKEN, 1);
    job.set_for_other(true);
    // Let go of behind its last part.
    job.hold(TellEnd { node: node.clone(), job: id });
    if let Err(error) = live.begin(job) {
        node.refuse(job, &error);
    }
}

/// Says that a job has ended, when it has.
struct TellEnd {
    node: Arc<Node>,
    job: JobId,
}

impl Drop for TellEnd {
    fn drop(&mut self) {
        let job = self.job;
        self.node.jobs.taken.lock().remove(&job);
        let _none = self.node.outgoing.put(|_| What::End { job });
    }
}
