//! Flows that are written.

use super::super::{Context, Problem};
use super::answers;
use crate::flow::{Graph, Workflow};
use crate::workflow::{Definition, Error};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(check))
}

/// A text that may be a flow.
#[derive(Deserialize, ToSchema)]
#[schema(as = FlowText)]
#[serde(deny_unknown_fields)]
struct Text {
    /// It.
    flow: String,
}

/// What is to be said of a text.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckedFlow)]
struct Checked {
    /// Whether a run of it can begin here.
    ok: bool,
    /// What is wrong with it, in its order.
    diagnostics: Vec<Remark>,
    /// How many more there are.
    left_out: usize,
    /// What the flow is called.
    name: Option<String>,
    /// The tasks that it invokes.
    tasks: Vec<String>,
    /// The same flow in the one layout that all have, if it can be read.
    formatted: Option<String>,
}

/// One thing that is wrong with a text.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowRemark)]
struct Remark {
    /// `error` or `warning`.
    severity: &'static str,
    /// What kind of thing it is, such as `unknown-label`; `task` is what the engine here says of a task.
    code: &'static str,
    /// In words.
    message: String,
    /// The line; the first is 1.
    line: Option<u32>,
    /// The character of the line; the first is 1.
    column: Option<u32>,
    /// How to mend it.
    help: Option<String>,
}

/// Says what is wrong with the text of a flow, and where: as the body itself, or as `{"flow": TEXT}`. Nothing begins.
#[utoipa::path(
    post, path = "/flows/check", tag = "runs",
    request_body(content((String = "text/plain", example = "A → :nowhere"), (Text = "application/json"))),
    responses((status = 200, description = "What is to be said of it.", body = Checked), answers::Body)
)]
async fn check(
    State(context): State<Context>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Checked>, Problem> {
    let body = body?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let workflow = if kind.starts_with("application/json") {
        let text: Text = serde_json::from_slice(&body)
            .map_err(|error| Problem::unprocessable(format!("the body is `{{\"flow\": TEXT}}`: {error}")))?;
        Workflow::parse(text.flow)
    } else {
        Workflow::from_bytes(&body)
    };
    let said = workflow.diagnostics();
    let mut diagnostics: Vec<Remark> = said
        .iter()
        .map(|one| Remark {
            severity: if one.severity() == crate::flow::Severity::Error { "error" } else { "warning" },
            code: one.code().as_str(),
            message: one.message().to_owned(),
            line: Some(one.line()),
            column: Some(one.column()),
            help: one.help().map(str::to_owned),
        })
        .collect();
    let (mut name, mut tasks) = (None, Vec::new());
    if let Some(graph) = workflow.graph() {
        name = graph.name().map(str::to_owned);
        match Definition::new(graph.clone()) {
            Ok(definition) => {
                tasks = definition.tasks().into_iter().map(str::to_owned).collect();
                diagnostics.extend(by_the_engine(&context, graph));
            }
            Err(wrong) => diagnostics.push(remark(graph, &wrong.task, wrong.to_string(), None)),
        }
    }
    let ok = workflow.graph().is_some() && diagnostics.iter().all(|one| one.severity != "error");
    let (left_out, formatted) = (said.left_out(), workflow.format().ok());
    Ok(Json(Checked { ok, diagnostics, left_out, name, tasks, formatted }))
}

/// What the engine of this process says of the tasks of a flow.
fn by_the_engine(context: &Context, graph: &Graph) -> Vec<Remark> {
    let Some(engine) = &context.engine else { return Vec::new() };
    match engine.tasks().define(graph.clone()) {
        Ok(_) => Vec::new(),
        Err(Error::UnknownTask { missing, known }) => {
            let there = (!known.is_empty()).then(|| format!("there are {}", known.join(", ")));
            let say = |task: &String| {
                remark(graph, task, format!("nobody here has the task `{task}`"), there.clone())
            };
            missing.iter().map(say).collect()
        }
        Err(Error::Parameters { wrong }) => {
            wrong.into_iter().map(|says| remark(graph, &says.clone(), says, None)).collect()
        }
        Err(other) => vec![remark(graph, "", other.to_string(), None)],
    }
}

/// A remark on the first step whose task or label a text begins with.
fn remark(graph: &Graph, about: &str, message: String, help: Option<String>) -> Remark {
    let is_it = |index: usize| {
        let task = graph.node(index).and_then(|node| node.task());
        !about.is_empty() && (about.starts_with(&graph.label(index)) || task == Some(about))
    };
    let node = (0..graph.nodes().len()).find(|index| is_it(*index)).and_then(|index| graph.node(index));
    let (line, column) = (node.and_then(|node| node.line()), node.and_then(|node| node.column()));
    Remark { severity: "error", code: "task", message, line, column, help }
}
