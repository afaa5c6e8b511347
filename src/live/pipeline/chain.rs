//! A pipeline at work: stages one after the other, without a task of its own.

use super::batch::Batch;
use super::debounce::Debounce;
use super::metered;
use super::rate_limit::RateLimit;
use super::validate::By;
use super::{Pipeline, Stage};
use crate::channel::Pattern;
use crate::condition::Condition;
use crate::live::JobId;
use crate::stream::meter::Meter;
use serde_json::Value;
use std::sync::Arc;
use tokio::time::Instant;

/// What makes a group; `None` if there are no groups.
pub(super) type Group = Option<Arc<str>>;
/// What can be one batch, or give way to one another: of one job, or of one name.
pub(super) type Kin = (Option<JobId>, Arc<str>);
/// Items with their groups, on their way from stage to stage.
pub(super) type Going<T> = Vec<(T, Group)>;

/// What goes through a pipeline.
pub(super) trait Unit: Sized {
    /// Stages that only these have.
    type Own;
    /// What comes of them.
    type More: Default;
    /// What the meter calls them.
    const WHAT: &'static str;

    fn group(&self, by: &By) -> Group;
    fn kin(&self) -> Kin;
    /// What a condition judges; `None` if it is an error, which is not left out.
    fn data(&self) -> Option<&Value>;
    /// What of it somebody wants, and what nobody does any more.
    fn part_unwanted(self) -> (Option<Self>, Option<Self>);
    /// Several as one.
    fn join(self, others: impl Iterator<Item = Self>) -> Self;
    /// How many it counts for.
    fn count(&self) -> usize;
    /// A stage of theirs, if it is one; `before` did the same in the pipeline that it takes the place of.
    fn own(stage: &Stage, before: Option<&Self::Own>, site: &Site<'_>) -> Option<Self::Own>;
    /// Goes through a stage of theirs, unless it stays there or is left out.
    fn pass(own: &mut Self::Own, item: Self, group: &Group, out: &mut Out<Self>) -> Option<Self>;
}

/// Where a pipeline is at work.
pub(super) struct Site<'a> {
    pub(super) hub: &'a Arc<crate::live::hub::Hub>,
    pub(super) meter: &'a Arc<Meter>,
}

/// What has come of handing something in. It is looked at, and dropped, when no lock is held: a job may end with it.
pub(super) struct Out<T: Unit> {
    /// What has come through.
    pub(super) through: Vec<T>,
    /// What was left out, and why.
    pub(super) left: Vec<(T, &'static str)>,
    /// What nobody wants any more.
    pub(super) gone: Vec<T>,
    pub(super) more: T::More,
}

impl<T: Unit> Out<T> {
    pub(super) fn new() -> Self {
        Self { through: Vec::new(), left: Vec::new(), gone: Vec::new(), more: T::More::default() }
    }
}

/// What of several somebody wants; the rest is put aside.
pub(super) fn wanted<T: Unit>(
    items: impl IntoIterator<Item = T>,
    gone: &mut Vec<T>,
) -> impl Iterator<Item = T> {
    items.into_iter().filter_map(|item| {
        let (wanted, unwanted) = item.part_unwanted();
        gone.extend(unwanted);
        wanted
    })
}

/// A pipeline at work.
pub(super) struct Chain<T: Unit> {
    names: Vec<Pattern>,
    stages: Vec<Stage>,
    machines: Vec<Machine<T>>,
    meter: Arc<Meter>,
}

enum Machine<T: Unit> {
    Group(By),
    Batch(Batch<T>),
    Debounce(Debounce<T>),
    Rate(RateLimit<T>),
    Filter { condition: Condition, steps: u64 },
    Own(T::Own),
}

impl<T: Unit> Chain<T> {
    /// The pipeline that was declared; it goes on with what one for the same names knows.
    pub(super) fn new(
        declared: &Pipeline,
        before: Option<&mut Self>,
        hub: &Arc<crate::live::hub::Hub>,
    ) -> Self {
        let Pipeline { names, stages } = declared;
        let meter = before.as_ref().map_or_else(
            || Meter::new(&metered::PIPELINE, described::<T>(names)),
            |before| before.meter.clone(),
        );
        let mut chain = Self { names: names.clone(), stages: stages.clone(), machines: Vec::new(), meter };
        let mut before = before;
        for (at, stage) in stages.iter().enumerate() {
            let known = before.as_mut().and_then(|before| before.same(stages, at));
            let site = Site { hub, meter: &chain.meter };
            let own_before = match &known {
                Some(Machine::Own(own)) => Some(own),
                _ => None,
            };
            let machine = match (T::own(stage, own_before, &site), stage, known) {
                (Some(own), ..) => Machine::Own(own),
                (_, Stage::Batch { most, within }, _) => Machine::Batch(Batch::new(*most, *within)),
                (_, Stage::Debounce(quiet), _) => Machine::Debounce(Debounce::new(*quiet)),
                (_, Stage::RateLimit { most, per }, Some(Machine::Rate(rate))) => {
                    Machine::Rate(rate.take_over(*most, *per, Instant::now()))
                }
                (_, Stage::RateLimit { most, per }, _) => Machine::Rate(RateLimit::new(*most, *per)),
                (_, Stage::Filter(condition), _) => {
                    Machine::Filter { condition: condition.clone(), steps: hub.settings().steps }
                }
                // It was checked, so it can be read.
                (_, Stage::GroupBy(by), _) => Machine::Group(By::parse(by).unwrap_or(By::Name)),
                // What is not for these was refused.
                (None, ..) => continue,
            };
            chain.machines.push(machine);
        }
        chain
    }

