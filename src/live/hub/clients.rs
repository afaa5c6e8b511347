//! Clients that come and go, and the jobs that they want.

use super::{Client, Hub, Known};
use crate::live::queue::Queue;
use crate::live::{Closed, Delivered, Job, Settings, Viewer, metered};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::Instant;

/// Jobs that nobody wants any more. To be dropped when no lock is held: they may end with it.
#[derive(Default)]
pub(super) struct Unwanted {
    pub(super) jobs: Vec<Job>,
    pub(super) cancelled: u64,
}

impl Hub {
    pub(in crate::live) fn enter(&self, viewer: Viewer) -> Arc<Client> {
        let Settings { client_buffer, client_bytes, when_full, .. } = self.settings;
        let mut state = self.state.lock();
        state.numbers += 1;
        let queue = Queue::new(client_buffer, client_bytes, when_full);
        let client = Arc::new(Client::new(state.numbers, viewer, queue));
        if state.is_closed {
            client.queue.close(Some(Closed::ShuttingDown));
        }
        let known = Known { client: client.clone(), statements: HashMap::new(), groups: HashMap::new() };
        state.clients.insert(client.key, known);
        state.by_id.insert(client.id.clone(), client.clone());
        self.meter.set(metered::CLIENTS, state.clients.len() as f64);
        client
    }

    pub(in crate::live) fn find(&self, id: &str) -> Option<Arc<Client>> {
        self.state.lock().by_id.get(id).cloned()
    }

    pub(in crate::live) fn leave(&self, client: &Client) {
        let mut unwanted = Unwanted::default();
        {
            let mut state = self.state.lock();
            let Some(known) = state.clients.remove(&client.key) else { return };
            state.by_id.remove(&client.id);
            let mut lost = 0;
            known.statements.values().for_each(|statement| state.strike(statement, &mut unwanted));
            for (group, statement) in &known.groups {
                state.strike(statement, &mut unwanted);
                lost += state.depart(group, client.key);
            }
            if !known.groups.is_empty() {
                self.moved.notify_one();
            }
            self.meter.set(metered::CLIENTS, state.clients.len() as f64);
            self.meter.add(metered::MISSED, lost);
        }
        self.count_cancelled(&unwanted);
        let jobs = std::mem::take(&mut *client.jobs.lock());
        for (_, running) in jobs {
            if let Some(running) = running.upgrade() {
                self.give_up(client.key, Job::from(running));
            }
        }
    }

    /// Counts jobs that were cancelled.
    pub(super) fn count_cancelled(&self, unwanted: &Unwanted) {
        if unwanted.cancelled > 0 {
            self.meter.add(metered::CANCELLED, unwanted.cancelled);
        }
    }

    /// A client no longer wants a job; one that nobody else wants is cancelled. Who is interested in the jobs of its name in
    /// particular wants it, too, for as long as that interest lasts; who is interested in anything does not.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it may end with it, which is not for when the lock is held"
    )]
    pub(in crate::live) fn give_up(&self, client: u64, job: Job) {
        // Nobody begins to share it meanwhile.
        let mut state = self.state.lock();
        if !job.running().disown(client) {
            return;
        }
        let name = job.name();
        let is_wanted = match state.topics.get(name) {
            Some(topic) => topic.audience.has_other_who_means(name, client),
            None => state.patterned.values().any(|s| s.client.key != client && s.interest.means(name)),
        };
        if !is_wanted {
            self.meter.add(metered::CANCELLED, 1);
            job.cancel();
            return;
        }
        self.topic(&mut state, name);
        if let Some(topic) = state.topics.get_mut(name) {
            topic.unowned.retain(|(running, _)| running.strong_count() > 0);
            topic.unowned.push((Arc::downgrade(job.running()), client));
        }
    }

    /// Lets a client have a job that is under way, too: it gets the parts so far, but for those that it has by its interests,
    /// and then the rest. `false` if nobody wants the job any more, or not all of its parts are known.
    pub(in crate::live) fn share(&self, client: &Arc<Client>, job: &Job) -> bool {
        let state = self.state.lock();
        let Some(record) = job.recorded() else { return false };
        let record = record.lock();
        let Some(parts) = record.parts().filter(|_| !job.is_cancelled()) else { return false };
        if job.own(client.clone()) {
            let now = Instant::now();
            let known = state.clients.get(&client.key);
            let sees = |part: &Delivered| self.security.may_see(&client.viewer, part);
            let has = |part: &Delivered| {
                known.is_some_and(|known| known.was_handed(part, now, self.settings.steps)) && sees(part)
            };
            let wanted = parts.iter().filter(|part| (part.error().is_some() || sees(part)) && !has(part));
            let (mut handed, mut lost) = (0, 0);
            for part in wanted {
                handed += 1;
                lost += client.queue.push(part).0;
            }
            self.meter.add(metered::HANDED, handed);
            self.meter.add(metered::MISSED, lost);
        }
        true
    }

    /// Closes all clients behind what waits for them, and those that come.
    pub(in crate::live) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.clients.values().for_each(|known| known.client.queue.close(Some(Closed::ShuttingDown)));
    }
}

impl Known {
    /// Whether an interest of it has got a part that was published before.
    fn was_handed(&self, part: &Delivered, now: Instant, steps: u64) -> bool {
        let Some(offset) = part.offset() else { return false };
        let mut stated = self.statements.values().chain(self.groups.values());
        stated.any(|statement| {
            *statement.from.lock() < offset && statement.holds_at(now) && statement.wants(part, steps)
        })
    }
}
