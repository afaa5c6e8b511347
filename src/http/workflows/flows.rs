//! Flows that are offered by name.

use super::super::extract::Path;
use super::super::{Context, Problem};
use super::answers;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::path::{Path as File, PathBuf};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(flows)).routes(routes!(flow))
}

/// A flow that is offered.
#[derive(Serialize, ToSchema)]
#[schema(as = OfferedFlow)]
struct Offered {
    /// Its name: that of its file, without `.flow`.
    name: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// How flows' files end.
const SUFFIX: &str = ".flow";
/// The longest file that is read.
const LONGEST: u64 = 1024 * 1024;

/// The flows that are offered by name (`named` of `POST /runs`), those of `mape serve --flow-dir`, in the order of their
/// names.
#[utoipa::path(
    get, path = "/flows", tag = "runs",
    responses((status = 200, description = "Their names; none where no directory is offered.", body = Vec<Offered>), answers::Away)
)]
async fn flows(State(context): State<Context>) -> Result<Json<Vec<Offered>>, Problem> {
    Ok(Json(context.offered_flows().await?.into_iter().map(|name| Offered { name }).collect()))
}

/// The text of a flow that is offered.
#[utoipa::path(
    get, path = "/flows/{name}", tag = "runs", params(("name" = String, Path, description = "Its name, without `.flow`.")),
    responses(
        (status = 200, description = "It.", body = String, content_type = "text/plain"),
        answers::Unknown, answers::Away
    )
)]
async fn flow(
    State(context): State<Context>,
    Path(Named { name }): Path<Named>,
) -> Result<Response, Problem> {
    let text = context.named_flow(name).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

impl Context {
    /// The names of the flows that are offered.
    pub(in crate::http) async fn offered_flows(&self) -> Result<Vec<String>, Problem> {
        let Some(directory) = self.flows.clone() else { return Ok(Vec::new()) };
        let listed = tokio::task::spawn_blocking(move || names(&directory)).await;
        listed.map_err(Problem::unavailable)?.map_err(Problem::unavailable)
    }

    /// The text of a flow that is offered.
    pub(super) async fn named_flow(&self, name: String) -> Result<String, Problem> {
        let says = format!("no flow `{name}` is offered; GET /flows has those that are");
        let nothing = || Problem::not_found(says);
        let Some(directory) = self.flows.clone() else { return Err(nothing()) };
        let read = tokio::task::spawn_blocking(move || {
            // Only what the list has can be asked for, so nothing leads out of the directory.
            let is_listed = names(&directory)?.contains(&name);
            if is_listed { std::fs::read_to_string(file(&directory, &name)).map(Some) } else { Ok(None) }
        });
        read.await.map_err(Problem::unavailable)?.map_err(Problem::unavailable)?.ok_or_else(nothing)
    }
}

fn file(directory: &File, name: &str) -> PathBuf {
    directory.join(format!("{name}{SUFFIX}"))
}

fn names(directory: &File) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)) else { continue };
        // A link is no file here, so that none leads out.
        if entry.file_type()?.is_file() && entry.metadata()?.len() <= LONGEST {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