    /// What does the same for the same groups as one of these stages; of several, the first is that of the first, and so on.
    fn same(&mut self, stages: &[Stage], at: usize) -> Option<&mut Machine<T>> {
        let number = alike(stages, stages, at).take_while(|other| *other < at).count();
        let at = alike(&self.stages, stages, at).nth(number)?;
        self.machines.get_mut(at)
    }

    pub(super) fn names(&self) -> &[Pattern] {
        &self.names
    }

    pub(super) fn is_for(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|pattern| pattern.matches(name))
    }

    pub(super) fn offer(&mut self, item: T, now: Instant, out: &mut Out<T>) {
        self.meter.add(metered::TAKEN, item.count() as u64);
        self.run(0, vec![(item, None)], now, out);
    }

    /// Lets items go through the stages from one on.
    fn run(&mut self, from: usize, mut items: Going<T>, now: Instant, out: &mut Out<T>) {
        for machine in self.machines.iter_mut().skip(from) {
            if items.is_empty() {
                return;
            }
            let mut next = Vec::with_capacity(items.len());
            for (item, group) in items {
                machine.offer(item, group, now, &mut next, out);
            }
            items = next;
        }
        let count: usize = items.iter().map(|(item, _)| item.count()).sum();
        self.meter.add(metered::PASSED, count as u64);
        out.through.extend(items.into_iter().map(|(item, _)| item));
    }

    /// When something is to happen by itself.
    pub(super) fn due(&self) -> Option<Instant> {
        self.machines.iter().filter_map(Machine::due).min()
    }

    /// Does what is due.
    pub(super) fn advance(&mut self, now: Instant, out: &mut Out<T>) {
        self.each(now, out, |machine, next, gone| machine.advance(now, next, gone));
    }

    /// Lets go of what was only collected; and `all`: also of what waits for its turn.
    pub(super) fn flush(&mut self, all: bool, now: Instant, out: &mut Out<T>) {
        self.each(now, out, |machine, next, _| machine.flush(all, next));
    }

    /// Takes out what nobody wants any more.
    pub(super) fn take_unwanted(&mut self, gone: &mut Vec<T>) {
        for machine in &mut self.machines {
            machine.take_unwanted(gone);
        }
    }

    fn each(
        &mut self,
        now: Instant,
        out: &mut Out<T>,
        mut act: impl FnMut(&mut Machine<T>, &mut Going<T>, &mut Vec<T>),
    ) {
        for at in 0..self.machines.len() {
            let mut next = Vec::new();
            if let Some(machine) = self.machines.get_mut(at) {
                act(machine, &mut next, &mut out.gone);
            }
            self.run(at + 1, next, now, out);
        }
    }

    /// How many it holds.
    pub(super) fn held(&self) -> usize {
        self.machines.iter().map(Machine::held).sum()
    }

