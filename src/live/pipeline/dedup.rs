//! Equal jobs that are under way.

use super::cache::Recorded;
use super::chain::Group;
use crate::live::Job;
use crate::live::hub::Hub;
use crate::live::job::Running;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// What makes jobs equal.
pub(super) type Key = (Group, Arc<str>, Arc<Value>);

/// Jobs that are under way, to be shared by who asks for the same.
pub(super) struct Shared {
    hub: Arc<Hub>,
    jobs: Mutex<HashMap<Key, Weak<Running>>>,
    recorded: Arc<Recorded>,
}

/// Takes a job from the list when it ends.
struct Entry {
    shared: Weak<Shared>,
    key: Key,
}

impl Shared {
    pub(super) fn new(hub: &Arc<Hub>) -> Arc<Self> {
        Arc::new(Self { hub: hub.clone(), jobs: Mutex::default(), recorded: Arc::default() })
    }

    /// The job that who asked for this one shares from now on; `None` if it is the first. What is in `gone` has to be
    /// dropped by the caller, when it holds no lock.
    pub(super) fn join(self: &Arc<Self>, job: &Job, group: &Group, gone: &mut Vec<Job>) -> Option<Job> {
        let key = (group.clone(), job.name().clone(), job.input().clone());
        let mut jobs = self.jobs.lock();
        let running = jobs.get(&key).and_then(Weak::upgrade);
        if let Some(running) = running {
            let existing = Job::from(running);
            let owners = job.owners();
            // Who asked at another node follows its own job.
            if !owners.is_empty() && owners.iter().all(|client| self.hub.share(client, &existing)) {
                return Some(existing);
            }
            gone.push(existing);
        }
        job.record(self.hub.settings(), &self.recorded);
        jobs.insert(key.clone(), Arc::downgrade(job.running()));
        drop(jobs);
        job.hold(Entry { shared: Arc::downgrade(self), key });
        None
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut jobs = shared.jobs.lock();
        // Another may be in its place by now.
        if jobs.get(&self.key).is_some_and(|running| running.strong_count() == 0) {
            jobs.remove(&self.key);
        }
    }
}
