//! Where jobs and parts go through the pipelines that are in force.

use super::chain::Out;
use super::gate::Gate;
use super::jobs::{Lot, Own};
use super::side::{Named, Side};
use super::{InvalidPipelines, Pipelines};
use crate::live::hub::Hub;
use crate::live::outlet::Outlet;
use crate::live::{Error, Job, Part};
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use tokio::sync::Notify;

/// Where jobs and parts go through the pipelines that are in force.
///
/// Locks are taken in this order: the swap, the jobs, the results, the hub. A job, whose end reaches all over the place, is
/// never let go of under one.
pub(in crate::live) struct Station {
    hub: Arc<Hub>,
    outlet: Outlet,
    jobs: Side<Lot>,
    results: Side<Part>,
    /// Something is due sooner than expected.
    sooner: Notify,
    declared: Mutex<Declared>,
}

/// What is in force, and what was before.
struct Declared {
    now: Arc<Pipelines>,
    before: Option<Arc<Pipelines>>,
    /// Of pipelines that are no more, too: jobs may still wait there.
    gates: Vec<Weak<Gate>>,
}

impl Named for Part {
    fn name(&self) -> &Arc<str> {
        self.name()
    }
}

impl Station {
    pub(in crate::live) fn new(hub: Arc<Hub>, outlet: Outlet) -> Self {
        let declared = Declared { now: Arc::default(), before: None, gates: Vec::new() };
        Self {
            hub,
            outlet,
            jobs: Side::new(),
            results: Side::new(),
            sooner: Notify::new(),
            declared: Mutex::new(declared),
        }
    }

