//! Jobs that other nodes do for this one, and those that this one does for others.

use super::metered;
use super::node::Node;
use super::outgoing::Own;
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
    pub(in crate::live) fn send_job(self: &Arc<Self>, to: Arc<str>, job: Job) -> Result<(), Job> {
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
        let _none = self.outgoing.put(|_| What::Ask { to, job: asked, input });
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
        for (id, Sent { to, job }) in ended {
            let told = job.fail(why);
            self.hub.serve(told.as_slice());
            let _none = self.outgoing.put(|_| What::Cancel { to, job: id });
        }
    }

    /// A node is gone: what it did has ended, and nobody there wants anything.
    pub(super) fn lost(&self, peer: &str) {
        self.end_jobs_at(peer, "the process that did it is gone");
        let taken = self.jobs.taken.lock();
        let unwanted: Vec<_> =
            taken.iter().filter(|(_, taken)| *taken.from == *peer).map(|(job, _)| *job).collect();
        drop(taken);
        for job in unwanted {
            self.cancel_taken(job);
        }
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
