//! What is wrong with the wiring, told before it is felt.

use super::App;
use super::shutdown::Rings;
use crate::element::site::Site;
use crate::element::{ElementPath, Role};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Something about the wiring that is surely or probably a mistake. Its text says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// Nothing leads into an element that isn't a Monitor, and nothing was pushed into it yet.
    DanglingInput {
        /// The element.
        element: ElementPath,
        /// Its role.
        role: Role,
    },
    /// Nobody hears what an element emits.
    DanglingOutput {
        /// The element.
        element: ElementPath,
    },
    /// Links lead into the element, but none comes from a Monitor or any other source.
    Unreachable {
        /// The element.
        element: ElementPath,
    },
    /// Every link of a ring waits when full: once full, it stands still for ever.
    FeedbackWithoutLoss {
        /// The elements of the ring.
        ring: Vec<ElementPath>,
    },
    /// An element declares that it sends to a path at which there is nothing.
    MissingDestination {
        /// The element.
        element: ElementPath,
        /// The path.
        destination: String,
        /// The path most like it, or nothing.
        near: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DanglingInput { element, role } => write!(
                f,
                "nothing leads into {role} `{element}` so far: link an element to it, feed it a stream, or push into it"
            ),
            Self::DanglingOutput { element } => write!(
                f,
                "nobody hears what `{element}` emits: link it to an element, subscribe to it, or make it with `act`"
            ),
            Self::Unreachable { element } => write!(
                f,
                "no item can ever reach `{element}`: what leads into it starts at no Monitor and no source; link one to it"
            ),
            Self::FeedbackWithoutLoss { ring } => {
                let ring: Vec<_> = ring.iter().map(ElementPath::as_str).collect();
                write!(
                    f,
                    "every link of the ring of {} waits when full, so it can stand still for ever: let one link drop (`LinkOptions::latest()`), or declare it by `.feedback()` where items can't multiply",
                    ring.join(", ")
                )
            }
            Self::MissingDestination { element, destination, near } => {
                write!(f, "`{element}` sends to `{destination}`, where there is nothing")?;
                if near.is_empty() {
                    write!(f, ": make it, or correct the path")
                } else {
                    write!(f, ": did you mean `{near}`?")
                }
            }
        }
    }
}

pub(crate) fn check(app: &App) -> Vec<Finding> {
    let sites: Vec<Arc<Site>> = app.elements().iter().map(|e| e.site().clone()).collect();
    let mut findings = Vec::new();
    let reached = reached(&sites);
    for site in &sites {
        let element = site.path();
        let sources = site.input().map_or(0, |i| i.stats().sources);
        if site.role != Role::Monitor && sources == 0 {
            findings.push(Finding::DanglingInput { element: element.clone(), role: site.role });
        } else if !reached.contains(&Arc::as_ptr(site)) {
            findings.push(Finding::Unreachable { element: element.clone() });
        }
        let hears = site.output().is_some_and(|o| !o.links().is_empty());
        if !site.acts_only && site.role != Role::Execute && !hears {
            findings.push(Finding::DanglingOutput { element: element.clone() });
        }
        for destination in &site.declared().destinations {
            if let Err(error) = app.get(destination) {
                let near = if let super::Error::NotFound { near, .. } = error { near } else { String::new() };
                findings.push(Finding::MissingDestination {
                    element: element.clone(),
                    destination: destination.clone(),
                    near,
                });
            }
        }
    }
    findings.extend(rings(&sites));
    findings
}

/// The elements that items can reach: Monitors, those that something else than links leads into, and all behind them.
fn reached(sites: &[Arc<Site>]) -> HashSet<*const Site> {
    let mut open: Vec<Arc<Site>> = sites.iter().filter(|s| is_source(s, sites)).cloned().collect();
    let mut reached = HashSet::new();
    while let Some(site) = open.pop() {
        if reached.insert(Arc::as_ptr(&site)) {
            let links = site.output().map(|o| o.links()).unwrap_or_default();
            open.extend(links.into_iter().filter_map(|l| l.to));
        }
    }
    reached
}

fn is_source(site: &Arc<Site>, sites: &[Arc<Site>]) -> bool {
    if site.role == Role::Monitor {
        return true;
    }
    let into = |from: &Arc<Site>| {
        let links = from.output().map(|o| o.links()).unwrap_or_default();
        links.iter().filter(|l| l.to.as_ref().is_some_and(|to| Arc::ptr_eq(to, site))).count()
    };
    site.input().map_or(0, |i| i.stats().sources) > sites.iter().map(into).sum()
}

/// Rings of links that all wait and are not declared as feedback.
fn rings(sites: &[Arc<Site>]) -> Vec<Finding> {
    let rings = Rings::waiting(sites);
    let mut found: Vec<Vec<ElementPath>> = Vec::new();
    let mut seen = HashSet::new();
    for site in sites {
        if seen.contains(&Arc::as_ptr(site)) || !rings.on_ring(site) {
            continue;
        }
        let ring: Vec<_> = sites.iter().filter(|s| Arc::ptr_eq(s, site) || rings.together(s, site)).collect();
        seen.extend(ring.iter().map(|s| Arc::as_ptr(s)));
        found.push(ring.into_iter().map(|s| s.path()).collect());
    }
    found.into_iter().map(|ring| Finding::FeedbackWithoutLoss { ring }).collect()
}
