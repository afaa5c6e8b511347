//! What is wrong with loops, in words, the worst first.

use super::words;
use crate::app::{LoopInfo, Topology};
use crate::element::{ElementPath, LinkStats, Overflow, State};
use std::collections::HashMap;
use std::time::Duration;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Something does not work.
    Bad,
    /// Something is lost, or late.
    Poor,
}

impl Weight {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Poor => "poor",
        }
    }
}

/// Something that is wrong, and where to mend it.
pub(super) struct Finding {
    pub(super) weight: Weight,
    /// What it is about.
    pub(super) subject: String,
    pub(super) text: String,
    /// Where a person sees more.
    pub(super) address: String,
}

/// A link that is held up for less than this may be about to go on.
const PATIENCE: Duration = Duration::from_secs(1);

/// The page of an element.
pub(super) fn address(path: &ElementPath) -> String {
    format!("/console/loops/{}/{}", words::encoded(path.owner()), words::encoded(path.element()))
}

/// What is wrong with the elements of an app.
pub(super) fn of_elements(topology: &Topology) -> Vec<Finding> {
    let (mut found, lost) = (Vec::new(), lost(topology));
    for element in topology.elements() {
        let info = &element.info;
        let mut add = |weight, text: String| {
            let (subject, address) = (info.path.to_string(), address(&info.path));
            found.push(Finding { weight, subject, text, address });
        };
        match info.state {
            State::Failed => add(Weight::Bad, "has failed for good: start it again".to_owned()),
            State::Restarting => add(Weight::Bad, "has failed and waits to be started again".to_owned()),
            State::Paused if info.input.queued > 0 => {
                add(Weight::Poor, format!("is paused while {} wait", items(info.input.queued as u64)));
            }
            _ => {}
        }
        if info.errors > 0 {
            let plural = if info.errors == 1 { "" } else { "s" };
            add(Weight::Poor, format!("has had {} error{plural}", words::grouped(info.errors)));
        }
        let dropped = lost.get(info.path.as_str()).copied().unwrap_or(0);
        if dropped > 0 {
            add(Weight::Poor, format!("has dropped {}", items(dropped)));
        }
        for link in &info.output.links {
            let Some(blocked) = link.stats.blocked.filter(|blocked| *blocked > PATIENCE) else { continue };
            let to = link.to.as_ref().map_or("a subscriber", |to| to.as_str());
            let blocked = words::long(blocked.as_secs_f64());
            add(Weight::Bad, format!("is held up by {to} for {blocked}"));
        }
    }
    found.sort_by_key(|finding| finding.weight);
    found
}

fn items(count: u64) -> String {
    format!("{} item{}", words::grouped(count), if count == 1 { "" } else { "s" })
}

/// A link that holds only the newest item drops all others by design.
pub(super) fn holds_the_newest(link: &LinkStats) -> bool {
    link.capacity == 1 && link.overflow == Overflow::DropOldest
}

/// Items that full links into each element gave up, but for those that were to.
pub(super) fn lost(topology: &Topology) -> HashMap<&str, u64> {
    let mut lost: HashMap<&str, u64> =
        topology.elements().map(|element| (element.info.path.as_str(), element.info.input.dropped)).collect();
    let links = topology.elements().flat_map(|element| &element.info.output.links);
    for link in links.filter(|link| holds_the_newest(&link.stats)) {
        if let Some(lost) = link.to.as_ref().and_then(|to| lost.get_mut(to.as_str())) {
            *lost = lost.saturating_sub(link.stats.dropped);
        }
    }
    lost
}

/// The loops that an engine is made of.
pub(super) fn is_of_engine(one: &LoopInfo) -> bool {
    matches!(one.uid.as_str(), "tasks" | "workflows")
}

/// A loop at a glance.
pub(super) struct Glance {
    pub(super) uid: String,
    pub(super) level: String,
    pub(super) class: &'static str,
    pub(super) words: String,
    pub(super) elements: Vec<Dot>,
    pub(super) rate: String,
    pub(super) queued: String,
    pub(super) dropped: u64,
    pub(super) errors: u64,
    pub(super) is_of_engine: bool,
}

/// An element at a glance.
pub(super) struct Dot {
    pub(super) letter: &'static str,
    pub(super) role: &'static str,
    pub(super) state: &'static str,
    pub(super) name: String,
    pub(super) address: String,
}

impl Glance {
    /// All loops of an app, those of an engine last.
    pub(super) fn all(topology: &Topology) -> Vec<Self> {
        let lost = lost(topology);
        let mut loops: Vec<&LoopInfo> = topology.levels.iter().flat_map(|level| &level.loops).collect();
        loops.sort_by_key(|one| is_of_engine(one));
        loops.into_iter().map(|one| Self::of(one, &lost)).collect()
    }

    fn of(one: &LoopInfo, lost: &HashMap<&str, u64>) -> Self {
        let elements = &one.elements;
        let of = |state| elements.iter().filter(|element| element.info.state == state).count();
        let failed = of(State::Failed) + of(State::Restarting);
        let (running, paused) = (of(State::Running), of(State::Paused));
        let (class, words) = match (failed, paused, running) {
            (1.., ..) => ("failed", format!("{failed} failed")),
            (_, 1.., _) => ("paused", format!("{paused} paused")),
            (_, _, 0) if elements.is_empty() => ("ready", "empty".to_owned()),
            (_, _, 0) => ("stopped", "at rest".to_owned()),
            (_, _, running) if running == elements.len() => ("running", "running".to_owned()),
            (_, _, running) => ("running", format!("{running} of {} run", elements.len())),
        };
        let dots = elements.iter().map(|element| {
            let info = &element.info;
            let (letter, role) = words::role(info.role);
            Dot {
                letter,
                role,
                state: words::state(info.state),
                name: info.path.element().to_owned(),
                address: address(&info.path),
            }
        });
        let queued: usize = elements.iter().map(|element| element.info.input.queued).sum();
        Self {
            uid: one.uid.clone(),
            level: one.level.clone(),
            class,
            words,
            elements: dots.collect(),
            rate: words::rate(elements.iter().map(|element| element.received_per_second).sum()),
            queued: words::grouped(queued as u64),
            dropped: elements.iter().filter_map(|element| lost.get(element.info.path.as_str())).sum(),
            is_of_engine: is_of_engine(one),
            errors: elements.iter().map(|element| element.info.errors).sum(),
        }
    }
}
