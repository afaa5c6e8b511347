//! Where a run is started: the text of a flow, and what is wrong with it.

use super::super::Context;
use super::page::page;
use super::run_picture::{Drawing, draw};
use super::shell::Shell;
use crate::flow::{Severity, Workflow};
use askama::Template;
use axum::extract::State;
use axum::response::Response;

/// What stands in the text when the page is opened.
const EXAMPLE: &str = "";

#[derive(Template)]
#[template(path = "start.html")]
struct Page {
    shell: Shell,
    text: &'static str,
    has_engine: bool,
    /// Other processes reach the backend.
    is_shared: bool,
    offered: Vec<String>,
    tasks: Vec<String>,
}

pub(super) async fn show(State(context): State<Context>, shell: Shell) -> Response {
    let tasks = context.engine.as_ref().map(|engine| {
        let mut names: Vec<String> = engine.tasks().iter().map(|task| task.name().to_owned()).collect();
        names.sort_unstable();
        names
    });
    page(&Page {
        shell: shell.titled("Start a run").at("workflows"),
        text: EXAMPLE,
        is_shared: context.app.backend().url() != "memory:",
        // A directory that cannot be read is said by what asks for it.
        offered: context.offered_flows().await.unwrap_or_default(),
        has_engine: tasks.is_some(),
        tasks: tasks.unwrap_or_default(),
    })
}

/// What is said of a text; a part of the page.
#[derive(Template)]
#[template(path = "checked.html")]
struct Checked {
    /// `good`, `poor` or `bad`.
    class: &'static str,
    summary: String,
    found: Vec<Found>,
    drawing: Option<Result<Drawing, String>>,
}

struct Found {
    class: &'static str,
    code: &'static str,
    line: u32,
    column: u32,
    message: String,
    help: String,
    /// The line, in three parts, of which the middle one is wrong.
    before: String,
    marked: String,
    behind: String,
}

pub(super) async fn check(State(context): State<Context>, text: String) -> Response {
    let flow = Workflow::parse(text);
    let mut found: Vec<Found> =
        flow.diagnostics().iter().take(50).map(|one| Found::of(one, flow.text())).collect();
    let unknown = flow.graph().zip(context.engine.as_ref()).and_then(|(graph, engine)| {
        let defined = engine.tasks().define(graph.clone());
        defined.and_then(|definition| engine.tasks().check(&definition)).err()
    });
    if let Some(error) = &unknown {
        found.push(Found::whole(error.to_string()));
    }
    let errors = flow.diagnostics().errors().count() + usize::from(unknown.is_some());
    let summary = match (flow.text().trim().is_empty(), errors, found.len()) {
        (true, ..) => String::new(),
        (_, 0, 0) => "This flow is good.".to_owned(),
        (_, 0, _) => format!("It can run, but look: {}.", flow.diagnostics().summary()),
        (_, _, _) if unknown.is_some() => "It cannot run here.".to_owned(),
        _ => format!("It cannot run: {}.", flow.diagnostics().summary()),
    };
    if flow.text().trim().is_empty() {
        found.clear();
    }
    page(&Checked {
        class: if errors > 0 {
            "bad"
        } else if found.is_empty() {
            "good"
        } else {
            "poor"
        },
        summary,
        found,
        drawing: flow.graph().map(|graph| draw(graph, None, false)),
    })
}

impl Found {
    fn of(one: &crate::flow::Diagnostic, text: &str) -> Self {
        let range = one.range();
        let begin = text.get(..range.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let end = text
            .get(range.start..)
            .and_then(|rest| rest.find('\n'))
            .map_or(text.len(), |at| range.start + at);
        let part = |from: usize, to: usize| text.get(from..to.max(from)).unwrap_or_default().to_owned();
        let marked = part(range.start, range.end.min(end));
        Self {
            class: if one.severity() == Severity::Error { "bad" } else { "poor" },
            code: one.code().as_str(),
            line: one.line(),
            column: one.column(),
            message: one.message().to_owned(),
            help: one.help().unwrap_or_default().to_owned(),
            before: part(begin, range.start),
            marked: if marked.is_empty() { " ".to_owned() } else { marked },
            behind: part(range.end.min(end), end),
        }
    }

    /// One about no place in particular.
    fn whole(message: String) -> Self {
        Self {
            class: "bad",
            code: "task",
            line: 0,
            column: 0,
            message,
            help: String::new(),
            before: String::new(),
            marked: String::new(),
            behind: String::new(),
        }
    }
}
