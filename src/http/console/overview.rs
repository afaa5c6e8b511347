//! The first page: what runs, what is wrong, who is waited for.

use super::super::Context;
use super::approvals::{self, Question};
use super::goals;
use super::health::{self, Finding, Glance};
use super::page::page;
use super::queues;
use super::run_rows::{self, Row};
use super::shell::Shell;
use super::words;
use crate::goal::State;
use askama::Template;
use axum::response::Response;

/// How many of the last runs are shown.
const RUNS: usize = 8;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    shell: Shell,
    loops: Vec<Glance>,
    goals: Vec<goals::Row>,
    met: usize,
    findings: Vec<Finding>,
    questions: Vec<Question>,
    runs: Vec<Row>,
    has_workflows: bool,
    running: usize,
    elements: usize,
    active: usize,
    rate: String,
    backend: String,
}

pub(super) async fn show(context: &Context, shell: Shell) -> Response {
    let topology = context.app.topology();
    let mut findings = health::of_elements(&topology);
    let (goals, of_queues) =
        futures::future::join(context.goals.known(&context.app), queues::findings(context)).await;
    findings.extend(goals::findings(&goals));
    let (runs, questions, running) = match &context.workflows {
        Some(workflows) => {
            let (runs, trouble) = run_rows::newest(workflows, RUNS).await;
            let (questions, running) = approvals::open(workflows).await;
            findings.extend(trouble);
            findings.extend(run_rows::findings(&runs));
            (runs, questions, running)
        }
        None => (Vec::new(), Vec::new(), 0),
    };
    findings.extend(of_queues);
    findings.sort_by_key(|finding| finding.weight);
    let rate = topology.elements().map(|element| element.received_per_second).sum();
    let loops = Glance::all(&topology);
    page(&Overview {
        shell: shell.titled("Overview").at("overview"),
        met: goals.iter().filter(|status| status.verdict.state == State::Met).count(),
        goals: goals::Row::all(&goals),
        findings,
        questions,
        runs,
        has_workflows: context.workflows.is_some(),
        running,
        elements: topology.elements().count(),
        active: topology.elements().filter(|element| element.info.state.is_active()).count(),
        rate: words::rate(rate),
        loops,
        backend: context.app.backend().url().to_string(),
    })
}
