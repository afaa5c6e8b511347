//! Ending an app without losing anything.

use super::App;
use crate::element::site::{Helper, LinkView, Site};
use crate::element::{State, Unfinished};
use futures::future::join_all;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// How long tasks that were ended may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(1);

/// How a shutdown went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it names the elements that did not finish"]
pub struct Shutdown {
    /// The elements that did not finish in time, and what they were doing. They were ended.
    pub unfinished: Vec<Unfinished>,
}

impl Shutdown {
    /// Everything finished.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.unfinished.is_empty()
    }
}

pub(crate) async fn shutdown(app: &App, limit: Duration) -> Shutdown {
    let deadline = Instant::now() + limit;
    app.0.host.closing.store(true, Ordering::Release);
    let elements: Vec<Arc<Site>> = app.elements().iter().map(|e| e.site().clone()).collect();
    let mut unfinished = Vec::new();
    open_rings(&elements);
    for site in &elements {
        if !site.state().is_active() || site.state() == State::Paused {
            // It would never work off what it has, nor complete for those behind it. What it emitted before may still
            // be on its way into a sink.
            note(site, limit, &mut unfinished);
            site.retire();
        } else if let Some(input) = site.input() {
            input.finish();
        }
    }
    let mut late = Vec::new();
    for site in &elements {
        if timeout_at(deadline, site.wait_for(|state| !state.is_active())).await.is_err() {
            late.push(site);
        }
    }
    for site in &late {
        unfinished.push(Unfinished {
            path: site.path(),
            state: site.state(),
            queued: site.input().map_or(0, |i| i.stats().queued),
            limit,
            sink: None,
        });
    }
    // Subscriptions have ended with the elements; the sinks flush what they have.
    let helpers: Vec<_> = elements.iter().map(|site| (site, site.take_helpers())).collect();
    for site in &late {
        site.dispose();
    }
    let mut aborted = Vec::new();
    for (site, helpers) in helpers {
        for Helper { mut task, sink } in helpers {
            if timeout_at(deadline, &mut task).await.is_ok() {
                continue;
            }
            let queued = sink.as_ref().map_or(0, |sink| sink.waiting());
            if queued > 0 || !late.iter().any(|l| Arc::ptr_eq(l, site)) {
                let sink = sink.map(|sink| sink.name());
                unfinished.push(Unfinished { path: site.path(), state: site.state(), queued, limit, sink });
            }
            task.abort();
            aborted.push(task);
        }
    }
    // What they had in hand is counted as lost when they are gone; one that blocks its thread is not waited for.
    let _blocking = timeout(GONE_WITHIN, join_all(aborted)).await;
    app.0.goals.finish(app, deadline).await;
    app.clear();
    Shutdown { unfinished }
}

fn note(site: &Arc<Site>, limit: Duration, unfinished: &mut Vec<Unfinished>) {
    let queued = site.input().map_or(0, |i| i.stats().queued);
    if site.state() == State::Paused && queued > 0 {
        unfinished.push(Unfinished { path: site.path(), state: State::Paused, queued, limit, sink: None });
    }
}

/// Cuts those links within rings that drop or are declared as feedback, so that the rest ends one after the other.
fn open_rings(elements: &[Arc<Site>]) {
    let rings = Rings::of(elements);
    for site in elements {
        let Some(output) = site.output() else { continue };
        for link in output.links() {
            let in_ring = link.to.as_ref().is_some_and(|to| rings.together(site, to));
            if in_ring && !link.options.can_hold_up() {
                output.cut(link.id);
            }
        }
    }
}

/// Which elements lie on rings together: strongly connected components.
pub(crate) struct Rings {
    component: HashMap<*const Site, usize>,
    itself: Vec<*const Site>,
}

impl Rings {
    /// Rings of whatever links.
    pub(crate) fn of(elements: &[Arc<Site>]) -> Self {
        Self::over(elements, |_| true)
    }

