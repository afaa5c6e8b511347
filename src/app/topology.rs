//! A picture of a running app, as a value.

use super::{App, Loop};
use crate::element::{ElementInfo, ElementPath, Role, State};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fmt;
use tokio::time::Instant;

/// Everything that runs in an app at one moment: to be shown, sent, compared.
///
/// Its [`Display`](fmt::Display) is a text for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct Topology {
    /// The levels.
    pub levels: Vec<LevelInfo>,
}

/// A level at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct LevelInfo {
    /// Its uid; empty for the default level.
    pub uid: String,
    /// Its loops.
    pub loops: Vec<LoopInfo>,
}

/// A loop at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct LoopInfo {
    /// Its uid.
    pub uid: String,
    /// The level it is on.
    pub level: String,
    /// Its elements in the order in which they were made.
    pub elements: Vec<ElementStatus>,
}

/// An element at one moment, with its rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct ElementStatus {
    /// What it is and has counted.
    #[serde(flatten)]
    pub info: ElementInfo,
    /// Items taken a second since the last snapshot (at least 0.1 s before); 0 in the first.
    pub received_per_second: f64,
    /// Items emitted a second since the last snapshot.
    pub emitted_per_second: f64,
}

/// What the last snapshot saw.
#[derive(Default)]
pub(crate) struct Seen(HashMap<ElementPath, Count>);

#[derive(Clone, Copy)]
struct Count {
    at: Instant,
    received: u64,
    emitted: u64,
    rates: (f64, f64),
}

/// Rates over less than this would jump about.
const SHORTEST: f64 = 0.1;

impl Seen {
    fn rates(&mut self, info: &ElementInfo) -> (f64, f64) {
        let now = Count {
            at: Instant::now(),
            received: info.input.received,
            emitted: info.output.emitted,
            rates: (0.0, 0.0),
        };
        let last = self.0.entry(info.path.clone()).or_insert(now);
        let seconds = now.at.duration_since(last.at).as_secs_f64();
        if seconds >= SHORTEST {
            let received = now.received.saturating_sub(last.received) as f64 / seconds;
            let emitted = now.emitted.saturating_sub(last.emitted) as f64 / seconds;
            *last = Count { rates: (received, emitted), ..now };
        }
        last.rates
    }
}

impl Topology {
    pub(crate) fn of(app: &App) -> Self {
        let mut seen = app.0.seen.lock();
        let levels = app.by_level().into_iter().map(|(uid, loops)| LevelInfo {
            uid: uid.to_string(),
            loops: loops.iter().map(|l| LoopInfo::of(l, Some(&mut seen))).collect(),
        });
        let topology = Self { levels: levels.collect() };
        // Elements come and go; what is no longer there need not be remembered.
        let there: HashSet<&ElementPath> = topology.elements().map(|e| &e.info.path).collect();
        seen.0.retain(|path, _| there.contains(path));
        topology
    }

    /// All elements of all levels.
    pub fn elements(&self) -> impl Iterator<Item = &ElementStatus> {
        self.levels.iter().flat_map(|level| &level.loops).flat_map(|l| &l.elements)
    }

    /// The element of that path.
    #[must_use]
    pub fn element(&self, path: &str) -> Option<&ElementStatus> {
        self.elements().find(|e| e.info.path == *path)
    }
}

#[cfg(feature = "http")]
impl ElementStatus {
    pub(crate) fn of(app: &App, element: &crate::element::AnyElement) -> Self {
        let info = element.info();
        let (received_per_second, emitted_per_second) = app.0.seen.lock().rates(&info);
        Self { info, received_per_second, emitted_per_second }
    }
}

impl LoopInfo {
    pub(crate) fn of(which: &Loop, mut seen: Option<&mut Seen>) -> Self {
        let elements = which.elements().into_iter().map(|element| {
            let info = element.info();
            let (received_per_second, emitted_per_second) =
                seen.as_mut().map_or((0.0, 0.0), |seen| seen.rates(&info));
            ElementStatus { info, received_per_second, emitted_per_second }
        });
        Self { uid: which.uid().into(), level: which.0.level().to_string(), elements: elements.collect() }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for level in &self.levels {
            if !level.uid.is_empty() {
                writeln!(f, "level {}", level.uid)?;
            }
            for one in &level.loops {
                writeln!(f, "loop {}", one.uid)?;
                for element in &one.elements {
                    write!(f, "{element}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for ElementStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let i = &self.info;
        let role = match i.role {
            Role::Monitor => 'M',
            Role::Analyze => 'A',
            Role::Plan => 'P',
            Role::Execute => 'E',
        };
        write!(f, "  {role} {:<18} {:<12} in {:>9}", i.path.element(), i.state, i.input.received)?;
        if !i.acts_only {
            write!(f, "  out {:>9}", i.output.emitted)?;
        }
        let rate = self.received_per_second.max(self.emitted_per_second);
        if rate > 0.0 {
            write!(f, "  {rate:>8.1}/s")?;
        }
        let lost = [("skipped", i.input.skipped), ("dropped", i.input.dropped), ("errors", i.errors)];
        for (what, n) in lost.into_iter().filter(|(_, n)| *n > 0) {
            write!(f, "  {what} {n}")?;
        }
        if i.state == State::Paused || i.input.queued > 0 {
            write!(f, "  waiting {}", i.input.queued)?;
        }
        writeln!(f)?;
        for link in &i.output.links {
            let to = link.to.as_ref().map_or("(subscriber)", ElementPath::as_str);
            write!(f, "      └▶ {to}  {}/{}", link.stats.queued, link.stats.capacity)?;
            if link.stats.dropped > 0 {
                write!(f, "  dropped {}", link.stats.dropped)?;
            }
            if let Some(blocked) = link.stats.blocked {
                write!(f, "  holds up its sender for {blocked:.1?}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