    /// Counts what was left out, and what is held.
    pub(super) fn count(&self, left: usize) {
        self.meter.add(metered::LEFT_OUT, left as u64);
        self.meter.set(metered::HELD, self.held() as f64);
    }

    /// Calls a function with the stages of their own.
    pub(super) fn owned(&self) -> impl Iterator<Item = &T::Own> {
        self.machines.iter().filter_map(|machine| match machine {
            Machine::Own(own) => Some(own),
            _ => None,
        })
    }
}

/// By what the stage at a place is grouped.
fn scope(stages: &[Stage], at: usize) -> Option<&str> {
    stages.iter().take(at).rev().find_map(|stage| match stage {
        Stage::GroupBy(by) => Some(&**by),
        _ => None,
    })
}

/// Where stages are of the kind of one, and do it for the same groups.
fn alike<'s>(among: &'s [Stage], stages: &'s [Stage], at: usize) -> impl Iterator<Item = usize> + 's {
    let kind = |stage: &Stage| match stage {
        // Both are places.
        Stage::InOrder => Stage::Parallel(1).name(),
        other => other.name(),
    };
    let wanted = stages.get(at).map(kind);
    let is_alike = move |(place, other): (usize, &Stage)| {
        let is_same = Some(kind(other)) == wanted && scope(among, place) == scope(stages, at);
        is_same.then_some(place)
    };
    among.iter().enumerate().filter_map(is_alike)
}

fn described<T: Unit>(names: &[Pattern]) -> String {
    let names: Vec<_> = names.iter().map(Pattern::as_str).collect();
    format!("{} {}", T::WHAT, if names.is_empty() { "*".to_owned() } else { names.join(",") })
}

impl<T: Unit> Machine<T> {
    fn offer(&mut self, item: T, group: Group, now: Instant, next: &mut Going<T>, out: &mut Out<T>) {
        match self {
            Self::Group(by) => {
                let group = item.group(by);
                next.push((item, group));
            }
            Self::Batch(batch) => batch.offer(item, group, now, next),
            Self::Debounce(debounce) => debounce.offer(item, group, now, next, out),
            Self::Rate(rate) => rate.offer(item, &group, now, next, &mut out.gone),
            Self::Filter { condition, steps } => {
                let holds =
                    item.data().is_none_or(|data| condition.holds_within(data, *steps).unwrap_or(false));
                if holds {
                    next.push((item, group));
                } else {
                    out.left.push((item, "a pipeline lets only others through"));
                }
            }
            Self::Own(own) => next.extend(T::pass(own, item, &group, out).map(|item| (item, group))),
        }
    }

    fn due(&self) -> Option<Instant> {
        match self {
            Self::Batch(batch) => batch.due(),
            Self::Debounce(debounce) => debounce.due(),
            Self::Rate(rate) => rate.due(),
            Self::Group(_) | Self::Filter { .. } | Self::Own(_) => None,
        }
    }

    fn advance(&mut self, now: Instant, next: &mut Going<T>, gone: &mut Vec<T>) {
        match self {
            Self::Batch(batch) => batch.advance(now, next),
            Self::Debounce(debounce) => debounce.advance(now, next),
            Self::Rate(rate) => rate.advance(now, next, gone),
            Self::Group(_) | Self::Filter { .. } | Self::Own(_) => {}
        }
    }

    fn take_unwanted(&mut self, gone: &mut Vec<T>) {
        match self {
            Self::Batch(batch) => batch.take_unwanted(gone),
            Self::Debounce(debounce) => debounce.take_unwanted(gone),
            Self::Rate(rate) => rate.take_unwanted(gone),
            Self::Group(_) | Self::Filter { .. } | Self::Own(_) => {}
        }
    }

    fn flush(&mut self, all: bool, next: &mut Going<T>) {
        match self {
            Self::Batch(batch) => batch.flush(next),
            Self::Debounce(debounce) => debounce.flush(next),
            Self::Rate(rate) if all => rate.flush(next),
            Self::Rate(_) | Self::Group(_) | Self::Filter { .. } | Self::Own(_) => {}
        }
    }

    fn held(&self) -> usize {
        match self {
            Self::Batch(batch) => batch.held(),
            Self::Debounce(debounce) => debounce.held(),
            Self::Rate(rate) => rate.held(),
            Self::Group(_) | Self::Filter { .. } | Self::Own(_) => 0,
        }
    }
}
