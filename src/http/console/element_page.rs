//! One element: what it is, what it does, and what can be done to it.

use super::super::Context;
use super::super::extract::Path;
use super::page::{Trouble, page};
use super::shell::Shell;
use super::{health, words};
use crate::app::ElementStatus;
use crate::element::ports::Side;
use crate::element::{Overflow, State as Life};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "element.html")]
struct Page {
    shell: Shell,
    path: String,
    /// Of the API.
    api: String,
    loop_uid: String,
    role: &'static str,
    letter: &'static str,
    state: &'static str,
    words: String,
    life: Life,
    acts_only: bool,
    /// Others may push into it and see what it emits.
    is_exposed: bool,
    /// They may also see what comes in, and emit for it.
    is_open: bool,
    operators: Vec<String>,
    takes: String,
    gives: String,
    counters: Vec<Counter>,
    goal: Option<super::goals::Row>,
    parameters: Vec<(String, String, String)>,
    methods: Vec<(String, String)>,
    links: Vec<Link>,
    sources: Vec<(String, String)>,
    /// Where a link may lead.
    others: Vec<String>,
    destinations: Vec<String>,
}

struct Counter {
    name: &'static str,
    /// By which the script finds it.
    key: &'static str,
    value: String,
    is_bad: bool,
}

struct Link {
    id: u64,
    to: String,
    address: String,
    queued: usize,
    capacity: usize,
    percent: usize,
    dropped: u64,
    overflow: &'static str,
    feedback: bool,
    blocked: String,
}

impl Page {
    fn may_pause(&self) -> bool {
        self.life == Life::Running
    }

    fn may_resume(&self) -> bool {
        self.life == Life::Paused
    }
}

pub(super) async fn show(
    State(context): State<Context>,
    shell: Shell,
    Path((loop_uid, element)): Path<(String, String)>,
) -> Response {
    let shell = shell.at("loops");
    let topology = context.app.topology();
    let path = format!("{loop_uid}.{element}");
    let Some(status) = topology.element(&path) else {
        return Trouble::not_found(shell, format!("there is no element {path}")).into_response();
    };
    let info = &status.info;
    let ports = context.app.element_at(&loop_uid, &element).and_then(|found| found.ports());
    let sources = topology.elements().filter_map(|other| {
        let leads_here = other.info.output.links.iter().any(|link| link.to.as_ref() == Some(&info.path));
        leads_here.then(|| (other.info.path.to_string(), health::address(&other.info.path)))
    });
    let others = topology.elements().filter(|other| other.info.input.item == info.output.item);
    let (letter, role) = words::role(info.role);
    let api = format!("/loops/{}/elements/{}", words::encoded(&loop_uid), words::encoded(&element));
    let goals = context.app.goals();
    let goal = goals.iter().find(|status| *status.verdict.goal == *path);
    page(&Page {
        goal: goal.map(super::goals::Row::of),
        shell: shell.titled(path.as_str()),
        role,
        letter,
        state: words::state(info.state),
        words: info.state.to_string(),
        life: info.state,
        acts_only: info.acts_only,
        is_exposed: ports.is_some(),
        is_open: ports.is_some_and(|ports| ports.tap(Side::In).is_ok()),
        operators: info.input.operators.iter().chain(&info.output.operators).cloned().collect(),
        takes: words::item(&info.input.item),
        gives: words::item(&info.output.item),
        counters: counters(status),
        parameters: info
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), words::encoded(name), value.to_string()))
            .collect(),
        methods: info.methods.iter().map(|name| (name.clone(), words::encoded(name))).collect(),
        links: links(status),
        sources: sources.collect(),
        others: others.map(|other| other.info.path.to_string()).collect(),
        destinations: info.destinations.clone(),
        path,
        api,
        loop_uid,
    })
}

fn counters(status: &ElementStatus) -> Vec<Counter> {
    let info = &status.info;
    let bad = |name, key, count: u64| Counter { name, key, value: words::grouped(count), is_bad: count > 0 };
    let count = |name, key, count: u64| Counter { is_bad: false, ..bad(name, key, count) };
    let rate = |name, key, rate| Counter { name, key, value: words::rate(rate), is_bad: false };
    let mut all = vec![
        count("taken", "received", info.input.received),
        rate("rate in", "received_per_second", status.received_per_second),
    ];
    if !info.acts_only {
        all.push(count("emitted", "emitted", info.output.emitted));
        all.push(rate("rate out", "emitted_per_second", status.emitted_per_second));
    }
    all.extend([
        count("waiting", "queued", info.input.queued as u64),
        bad("dropped", "dropped", info.input.dropped),
        count("skipped", "skipped", info.input.skipped),
        bad("errors", "errors", info.errors),
    ]);
    if info.restarts > 0 {
        all.push(bad("built anew", "restarts", u64::from(info.restarts)));
    }
    all
}

fn links(of: &ElementStatus) -> Vec<Link> {
    let links = of.info.output.links.iter().map(|link| {
        let stats = &link.stats;
        Link {
            id: link.id,
            to: link.to.as_ref().map(ToString::to_string).unwrap_or_default(),
            address: link.to.as_ref().map(health::address).unwrap_or_default(),
            queued: stats.queued,
            capacity: stats.capacity,
            percent: (stats.queued * 100).checked_div(stats.capacity).unwrap_or(0).min(100),
            dropped: stats.dropped,
            overflow: match stats.overflow {
                Overflow::Wait => "wait",
                Overflow::DropNewest => "drop_newest",
                Overflow::DropOldest => "drop_oldest",
            },
            feedback: link.feedback,
            blocked: stats.blocked.map(|blocked| words::long(blocked.as_secs_f64())).unwrap_or_default(),
        }
    });
    links.collect()
}
