//! What a client states from elsewhere than its stream, by its id.

use super::guest::Guest;
use super::jobs::{all, several};
use super::stating::{Joining, Wanted};
use crate::http::Problem;
use crate::http::extract::{Json, Path};
use crate::live::{ClientHandle, JobId, Member, Position, Stated};
use axum::body::Bytes;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What holds for an interest from now on.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveStated)]
pub(super) struct Holds {
    /// Where the client is now.
    #[schema(value_type = String, example = "5f3a0c71:0-17")]
    position: Position,
    /// Whether all that it missed since the position it gave is on its way to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovered: Option<bool>,
    /// Who is in the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Value>>)]
    members: Option<Vec<Member>>,
}

impl Holds {
    pub(super) fn of(stated: Stated, members: Option<Vec<Member>>) -> Self {
        Self { position: stated.position, recovered: stated.recovered, members }
    }
}

/// Jobs whose parts come on the client's stream.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveBegun)]
pub(super) struct Begun {
    /// In the order in which they were asked for.
    jobs: Vec<BegunJob>,
}

/// A job that was begun.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveBegunJob)]
struct BegunJob {
    #[schema(value_type = String, example = "8f14e45fceea167a")]
    job: JobId,
    name: String,
}

#[derive(Deserialize)]
pub(super) struct Client {
    id: String,
}

#[derive(Deserialize)]
pub(super) struct InterestOf {
    id: String,
    name: String,
}

#[derive(Deserialize)]
pub(super) struct GroupOf {
    id: String,
    group: String,
}

#[derive(Deserialize)]
pub(super) struct JobOf {
    id: String,
    job: String,
}

/// State an interest of a client, in place of the one of the same name.
#[utoipa::path(
    put, path = "/live/clients/{id}/interests/{name}", tag = "live", request_body = Wanted,
    params(("id" = String, Path, description = "The client's id, as hello says it."), ("name" = String, Path, description = "How the client calls it.")),
    responses(
        (status = 200, description = "It holds from now on.", body = Holds),
        (status = 403, description = "It is the client of somebody else."),
        (status = 404, description = "There is no such client here."), (status = 410, description = "The client has gone."),
        (status = 422, description = "The condition, the patterns or the lifetime are no good; `line` and `column`, or `pointer`, say where.")
    )
)]
pub(super) async fn state(
    guest: Guest,
    Path(InterestOf { id, name }): Path<InterestOf>,
    Json(wanted): Json<Wanted>,
) -> Result<axum::Json<Holds>, Problem> {
    let client = find(&guest, &id)?;
    let stated = client.state(&name, wanted.interest()?, wanted.since.as_ref())?;
    Ok(axum::Json(Holds::of(stated, None)))
}

/// Withdraw an interest of a client.
#[utoipa::path(
    delete, path = "/live/clients/{id}/interests/{name}", tag = "live",
    params(("id" = String, Path, description = "The client's id."), ("name" = String, Path, description = "How the client calls it.")),
    responses(
        (status = 204, description = "It is withdrawn."), (status = 403, description = "It is the client of somebody else."),
        (status = 404, description = "There is no such client here, or it has no such interest.")
    )
)]
pub(super) async fn withdraw(
    guest: Guest,
    Path(InterestOf { id, name }): Path<InterestOf>,
) -> Result<StatusCode, Problem> {
    done(find(&guest, &id)?.withdraw(&name), || format!("the client has no interest called `{name}`"))
}

/// Make a client a member of a group.
#[utoipa::path(
    put, path = "/live/clients/{id}/groups/{group}", tag = "live", request_body = Joining,
    params(("id" = String, Path, description = "The client's id."), ("group" = String, Path, description = "The group.")),
    responses(
        (status = 200, description = "It is a member, with these others.", body = Holds),
        (status = 403, description = "It may not, or it is the client of somebody else."),
        (status = 404, description = "There is no such client here."), (status = 410, description = "The client has gone.")
    )
)]
pub(super) async fn join(
    guest: Guest,
    Path(GroupOf { id, group }): Path<GroupOf>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<axum::Json<Holds>, Problem> {
    let client = find(&guest, &id)?;
    guest.may_see_group(&group)?;
    let joining = Joining::read(&body?)?;
    let stated = client.join(&group, joining.info, joining.presence, joining.since.as_ref())?;
    Ok(axum::Json(Holds::of(stated, Some(client.members(&group)?))))
}

/// Let a client leave a group.
#[utoipa::path(
    delete, path = "/live/clients/{id}/groups/{group}", tag = "live",
    params(("id" = String, Path, description = "The client's id."), ("group" = String, Path, description = "The group.")),
    responses(
        (status = 204, description = "It has left."), (status = 403, description = "It is the client of somebody else."),
        (status = 404, description = "There is no such client here, or it is not in the group.")
    )
)]
pub(super) async fn leave(
    guest: Guest,
    Path(GroupOf { id, group }): Path<GroupOf>,
) -> Result<StatusCode, Problem> {
    done(find(&guest, &id)?.leave(&group), || format!("the client is not in the group `{group}`"))
}

/// Ask for a job, or for a list of jobs, whose parts come on the client's stream.
#[utoipa::path(
    post, path = "/live/clients/{id}/jobs", tag = "live", request_body = super::jobs::OneOrMore,
    params(("id" = String, Path, description = "The client's id.")),
    responses(
        (status = 202, description = "All were begun.", body = Begun), (status = 403, description = "It may not, or it is the client of somebody else."),
        (status = 404, description = "There is no such client here, or there are no such jobs."), (status = 410, description = "The client has gone."),
        (status = 429, description = "As many jobs are under way as may be; `Retry-After` says when to ask again.")
    )
)]
pub(super) async fn ask(
    guest: Guest,
    Path(Client { id }): Path<Client>,
    Json(body): Json<Value>,
) -> Result<(StatusCode, axum::Json<Begun>), Problem> {
    let client = find(&guest, &id)?;
    let jobs = all(&guest, &client, several(body)?)?;
    let jobs = jobs.into_iter().map(|(name, job)| BegunJob { job, name }).collect();
    Ok((StatusCode::ACCEPTED, axum::Json(Begun { jobs })))
}

/// Take a job of a client back: it is cancelled unless somebody else wants it.
#[utoipa::path(
    delete, path = "/live/clients/{id}/jobs/{job}", tag = "live",
    params(("id" = String, Path, description = "The client's id."), ("job" = String, Path, description = "The job's id.")),
    responses(
        (status = 204, description = "It is taken back."), (status = 403, description = "It is the client of somebody else."),
        (status = 404, description = "There is no such client here, or it has no such job.")
    )
)]
pub(super) async fn cancel(
    guest: Guest,
    Path(JobOf { id, job }): Path<JobOf>,
) -> Result<StatusCode, Problem> {
    let client = find(&guest, &id)?;
    let known = job.parse::<JobId>().map_err(Problem::not_found)?;
    done(client.cancel(known), || format!("the client has no job {job} under way"))
}

/// The client of that id, which is a secret, if the guest may speak for it all the same.
fn find(guest: &Guest, id: &str) -> Result<ClientHandle, Problem> {
    let Some(client) = guest.live.client(id) else {
        return Err(Problem::not_found(
            "there is no such client here: it has gone, or is at another process",
        ));
    };
    if guest.speaks_for(client.viewer()) {
        return Ok(client);
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "this is the client of somebody else"))
}

fn done(was: bool, otherwise: impl FnOnce() -> String) -> Result<StatusCode, Problem> {
    if was { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found(otherwise())) }
}
