//! What elements, links and loops have counted.

use super::snapshot::{Collected, Known};
use super::{FamilyKind, Histogram, Sample, Value};
use crate::app::App;
use crate::element::{AnyElement, ElementInfo, LinkInfo};
use FamilyKind::{Counter, Gauge};
use std::collections::BTreeMap;

type Labels = Vec<(&'static str, String)>;
type OfElement = (Known, fn(&ElementInfo) -> Value);
type OfLink = (Known, fn(&LinkInfo) -> Value);

static ELEMENT: [OfElement; 9] = [
    (Known(Counter, "mape_element_received", "", "Items that its in-port has taken."), |e| {
        Value::Count(e.input.received)
    }),
    (Known(Counter, "mape_element_emitted", "", "Items that its out-port has handed on."), |e| {
        Value::Count(e.output.emitted)
    }),
    (
        Known(
            Counter,
            "mape_element_unheard",
            "",
            "Items that were emitted while nobody was there for them.",
        ),
        |e| Value::Count(e.output.unheard),
    ),
    (
        Known(
            Counter,
            "mape_element_skipped",
            "",
            "Items thrown away because it was stopped or not started.",
        ),
        |e| Value::Count(e.input.skipped),
    ),
    (Known(Counter, "mape_element_dropped", "", "Items that full links into it gave up."), |e| {
        Value::Count(e.input.dropped)
    }),
    (
        Known(Counter, "mape_element_errors", "", "Items that it failed on, and other errors of its own."),
        |e| Value::Count(e.errors),
    ),
    (Known(Counter, "mape_element_restarts", "", "How often it was restarted after a failure."), |e| {
        Value::Count(e.restarts.into())
    }),
    (Known(Gauge, "mape_element_queued", "", "Items that wait before its in-port."), |e| {
        number(e.input.queued)
    }),
    (Known(Gauge, "mape_element_sources", "", "Links, pushers and streams that lead into it."), |e| {
        number(e.input.sources)
    }),
];
static STATE: Known = Known(Gauge, "mape_element_state", "", "1 for the state that it is in.");
static LATENCY: Known = Known(
    FamilyKind::Histogram,
    "mape_element_latency_seconds",
    "seconds",
    "How long a batch takes in its operators and function, or a call of an asynchronous function.",
);

static LINK: [OfLink; 7] = [
    (Known(Counter, "mape_link_offered", "", "Items handed to the link."), |l| Value::Count(l.stats.offered)),
    (Known(Counter, "mape_link_received", "", "Items that its receiver has taken."), |l| {
        Value::Count(l.stats.received)
    }),
    (
        Known(Counter, "mape_link_dropped", "", "Items given up because the link was full, or left behind."),
        |l| Value::Count(l.stats.dropped),
    ),
    (Known(Counter, "mape_link_skipped", "", "Items thrown away because its receiver was stopped."), |l| {
        Value::Count(l.stats.skipped)
    }),
    (Known(Gauge, "mape_link_queued", "", "Items that wait in it."), |l| number(l.stats.queued)),
    (Known(Gauge, "mape_link_capacity", "", "How many items may wait in it."), |l| number(l.stats.capacity)),
    (
        Known(
            Gauge,
            "mape_link_blocked_seconds",
            "seconds",
            "How long it has been holding up its sender, if it is now.",
        ),
        |l| Value::Number(l.stats.blocked.map_or(0.0, |time| time.as_secs_f64())),
    ),
];
static WAIT: Known = Known(
    FamilyKind::Histogram,
    "mape_link_wait_seconds",
    "seconds",
    "How long items wait in it, measured of one item a batch.",
);
static LOOP: Known = Known(Gauge, "mape_loop_elements", "", "Elements of the loop, by state.");

/// All of them with their labels.
pub(super) fn known() -> impl Iterator<Item = (&'static Known, &'static [&'static str])> {
    const OF_ELEMENT: &[&str] = &["level", "loop", "element", "role"];
    const OF_LINK: &[&str] = &["from", "to", "link"];
    let elements = ELEMENT.iter().map(|(known, _)| known).chain([&LATENCY]).map(|known| (known, OF_ELEMENT));
    let links = LINK.iter().map(|(known, _)| known).chain([&WAIT]).map(|known| (known, OF_LINK));
    let others: [(&Known, &[&str]); 2] =
        [(&STATE, &["level", "loop", "element", "role", "state"]), (&LOOP, &["level", "loop", "state"])];
    elements.chain(links).chain(others)
}

pub(super) fn collect(app: &App, into: &mut Collected) {
    let mut all = Vec::new();
    for one in app.loops() {
        let level = one.level().uid().to_owned();
        for element in one.elements() {
            let shown = element.info();
            all.push((labels(&level, &shown), shown, element));
        }
    }
    for (known, value) in &ELEMENT {
        let samples =
            all.iter().map(|(labels, info, _)| Sample { labels: labels.clone(), value: value(info) });
        into.known(known).samples.extend(samples);
    }
    let states = all.iter().map(|(labels, info, _)| {
        let labels = with(labels, [("state", info.state.to_string())]);
        Sample { labels, value: Value::Number(1.0) }
    });
    into.known(&STATE).samples.extend(states);
    loops(&all, into);
    links(&all, into);
}

type Element = (Labels, ElementInfo, AnyElement);

fn loops(all: &[Element], into: &mut Collected) {
    let mut counts = BTreeMap::<_, usize>::new();
    for (labels, info, _) in all {
        *counts
            .entry((labels.iter().take(2).cloned().collect::<Labels>(), info.state.to_string()))
            .or_default() += 1;
    }
    let samples = counts
        .into_iter()
        .map(|((labels, state), n)| Sample { labels: with(&labels, [("state", state)]), value: number(n) });
    into.known(&LOOP).samples.extend(samples);
}

fn links(all: &[Element], into: &mut Collected) {
    let mut found = Vec::new();
    for (labels, info, element) in all {
        let measured = element.measured();
        if let Some(latency) = &measured.latency {
            let value = Value::Histogram(Box::new(Histogram::from(&**latency)));
            into.known(&LATENCY).samples.push(Sample { labels: labels.clone(), value });
        }
        for link in &info.output.links {
            let to = link.to.as_ref().map(ToString::to_string).unwrap_or_default();
            let of: Labels = vec![("from", info.path.to_string()), ("to", to), ("link", link.id.to_string())];
            if let Some((_, waits)) = measured.waits.iter().find(|(id, _)| *id == link.id) {
                let value = Value::Histogram(Box::new(Histogram::from(&**waits)));
                into.known(&WAIT).samples.push(Sample { labels: of.clone(), value });
            }
            found.push((of, link));
        }
    }
    for (known, value) in &LINK {
        let samples =
            found.iter().map(|(labels, link)| Sample { labels: labels.clone(), value: value(link) });
        into.known(known).samples.extend(samples);
    }
}

fn labels(level: &str, info: &ElementInfo) -> Labels {
    vec![
        ("level", level.to_owned()),
        ("loop", info.path.owner().to_owned()),
        ("element", info.path.element().to_owned()),
        ("role", info.role.to_string()),
    ]
}

fn with<const N: usize>(labels: &Labels, more: [(&'static str, String); N]) -> Labels {
    labels.iter().cloned().chain(more).collect()
}

fn number(n: usize) -> Value {
    Value::Number(n as f64)
}
