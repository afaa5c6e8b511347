//! Questions to people.

use super::super::{Context, Problem};
use super::answers;
use crate::workflow::{Error, Inspection, RunId, WaitsFor, Workflows};
use axum::Json;
use axum::extract::State;
use futures::{StreamExt, stream};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(approvals))
}

/// The questions that nobody has answered yet.
#[derive(Serialize, ToSchema)]
struct Approvals {
    /// They, oldest first.
    approvals: Vec<Approval>,
    /// Whether there are runs that were not looked at, for there are very many.
    more: bool,
}

/// A step that waits for a person.
#[derive(Serialize, ToSchema)]
struct Approval {
    /// Its run.
    run: String,
    /// Its place in that, as the path has it by which it is answered: `/runs/{run}/steps/{step}/end`.
    step: String,
    /// Its task.
    name: String,
    /// What is asked.
    question: String,
    /// Who may answer, as the flow names them.
    who: Vec<String>,
    /// Since when.
    since: Option<String>,
    /// Until when.
    until: Option<String>,
}

/// How many runs are looked at.
const LOOKED_AT: usize = 5_000;
/// How many are read at a time.
const TOGETHER: usize = 16;

/// The steps of all runs that wait for a person, with their questions.
#[utoipa::path(
    get, path = "/approvals", tag = "runs",
    responses((status = 200, description = "The questions.", body = Approvals), answers::Away)
)]
async fn approvals(State(context): State<Context>) -> Result<Json<Approvals>, Problem> {
    let runs = context.runs()?;
    let ids = runs.in_progress().await?;
    let more = ids.len() > LOOKED_AT;
    let read = stream::iter(ids.into_iter().take(LOOKED_AT)).map(|id| look(runs.clone(), id));
    let mut asking = read.buffer_unordered(TOGETHER);
    let mut approvals = Vec::new();
    while let Some(run) = asking.next().await {
        match run {
            Ok(run) => approvals.extend(questions(&run)),
            // It has ended meanwhile, or says nothing; the others are asked all the same.
            Err(Error::NoRun { .. } | Error::Damaged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    approvals.sort_by(|one, other| {
        (&one.since, &one.run, &one.step).cmp(&(&other.since, &other.run, &other.step))
    });
    Ok(Json(Approvals { approvals, more }))
}

async fn look(runs: Workflows, id: RunId) -> Result<Inspection, Error> {
    runs.inspect(&id).await
}

fn questions(run: &Inspection) -> impl Iterator<Item = Approval> {
    run.steps.iter().filter_map(|step| {
        let waiting = step.waiting.as_ref().filter(|waiting| waiting.waits_for == WaitsFor::Person)?;
        let part = if step.part == 0 { String::new() } else { format!(".{}", step.part) };
        Some(Approval {
            run: run.id.short().to_owned(),
            step: format!("{}{part}", step.index),
            name: step.name.clone(),
            question: waiting.what.clone(),
            who: waiting.who.clone(),
            since: step.started.clone(),
            until: waiting.until.clone(),
        })
    })
}
