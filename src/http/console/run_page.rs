//! One run: how far it is, why it is stuck, and what can be done.

use super::super::Context;
use super::super::extract::{Path, Query};
use super::approvals::Question;
use super::page::{Trouble, page};
use super::query::Lying;
use super::run_picture::{Drawing, draw, phase};
use super::shell::Shell;
use super::timeline::{self, Entry};
use super::{run_rows, words};
use crate::flow::{Graph, Node, NodeKind};
use crate::workflow::{Error, Inspected, Inspection, Phase, RunId, Status, WaitKind, Why};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

/// More steps are not listed; the API has all.
const MOST: usize = 1_000;
/// The longest value of which all is shown.
const LONGEST: usize = 4_000;

#[derive(Template)]
#[template(path = "run.html")]
struct Page {
    shell: Shell,
    id: String,
    /// Of the API.
    api: String,
    ours: String,
    address: String,
    class: &'static str,
    words: String,
    began: String,
    ended: String,
    took: String,
    output: String,
    failures: Vec<String>,
    /// Why it does not go on.
    stuck: Vec<String>,
    questions: Vec<Question>,
    drawing: Result<Drawing, String>,
    vertical: bool,
    steps: Vec<Step>,
    left_out: usize,
    entries: Vec<Entry>,
    entry_count: usize,
    status: Status,
    is_paused: bool,
    /// Whether archives by name are taken.
    may_archive: bool,
    text: String,
}

struct Step {
    index: u32,
    part: u32,
    items: String,
    name: String,
    base: String,
    kind: &'static str,
    class: &'static str,
    words: &'static str,
    parameters: String,
    started: String,
    ended: String,
    took: String,
    attempt: u32,
    input: String,
    output: String,
    /// Its error, or what it waits for.
    note: String,
    is_task: bool,
    may_restart: bool,
}

pub(super) async fn show(
    State(context): State<Context>,
    shell: Shell,
    Path(id): Path<String>,
    Query(Lying { vertical }): Query<Lying>,
) -> Response {
    let shell = shell.at("workflows");
    let Some(workflows) = &context.workflows else {
        return Trouble::not_found(shell, "this service serves no runs of workflows").into_response();
    };
    let id = RunId::from(id);
    let read = async {
        let (run, why) = (workflows.inspect(&id).await?, workflows.why(&id).await?);
        Ok::<_, Error>((run, why, workflows.archive(&id).await?))
    };
    match read.await {
        Ok((run, why, archive)) => match Graph::deserialize(kept(&archive, "graph")) {
            Ok(graph) => {
                let may_archive = context.archives.is_some();
                page(&Page { may_archive, ..Page::of(shell, (&run, &why), &graph, &archive, vertical) })
            }
            Err(error) => Trouble::new(shell, StatusCode::INTERNAL_SERVER_ERROR, error).into_response(),
        },
        Err(error @ Error::NoRun { .. }) => Trouble::not_found(shell, error).into_response(),
        Err(error) => Trouble::new(shell, StatusCode::SERVICE_UNAVAILABLE, error).into_response(),
    }
}

impl Page {
    fn may_pause(&self) -> bool {
        self.status == Status::Running && !self.is_paused
    }

    fn may_resume(&self) -> bool {
        self.status == Status::Running && self.is_paused
    }

    fn may_restart(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Terminated)
    }

    fn of(
        shell: Shell,
        (run, why): (&Inspection, &Why),
        graph: &Graph,
        archive: &Value,
        vertical: bool,
    ) -> Self {
        let id = run.id.short();
        let (class, words) = run_rows::status(Some(run), Some(run.status));
        let (entries, entry_count) = timeline::entries(archive, graph);
        let is_over = run.status.is_over();
        let encoded = words::encoded(id);
        let outputs = Outputs { run, graph };
        Self {
            shell: shell.titled(id),
            id: id.to_owned(),
            api: format!("/workflows/{encoded}"),
            ours: format!("/runs/{encoded}"),
            address: run_rows::address(&run.id),
            class,
            words,
            began: run.began.as_deref().map(words::time).unwrap_or_default(),
            ended: run.ended.as_deref().filter(|_| is_over).map(words::time).unwrap_or_default(),
            took: run_rows::took(run),
            output: run.output.as_ref().map(|output| long(output)).unwrap_or_default(),
            failures: run.failures.iter().map(ToString::to_string).collect(),
            stuck: stuck(run, why, graph),
            questions: run.steps.iter().filter_map(|step| Question::of(&run.id, step)).collect(),
            drawing: draw(graph, Some(run), vertical),
            vertical,
            steps: run.steps.iter().take(MOST).map(|step| Step::of(step, graph, &outputs, run)).collect(),
            left_out: run.steps.len().saturating_sub(MOST),
            entries,
            entry_count,
            status: run.status,
            is_paused: run.paused,
            may_archive: false,
            text: kept(archive, "text").as_str().unwrap_or_default().to_owned(),
        }
    }
}

