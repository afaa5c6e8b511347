//! Which links may be made.

use super::site::Site;
use super::{ElementPath, LinkError, LinkOptions, State};
use std::collections::HashSet;
use std::sync::Arc;

/// Checks a new link; `moving` is the link that it takes the place of. The caller holds the app's rewiring lock.
pub(crate) fn check(
    from: &Arc<Site>,
    to: &Arc<Site>,
    options: LinkOptions,
    moving: Option<u64>,
) -> Result<(), LinkError> {
    options.check()?;
    let ends = || (from.path(), to.path());
    if !Arc::ptr_eq(&from.host, &to.host) {
        let (from, to) = ends();
        return Err(LinkError::AcrossApps { from, to });
    }
    for site in [from, to] {
        if site.state() == State::Disposed {
            let gone = site.path();
            let (from, to) = ends();
            return Err(LinkError::Disposed { from, to, gone });
        }
    }
    if options.can_hold_up()
        && let Some(way) = waiting_way(to, from, moving.map(|id| (from, id)))
    {
        let ring = std::iter::once(from.path()).chain(way).collect();
        return Err(LinkError::WaitingRing { ring });
    }
    Ok(())
}

/// The elements on a way from `start` to `goal` along links that can hold up their sender.
fn waiting_way(
    start: &Arc<Site>,
    goal: &Arc<Site>,
    except: Option<(&Arc<Site>, u64)>,
) -> Option<Vec<ElementPath>> {
    let mut seen = HashSet::new();
    // Every element found, and from which one: the way back is read off at the end.
    let mut found = vec![(start.clone(), None)];
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        let Some((site, _)) = found.get(at).cloned() else { break };
        if Arc::ptr_eq(&site, goal) {
            return Some(way_back(&found, at));
        }
        if !seen.insert(Arc::as_ptr(&site)) {
            continue;
        }
        for link in site.output().map(|o| o.links()).unwrap_or_default() {
            let moved = except.is_some_and(|(from, id)| Arc::ptr_eq(from, &site) && id == link.id);
            if let Some(to) = link.to
                && !moved
                && link.options.can_hold_up()
            {
                open.push(found.len());
                found.push((to, Some(at)));
            }
        }
    }
    None
}

fn way_back(found: &[(Arc<Site>, Option<usize>)], end: usize) -> Vec<ElementPath> {
    let mut way = Vec::new();
    let mut at = Some(end);
    while let Some((site, from)) = at.and_then(|i| found.get(i)) {
        way.push(site.path());
        at = *from;
    }
    way.reverse();
    way
}
