//! App > Level > Loop > Element: who owns what, how it is found, what it looks like, and how it ends.
//!
//! An [`App`] owns loops, on [levels](Level) where there is a hierarchy; a [`Loop`] owns elements. Uids of loops are
//! unique in the app, those of elements in their loop, so `loop.element` names one element; `level.loop.element` does
//! so too and says where it is expected. Everything can be added, moved and removed while it runs.
//!
//! A loop may manage another one: hand its elements a clone of the [`App`]; they can read its [`Topology`], change
//! parameters, relink, start and stop.
//!
//! Source: PyMAPE's `App`, `Level` and `Loop`.

#[allow(clippy::module_inception, reason = "one main type a file; this one's is App")]
mod app;
mod check;
mod error;
mod goals;
mod level;
mod mape_loop;
mod remote;
mod shutdown;
mod topology;

pub use app::App;
pub use check::Finding;
pub use error::Error;
pub use goals::GoalStatus;
pub(crate) use goals::METER as GOAL;
pub use level::Level;
pub use mape_loop::{Loop, OnEscalation};
pub use remote::{Peer, PeerChange, PeerPorts, Remote};
pub use shutdown::Shutdown;
pub use topology::{ElementStatus, LevelInfo, LoopInfo, Topology};

/// The name most like the one asked for, if one is like it at all; else nothing.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let limit = name.chars().count() / 3 + 1;
    known
        .map(|other| (distance(name, other), other))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, other)| other.to_owned())
        .unwrap_or_default()
}

/// Levenshtein's edit distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut above_left = i;
        for (j, y) in b.chars().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX);
            let cost = (above_left + usize::from(x != y)).min(above + 1).min(left + 1);
            if let Some(cell) = row.get_mut(j) {
                *cell = left;
            }
            (above_left, left) = (above, cost);
        }
        if let Some(last) = row.last_mut() {
            *last = left;
        }
    }
    row.last().copied().unwrap_or_default()
}
