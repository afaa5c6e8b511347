//! What there is, who is in a group, and what is published.

use super::guest::Guest;
use crate::http::Problem;
use crate::http::extract::{Json, Path};
use crate::live::{Member, Position};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// What there is in a live server.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveOverview)]
pub(super) struct Overview {
    /// The jobs that can be asked for.
    kinds: Vec<JobKind>,
    /// Clients that are there.
    clients: usize,
    /// Names that are known.
    names: usize,
    /// Jobs that are under way.
    jobs: usize,
    /// Where it is in what was published.
    #[schema(value_type = String, example = "5f3a0c71:0-17")]
    position: Position,
    /// The processes that share parts, this one first; none if it is by itself.
    nodes: Vec<Node>,
}

/// A kind of jobs.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveKind)]
struct JobKind {
    #[schema(value_type = String)]
    name: Arc<str>,
    /// The path of the element that does them.
    element: String,
}

/// A process that shares parts.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveNode)]
struct Node {
    #[schema(value_type = String)]
    id: Arc<str>,
    /// The jobs that it does.
    #[schema(value_type = Vec<String>)]
    kinds: Vec<Arc<str>>,
    /// Whether it is the one that answers.
    is_this: bool,
}

/// What there is in the live server: jobs to be asked for, clients, names.
#[utoipa::path(
    get, path = "/live", tag = "live",
    responses((status = 200, description = "All of it at one moment.", body = Overview), (status = 404, description = "There is no live server."))
)]
pub(super) async fn overview(guest: Guest) -> axum::Json<Overview> {
    let live = &guest.live;
    let kinds = live.kinds().into_iter().map(|(name, element)| JobKind { name, element }).collect();
    let counts = live.counts();
    let nodes = live.nodes().into_iter();
    axum::Json(Overview {
        kinds,
        clients: counts.clients,
        names: counts.names,
        jobs: counts.jobs,
        position: live.position(),
        nodes: nodes.map(|node| Node { id: node.id, kinds: node.kinds, is_this: node.is_this }).collect(),
    })
}

#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
}

/// Where something was published.
#[derive(Serialize, ToSchema)]
#[schema(as = LivePublished)]
pub(super) struct Published {
    /// Where the live server is now.
    #[schema(value_type = String, example = "5f3a0c71:0-17")]
    position: Position,
}

/// Publish under a name, for the members of that group and whoever is interested.
#[utoipa::path(
    post, path = "/live/names/{name}", tag = "live", request_body = Value,
    params(("name" = String, Path, description = "The name.")),
    responses(
        (status = 200, description = "It is on its way to them.", body = Published), (status = 403, description = "It may not be published."),
        (status = 404, description = "There is no live server."), (status = 422, description = "The body is no JSON, or the name is too long."),
        (status = 429, description = "The pipeline holds as much as it may; `Retry-After` says when to go on.")
    )
)]
pub(super) async fn publish(
    guest: Guest,
    Path(Named { name }): Path<Named>,
    Json(data): Json<Value>,
) -> Result<axum::Json<Published>, Problem> {
    guest.connect().publish(&name, data)?;
    Ok(axum::Json(Published { position: guest.live.position() }))
}

#[derive(Deserialize)]
pub(super) struct AGroup {
    group: String,
}

/// Who is in a group.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveGroup)]
pub(super) struct Members {
    group: String,
    /// Each with its `client`, the `name` of whoever stands behind it, and the `info` that it gives of itself.
    #[schema(value_type = Vec<Value>)]
    members: Vec<Member>,
}

/// Who is in a group.
#[utoipa::path(
    get, path = "/live/groups/{group}", tag = "live", params(("group" = String, Path, description = "The group.")),
    responses(
        (status = 200, description = "Its members; none if nobody has joined.", body = Members), (status = 403, description = "They may not be seen."),
        (status = 404, description = "There is no live server.")
    )
)]
pub(super) async fn members(
    guest: Guest,
    Path(AGroup { group }): Path<AGroup>,
) -> Result<axum::Json<Members>, Problem> {
    let members = guest.connect().members(&group)?;
    Ok(axum::Json(Members { group, members }))
}
