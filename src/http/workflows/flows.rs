//! Flows that are offered by name.

use super::super::extract::Path;
use super::super::{Context, Problem};
use super::answers;
use crate::flow::Workflow;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::io::ErrorKind;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// A flow that is offered by name.
#[derive(Serialize, ToSchema)]
#[schema(as = OfferedFlow)]
struct Offered {
    /// Its name: that of its file, without `.flow`.
    name: String,
    /// What its `@flow` says about it.
    doc: Option<String>,
    /// Whether its text is a flow.
    ok: bool,
    /// The text.
    flow: String,
}

/// What the names of the files end with.
const ENDING: &str = ".flow";
/// How many are shown.
const MOST: usize = 1_000;

/// The flows that can be begun by name (`named` of `POST /runs`): those in the directory of flows, of which there need be
/// none.
#[utoipa::path(
    get, path = "/flows", tag = "runs",
    responses((status = 200, description = "The flows, by name.", body = Vec<Offered>), answers::Away)
)]
async fn list(State(context): State<Context>) -> Result<Json<Vec<Offered>>, Problem> {
    let mut flows = Vec::new();
    for name in context.flow_names().await.map_err(|error| unreadable(&error))? {
        // One that was taken away meanwhile is not offered any more.
        if let Ok(flow) = context.named_flow(&name).await {
            flows.push(offered(name, flow));
        }
    }
    Ok(Json(flows))
}

/// A flow that can be begun by name.
#[utoipa::path(
    get, path = "/flows/{name}", tag = "runs", params(("name" = String, Path, description = "The flow.")),
    responses((status = 200, description = "The flow.", body = Offered), answers::Unknown, answers::Away)
)]
async fn get(State(context): State<Context>, Path(name): Path<String>) -> Result<Json<Offered>, Problem> {
    let flow = context.named_flow(&name).await?;
    Ok(Json(offered(name, flow)))
}

fn offered(name: String, flow: String) -> Offered {
    let workflow = Workflow::parse(flow);
    let graph = workflow.graph();
    let (doc, ok) = (graph.and_then(|graph| graph.doc()).map(str::to_owned), graph.is_some());
    Offered { name, doc, ok, flow: workflow.text().to_owned() }
}

fn unreadable(error: &std::io::Error) -> Problem {
    Problem::unavailable(format!("the directory of flows cannot be read: {error}"))
}

impl Context {
    /// The names of the flows that are offered, in their order.
    async fn flow_names(&self) -> std::io::Result<Vec<String>> {
        let Some(directory) = &self.flows else { return Ok(Vec::new()) };
        let (mut entries, mut names) = (tokio::fs::read_dir(directory).await?, Vec::new());
        while let Some(entry) = entries.next_entry().await? {
            let file = entry.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(ENDING));
            names.extend(name.filter(|name| is_plain(name)).map(str::to_owned));
        }
        names.sort();
        names.truncate(MOST);
        Ok(names)
    }

    /// The text of a flow that is offered.
    pub(super) async fn named_flow(&self, name: &str) -> Result<String, Problem> {
        let unknown =
            || Problem::not_found(format!("there is no flow `{name}`; GET /flows has those that there are"));
        let directory = self.flows.as_ref().filter(|_| is_plain(name)).ok_or_else(unknown)?;
        match tokio::fs::read(directory.join(format!("{name}{ENDING}"))).await {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(unknown()),
            Err(error) => Err(unreadable(&error)),
        }
    }
}

/// Whether it names a file of the directory, and nothing elsewhere.
fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.chars().all(is_plain)
}