    /// Rings of links that can hold up their senders.
    pub(crate) fn waiting(elements: &[Arc<Site>]) -> Self {
        Self::over(elements, |link| link.options.can_hold_up())
    }

    fn over(elements: &[Arc<Site>], counts: impl Fn(&LinkView) -> bool) -> Self {
        let index: HashMap<*const Site, usize> =
            elements.iter().enumerate().map(|(i, s)| (Arc::as_ptr(s), i)).collect();
        let next: Vec<Vec<usize>> = elements
            .iter()
            .map(|site| {
                let links = site.output().map(|o| o.links()).unwrap_or_default();
                links
                    .iter()
                    .filter(|l| counts(l))
                    .filter_map(|l| index.get(&Arc::as_ptr(l.to.as_ref()?)).copied())
                    .collect()
            })
            .collect();
        let itself = (0..elements.len())
            .filter(|i| next.get(*i).is_some_and(|n| n.contains(i)))
            .filter_map(|i| elements.get(i).map(Arc::as_ptr))
            .collect();
        let component = components(&next);
        let component = elements
            .iter()
            .enumerate()
            .filter_map(|(i, s)| Some((Arc::as_ptr(s), *component.get(i)?)))
            .collect();
        Self { component, itself }
    }

    /// A link between the two lies on a ring.
    pub(crate) fn together(&self, a: &Arc<Site>, b: &Arc<Site>) -> bool {
        let (a, b) = (Arc::as_ptr(a), Arc::as_ptr(b));
        if a == b {
            return self.itself.contains(&a);
        }
        self.component.get(&a).is_some_and(|c| self.component.get(&b) == Some(c))
    }
}

impl Rings {
    /// The element lies on a ring.
    pub(crate) fn on_ring(&self, site: &Arc<Site>) -> bool {
        let at = Arc::as_ptr(site);
        let mine = self.component.get(&at);
        self.itself.contains(&at) || self.component.iter().any(|(other, c)| *other != at && Some(c) == mine)
    }
}

/// The component of every node; two nodes are in one if each can be reached from the other. Without recursion, since
/// chains can be long (Kosaraju: finish times forward, then components backward).
fn components(next: &[Vec<usize>]) -> Vec<usize> {
    let n = next.len();
    let mut before = vec![Vec::new(); n];
    for (from, tos) in next.iter().enumerate() {
        for to in tos {
            if let Some(list) = before.get_mut(*to) {
                list.push(from);
            }
        }
    }
    let mut seen = vec![false; n];
    let mut order = Vec::with_capacity(n);
    for start in 0..n {
        visit(start, next, &mut seen, &mut |node| order.push(node));
    }
    let mut seen = vec![false; n];
    let mut component = vec![0; n];
    for start in order.into_iter().rev() {
        visit(start, &before, &mut seen, &mut |node| {
            if let Some(c) = component.get_mut(node) {
                *c = start;
            }
        });
    }
    component
}

/// Visits what can be reached and was not seen, and tells of each node after those behind it.
fn visit(start: usize, next: &[Vec<usize>], seen: &mut [bool], tell: &mut impl FnMut(usize)) {
    if seen.get(start).copied().unwrap_or(true) {
        return;
    }
    seen.iter_mut().skip(start).take(1).for_each(|s| *s = true);
    let mut stack = vec![(start, 0)];
    while let Some((node, at)) = stack.pop() {
        match next.get(node).and_then(|n| n.get(at)) {
            Some(&to) => {
                stack.push((node, at + 1));
                if let Some(s) = seen.get_mut(to)
                    && !std::mem::replace(s, true)
                {
                    stack.push((to, 0));
                }
            }
            None => tell(node),
        }
    }
}

/// Waits for Ctrl-C or, on Unix, SIGTERM.
pub(crate) async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = term.recv() => return,
                done = tokio::signal::ctrl_c() => if done.is_ok() { return },
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // No signal can be had here: go on until told otherwise.
        std::future::pending::<()>().await;
    }
}
