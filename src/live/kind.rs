//! What does jobs of a name.

use super::pipeline::{Jobs, Station};
use super::{Job, Part};
use crate::element::site::Site;
use crate::element::{AnyElement, Element, Item};
use futures::StreamExt;
use std::sync::{Arc, Weak};
use tokio::sync::mpsc;

/// What does jobs of a name.
pub(super) struct Kind {
    pub(super) element: AnyElement,
    /// To the task that hands them over. At most as many jobs are in it as may be under way.
    pub(super) jobs: mpsc::UnboundedSender<Jobs>,
}

/// What an element takes that does jobs: one, or a list.
pub(super) trait Work: Item {
    /// As the element takes them.
    fn of(jobs: Jobs) -> impl Iterator<Item = Self> + Send;
    fn jobs(&self) -> &[Job];
}

impl Work for Job {
    fn of(jobs: Jobs) -> impl Iterator<Item = Self> + Send {
        jobs.into_iter()
    }

    fn jobs(&self) -> &[Job] {
        std::slice::from_ref(self)
    }
}

impl Work for Vec<Job> {
    fn of(jobs: Jobs) -> impl Iterator<Item = Self> + Send {
        std::iter::once(jobs.into_vec()).filter(|jobs| !jobs.is_empty())
    }

    fn jobs(&self) -> &[Job] {
        self
    }
}

/// What has a job in hand.
pub(super) struct Doer {
    element: Weak<Site>,
    station: Weak<Station>,
}

impl Doer {
    /// Whether it works no more.
    pub(super) fn is_over(&self) -> bool {
        self.element.upgrade().is_none_or(|element| !element.state().is_active())
    }

    /// Where parts go from there.
    pub(super) fn station(&self) -> Option<Arc<Station>> {
        self.station.upgrade()
    }
}

/// Hands jobs over to an element as it takes them.
pub(super) async fn hand_over<W: Work>(
    mut waiting: mpsc::UnboundedReceiver<Jobs>,
    element: Element<W, Part>,
    station: Weak<Station>,
) {
    while let Some(mut jobs) = waiting.recv().await {
        jobs.retain(|job| !job.is_cancelled());
        for job in &jobs {
            job.given_to(Doer { element: Arc::downgrade(element.any().site()), station: station.clone() });
        }
        for work in W::of(jobs) {
            if let Err(error) = element.push(work).await {
                let reason = error.to_string();
                fail(&error.into_item(), &reason, &station);
            }
        }
    }
}

/// A part for each job that an element fails on.
pub(super) async fn tell_of_failures<W: Work>(element: AnyElement, station: Weak<Station>) {
    let mut letters = element.dead_letters();
    drop(element);
    while let Some(letter) = letters.next().await {
        if let Some(work) = letter.input::<W>() {
            let reason = letter.error.kind.to_string();
            drop(letter);
            fail(&work, &reason, &station);
        }
    }
}

fn fail<W: Work>(work: &W, reason: &str, station: &Weak<Station>) {
    let Some(station) = station.upgrade() else { return };
    for part in work.jobs().iter().filter_map(|job| job.fail(reason)) {
        station.send(part);
    }
}
