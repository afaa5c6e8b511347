//! Jobs on their way to what does them.

use super::cache::Cache;
use super::chain::{Group, Kin, Out, Site, Unit};
use super::dedup::{Key, Shared};
use super::gate::Gate;
use super::validate::By;
use super::{Stage, metered};
use crate::live::hub::Hub;
use crate::live::{Delivered, Job};
use crate::stream::meter::Meter;
use serde_json::Value;
use smallvec::SmallVec;
use std::any::Any;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Jobs that go together.
pub(in crate::live) type Jobs = SmallVec<[Job; 1]>;

/// Jobs of one name, which go together, with what does them.
pub(in crate::live) struct Lot {
    jobs: Jobs,
    to: mpsc::UnboundedSender<Jobs>,
}

/// What only jobs go through.
pub(super) enum Own {
    Dedup(Arc<Shared>, Arc<Meter>),
    Cache { cache: Arc<Cache>, hub: Arc<Hub>, meter: Arc<Meter> },
    Gate(Arc<Gate>),
}

/// What has become of jobs besides.
#[derive(Default)]
pub(super) struct More {
    /// In place of the one that was asked for.
    pub(super) shared: Option<Job>,
    /// Jobs that are answered by known parts.
    pub(super) answered: Vec<(Job, Arc<[Arc<Delivered>]>)>,
    /// Gates at which some wait.
    pub(super) entered: Vec<(Arc<Gate>, Group)>,
    pub(super) gone: Vec<Job>,
}

impl Lot {
    pub(in crate::live) fn new(job: Job, to: mpsc::UnboundedSender<Jobs>) -> Self {
        Self { jobs: SmallVec::from([job]), to }
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Lets each keep something until it ends.
    pub(super) fn hold<T: Any + Send + Sync>(&self, what: &Arc<T>) {
        self.jobs.iter().for_each(|job| job.hold(what.clone()));
    }

    /// Hands them over to what does them; gives them back if that is no more.
    pub(in crate::live) fn start(self) -> Result<(), Jobs> {
        self.to.send(self.jobs).map_err(|refused| refused.0)
    }
}

impl Unit for Lot {
    type Own = Own;
    type More = More;
    const WHAT: &'static str = "jobs";

    fn group(&self, by: &By) -> Group {
        let job = self.jobs.first()?;
        Some(match by {
            By::Source => match &job.asked_by().name {
                Some(name) => name.clone(),
                // Nobody has a name: each client is a source.
                None => job.owners().first()?.id.clone(),
            },
            By::Name | By::Job => job.name().clone(),
            By::Path(path) => path.find(job.input())?.to_string().into(),
        })
    }

    fn kin(&self) -> Kin {
        (None, self.jobs.first().map_or_else(|| "".into(), |job| job.name().clone()))
    }

    fn data(&self) -> Option<&Value> {
        self.jobs.first().map(|job| &**job.input())
    }

    fn part_unwanted(self) -> (Option<Self>, Option<Self>) {
        if !self.jobs.iter().any(Job::is_cancelled) {
            return (Some(self), None);
        }
        let to = self.to.clone();
        let (unwanted, wanted): (Jobs, Jobs) = self.jobs.into_iter().partition(Job::is_cancelled);
        let lot = |jobs: Jobs, to| (!jobs.is_empty()).then_some(Self { jobs, to });
        (lot(wanted, self.to), lot(unwanted, to))
    }

    fn join(mut self, others: impl Iterator<Item = Self>) -> Self {
        others.for_each(|lot| self.jobs.extend(lot.jobs));
        self
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn own(stage: &Stage, before: Option<&Own>, site: &Site<'_>) -> Option<Own> {
        Some(match (stage, before) {
            (Stage::Dedup, Some(Own::Dedup(shared, meter))) => Own::Dedup(shared.clone(), meter.clone()),
            (Stage::Dedup, _) => Own::Dedup(Shared::new(site.hub), site.meter.clone()),
            (Stage::Cache { lasting, most }, before) => {
                let cache = match before {
                    Some(Own::Cache { cache, .. }) => {
                        cache.set(*lasting, *most);
                        cache.clone()
                    }
                    _ => Cache::new(*lasting, *most),
                };
                Own::Cache { cache, hub: site.hub.clone(), meter: site.meter.clone() }
            }
            (Stage::Parallel(_) | Stage::InOrder, before) => {
                let places = if let Stage::Parallel(places) = stage { *places } else { 1 };
                match before {
                    Some(Own::Gate(gate)) => {
                        gate.set_places(places);
                        Own::Gate(gate.clone())
                    }
                    _ => Own::Gate(Gate::new(places, site.meter)),
                }
            }
            _ => return None,
        })
    }

    fn pass(own: &mut Own, item: Self, group: &Group, out: &mut Out<Self>) -> Option<Self> {
        match own {
            Own::Gate(gate) => {
                // In the order in which they come here, so under the lock.
                gate.enter(item, group);
                out.more.entered.push((gate.clone(), group.clone()));
                None
            }
            // These stand where each comes by itself.
            Own::Dedup(shared, meter) => {
                let job = item.jobs.first()?;
                let Some(shared) = shared.join(job, group, &mut out.more.gone) else { return Some(item) };
                meter.add(metered::SHARED, 1);
                // Who asked is told of the end of the other.
                for client in job.owners() {
                    job.running().disown(client.key);
                }
                out.more.shared = Some(shared);
                out.more.gone.extend(item.jobs);
                None
            }
            Own::Cache { cache, hub, meter } => {
                let job = item.jobs.first()?;
                let key: Key = (group.clone(), job.name().clone(), job.input().clone());
                let Some(parts) = cache.find(&key, Instant::now()) else {
                    let record = job.record(hub.settings(), cache.recorded());
                    record.lock().keep_in(cache.clone(), key);
                    return Some(item);
                };
                meter.add(metered::CACHED, 1);
                out.more.answered.extend(item.jobs.into_iter().map(|job| (job, parts.clone())));
                None
            }
        }
    }
}
