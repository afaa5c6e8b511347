//! All runs.

use super::super::extract::Query;
use super::super::{Context, Problem};
use super::answers;
use crate::workflow::{Listing, Search, Status};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which runs are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The place in the list of all runs from which on, newest first; the first is 0.
    #[serde(default)]
    #[param(default = 0, maximum = 9_007_199_254_740_991_u64)]
    from: usize,
    /// At most how many, up to 1,000.
    #[serde(default = "fifty")]
    #[param(default = 50, minimum = 1, maximum = 1000)]
    count: usize,
    /// Only those in one of these states, separated by commas: `RUNNING`, `FINISHED`, `FAILED`, `TERMINATING`, `TERMINATED`.
    #[serde(default)]
    #[param(
        pattern = "^((RUNNING|FINISHED|FAILED|TERMINATING|TERMINATED)(,(RUNNING|FINISHED|FAILED|TERMINATING|TERMINATED))*)?$",
        example = "RUNNING,FAILED"
    )]
    state: Option<String>,
    /// Only those with this in their id or in the name of their flow, capital letters or not.
    #[serde(default)]
    search: Option<String>,
}

/// The greatest number that any JSON has exactly.
const FARTHEST: usize = 9_007_199_254_740_991;

fn fifty() -> usize {
    50
}

/// The runs, newest first.
///
/// Where `next` is a number, `from` with that number goes on; a page may have fewer than `count` and yet a next one.
#[utoipa::path(
    get, path = "/runs", tag = "runs", params(Asked),
    responses((status = 200, description = "The runs.", body = Listing), answers::Query, answers::Away)
)]
async fn list(State(context): State<Context>, Query(asked): Query<Asked>) -> Result<Json<Listing>, Problem> {
    if !(1..=1000).contains(&asked.count) {
        return Err(Problem::unprocessable("`count` is a number from 1 to 1000"));
    }
    if asked.from > FARTHEST {
        return Err(Problem::unprocessable(format!("`from` is a number from 0 to {FARTHEST}")));
    }
    let mut statuses = Vec::new();
    for word in asked.state.as_deref().unwrap_or_default().split(',').filter(|word| !word.is_empty()) {
        let status = Status::of_word(&word.to_uppercase()).ok_or_else(|| {
            let known = "RUNNING, FINISHED, FAILED, TERMINATING and TERMINATED";
            Problem::unprocessable(format!("`{word}` is no state; there are {known}"))
        })?;
        statuses.push(status);
    }
    let text = asked.search.unwrap_or_default();
    let search = Search { from: asked.from, count: asked.count, statuses, text };
    Ok(Json(context.runs()?.find(&search).await?))
}