/// A part of the definition that an archive has.
fn kept<'a>(archive: &'a Value, name: &str) -> &'a Value {
    archive.get("definition").and_then(|definition| definition.get(name)).unwrap_or(&Value::Null)
}

fn long(value: &Value) -> String {
    words::short(&words::pretty(value), LONGEST)
}

/// Why a run does not go on, step by step; nothing if it does.
fn stuck(run: &Inspection, said: &Why, graph: &Graph) -> Vec<String> {
    let mut why = Vec::new();
    if run.status != Status::Running {
        return why;
    }
    let waits = said.waits.iter().filter(|wait| !matches!(wait.waits_for, WaitKind::Work | WaitKind::Items));
    let end = |says: &str| if says.ends_with(['.', '?', '!']) { "" } else { "." };
    why.extend(waits.map(|wait| format!("{}{}", wait.says, end(&wait.says))));
    let is_held = run.paused || (!run.in_hand && run.steps.iter().any(|step| step.phase.is_open()));
    if is_held || (!run.in_hand && why.is_empty()) {
        why.insert(0, said.says.clone());
    }
    if why.is_empty() {
        return why;
    }
    // What has not begun waits for these.
    let phase_of = |index: usize| {
        run.steps.iter().find(|step| step.part == 0 && step.index as usize == index).map(|step| step.phase)
    };
    let has_passed =
        |index: usize| matches!(phase_of(index), Some(Phase::Done | Phase::Skipped)) || index == 0;
    let is_named = |index: u32| said.waits.iter().any(|wait| wait.part == 0 && wait.index == index);
    let idle = run
        .steps
        .iter()
        .filter(|step| step.task && step.part == 0 && step.phase == Phase::Idle && !is_named(step.index));
    for step in idle.take(20) {
        let index = step.index as usize;
        let missing = graph.predecessors(index).iter().filter(|from| !has_passed(**from));
        let missing: Vec<String> = missing.take(5).map(|from| graph.label(*from)).collect();
        if !missing.is_empty() {
            why.push(format!("{} waits for {}.", step.name, missing.join(", ")));
        }
    }
    why
}

/// What steps have given, to say what others were given.
struct Outputs<'a> {
    run: &'a Inspection,
    graph: &'a Graph,
}

impl Outputs<'_> {
    /// What came to a step that has begun.
    fn into(&self, step: &Inspected) -> String {
        if step.started.is_none() || step.part != 0 {
            return String::new();
        }
        let came = |from: &usize| {
            let of = self.run.steps.iter().find(|step| step.part == 0 && step.index as usize == *from);
            of.and_then(|step| step.output.as_deref())
        };
        let inputs: Vec<&Value> =
            self.graph.predecessors(step.index as usize).iter().filter_map(came).collect();
        match inputs.as_slice() {
            [] => String::new(),
            [one] => long(one),
            several => long(&Value::from(several.iter().map(|one| (*one).clone()).collect::<Vec<_>>())),
        }
    }
}

impl Step {
    fn of(step: &Inspected, graph: &Graph, outputs: &Outputs<'_>, run: &Inspection) -> Self {
        let node = graph.node(step.index as usize);
        let base = node.and_then(Node::task).filter(|base| *base != step.name);
        let (class, words) = phase(step);
        let waits = step.waiting.as_ref().map(ToString::to_string);
        let parameters = node.and_then(Node::parameters).filter(|value| !is_empty(value));
        let items: Vec<String> = step.items.iter().map(ToString::to_string).collect();
        Self {
            index: step.index,
            part: step.part,
            items: items.join("."),
            name: step.name.clone(),
            base: base.unwrap_or_default().to_owned(),
            kind: node.map_or("", kind),
            class,
            words,
            parameters: parameters.map(long).unwrap_or_default(),
            started: step.started.as_deref().map(words::time).unwrap_or_default(),
            ended: step.ended.as_deref().map(words::time).unwrap_or_default(),
            took: took(step),
            attempt: step.attempt,
            input: outputs.into(step),
            output: step.output.as_deref().filter(|_| step.ended.is_some()).map(long).unwrap_or_default(),
            note: waits.or_else(|| step.reason.clone()).unwrap_or_default(),
            is_task: step.task,
            may_restart: step.task && step.part == 0 && step.started.is_some() && run.status.is_over(),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn took(step: &Inspected) -> String {
    let ended = step.ended.clone().unwrap_or_else(|| jiff::Timestamp::now().to_string());
    let is_known = step.ended.is_some() || step.phase.is_open();
    let seconds = step.started.as_deref().filter(|_| is_known).and_then(|from| words::between(from, &ended));
    seconds.map(words::long).unwrap_or_default()
}

fn kind(node: &Node) -> &'static str {
    match node.kind() {
        NodeKind::Start => "start",
        NodeKind::Task { .. } if node.iterate() => "task, each item",
        NodeKind::Task { .. } => "task",
        NodeKind::Source { .. } => "literal",
        NodeKind::Resource { .. } => "resource",
        NodeKind::Sink { .. } => "sink",
        NodeKind::Subflow { .. } => "subflow",
        NodeKind::End { .. } => "end",
    }
}