    /// Does what is due, for ever.
    pub(in crate::live) async fn run(&self) {
        loop {
            let (jobs, next_job) = self.jobs.advance(start);
            self.finish(jobs);
            let (parts, next_part) = self.results.advance(|out| self.hand_out(out));
            drop(parts);
            match [next_job, next_part].into_iter().flatten().min() {
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = self.sooner.notified() => {}
                },
                None => self.sooner.notified().await,
            }
        }
    }

    // --- jobs ----------------------------------------------------------------------------------------------------

    /// Has a job done; the one that takes its place, if it shares another.
    ///
    /// # Errors
    /// What does it is no more.
    pub(in crate::live) fn ask(&self, name: &str, lot: Lot) -> Result<Option<Job>, Error> {
        if !self.jobs.is_active() {
            return lot.start().map(|()| None).map_err(|_| Error::Gone);
        }
        let out = self.jobs.offer(name, lot, &self.sooner, start);
        Ok(self.finish(out))
    }

    /// Does what had to wait until no lock is held.
    fn finish(&self, out: Out<Lot>) -> Option<Job> {
        let Out { through, left, gone, more } = out;
        for (gate, group) in more.entered {
            gate.turn(&group);
        }
        for (job, parts) in more.answered {
            let parts = parts.iter().map(|part| job.again(part.body()));
            self.outlet.deliver(parts.collect());
        }
        for (lot, reason) in left {
            let parts = lot.jobs().iter().filter_map(|job| job.fail(format_args!("left out: {reason}")));
            parts.for_each(|part| self.send(part));
        }
        drop((through, gone, more.gone));
        more.shared
    }

    /// Lets go of jobs that wait for a place though nobody wants them any more.
    pub(in crate::live) fn forget_cancelled(&self) {
        let before: Vec<_> = self.declared.lock().gates.iter().filter_map(Weak::upgrade).collect();
        for gate in self.gates().iter().chain(&before) {
            drop(gate.take_cancelled());
        }
        drop(self.jobs.take_unwanted());
    }

    fn gates(&self) -> Vec<Arc<Gate>> {
        let mut gates = Vec::new();
        self.jobs.each_own(|own| {
            if let Own::Gate(gate) = own {
                gates.push(gate.clone());
            }
        });
        gates
    }

    // --- parts ---------------------------------------------------------------------------------------------------

    /// Lets parts go their way to clients, unless there is no room for them: then those that are left stay in the list.
    pub(in crate::live) fn poll_send(&self, parts: &mut Vec<Part>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.outlet.poll_room(cx));
        if !self.results.is_active() {
            self.outlet.deliver(std::mem::take(parts));
            return Poll::Ready(());
        }
        let most = self.hub.settings().held;
        let (out, polled) = self.results.poll_offer(parts, most, cx, &self.sooner, |out| self.hand_out(out));
        drop(out);
        polled
    }

    /// The same with one that comes from outside.
    pub(in crate::live) fn publish(&self, part: Part) -> Result<(), Error> {
        let limit = self.hub.settings().held;
        if self.results.is_active() && !self.results.has_room(part.name(), limit) {
            return Err(Error::Full { name: part.name().to_string(), limit });
        }
        self.send(part);
        Ok(())
    }

    /// The same with one that can't wait, such as what a job has failed on.
    pub(in crate::live) fn send(&self, part: Part) {
        if !self.results.is_active() {
            self.outlet.deliver(vec![part]);
            return;
        }
        let name = part.name().clone();
        let out = self.results.offer(&name, part, &self.sooner, |out| self.hand_out(out));
        drop(out);
    }

    /// In the order in which they come through, so under the lock; the jobs of the parts may end when it is released.
    fn hand_out(&self, out: &mut Out<Part>) {
        self.outlet.hand_out(&out.through);
    }

    // --- declarations --------------------------------------------------------------------------------------------

    pub(in crate::live) fn declared(&self) -> Arc<Pipelines> {
        self.declared.lock().now.clone()
    }

    pub(in crate::live) fn set(&self, pipelines: Pipelines) -> Result<(), InvalidPipelines> {
        pipelines.check()?;
        let mut declared = self.declared.lock();
        let pipelines = Arc::new(pipelines);
        let before = std::mem::replace(&mut declared.now, pipelines.clone());
        declared.before = Some(before);
        let ended = self.put_in_force(&pipelines, &mut declared.gates);
        drop(declared);
        self.finish_swap(ended);
        Ok(())
    }

    /// Puts what was in force before in force again; what that is.
    pub(in crate::live) fn roll_back(&self) -> Result<Arc<Pipelines>, Error> {
        let mut declared = self.declared.lock();
        let before = declared.before.take().ok_or(Error::NothingBefore)?;
        let after = std::mem::replace(&mut declared.now, before.clone());
        declared.before = Some(after);
        let ended = self.put_in_force(&before, &mut declared.gates);
        drop(declared);
        self.finish_swap(ended);
        Ok(before)
    }

    fn put_in_force(&self, pipelines: &Pipelines, gates: &mut Vec<Weak<Gate>>) -> (Out<Lot>, Out<Part>) {
        gates.extend(self.gates().iter().map(Arc::downgrade));
        gates.sort_by_key(Weak::as_ptr);
        gates.dedup_by_key(|gate| gate.as_ptr());
        let jobs = self.jobs.replace(&pipelines.jobs, false, &self.hub, &self.sooner, start);
        // Parts of a job may go another way from now on, and must not overtake those before.
        let hand_out = |out: &mut Out<Part>| self.hand_out(out);
        let parts = self.results.replace(&pipelines.results, true, &self.hub, &self.sooner, hand_out);
        gates.retain(|gate| gate.strong_count() > 0);
        (jobs, parts)
    }

    fn finish_swap(&self, (jobs, parts): (Out<Lot>, Out<Part>)) {
        self.finish(jobs);
        drop(parts);
    }
}

/// Hands jobs over to what does them. What nobody does any more is ended later.
fn start(out: &mut Out<Lot>) {
    for lot in std::mem::take(&mut out.through) {
        if let Err(jobs) = lot.start() {
            out.more.gone.extend(jobs);
        }
    }
}
