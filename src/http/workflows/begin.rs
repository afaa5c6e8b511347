//! Runs that begin.

use super::super::extract;
use super::super::{Context, Problem};
use super::answers::{self, Detail};
use super::problems::new_id;
use crate::workflow::{Error, RunId, Status};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(begin))
}

/// A run that is to begin.
#[derive(Deserialize, ToSchema)]
#[schema(as = BeginRun)]
#[serde(deny_unknown_fields)]
struct Begin {
    /// The text of its flow; or else it is `named`.
    #[serde(default)]
    #[schema(min_length = 1, example = "fetch → { clean  count } → store")]
    flow: Option<String>,
    /// The name of its flow, of those that `GET /flows` shows.
    #[serde(default)]
    named: Option<String>,
    /// Its input: an object or a list; none unless it is given.
    #[serde(default)]
    #[schema(value_type = Option<Input>)]
    input: Value,
    /// Its id, with which a request can be repeated without harm: the same flow with the same input is the same run.
    #[serde(default)]
    id: Option<String>,
}

/// The input of a run.
#[derive(ToSchema)]
#[schema(as = RunInput)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum Input {
    Object(std::collections::HashMap<String, Value>),
    List(Vec<Value>),
}

/// How far a run is.
#[derive(Serialize, ToSchema)]
#[schema(as = RunStanding)]
pub(super) struct Standing {
    /// Its id, in the short form.
    pub(super) id: String,
    /// How far it is.
    pub(super) state: Status,
}

impl Standing {
    pub(super) fn of(id: &RunId, state: Status) -> Json<Self> {
        Json(Self { id: id.short().to_owned(), state })
    }
}

/// Begins a run.
#[utoipa::path(
    post, path = "/runs", tag = "runs", request_body = Begin,
    responses(
        (status = 201, description = "It has begun, or had begun before.", body = Standing,
         headers(("Location" = String, description = "Where it is."))),
        (status = 404, description = "There is no flow of that name.", body = Detail),
        answers::Body, answers::Conflict, answers::Away
    )
)]
async fn begin(
    State(context): State<Context>,
    extract::Json(begin): extract::Json<Begin>,
) -> Result<Response, Problem> {
    let id = begin.id.as_deref().map(new_id).transpose().map_err(Problem::unprocessable)?;
    let runs = context.runs()?;
    let flow = match (begin.flow, begin.named) {
        (Some(flow), None) => flow,
        (None, Some(name)) => context.named_flow(name).await?,
        _ => {
            return Err(Problem::unprocessable("the body needs `flow`, a text, or `named`, the name of one"));
        }
    };
    let id = context.begin(id, &flow, begin.input).await?;
    let state = runs.status(&id).await?;
    let at = format!(
        "/runs/{}",
        percent_encoding::utf8_percent_encode(id.short(), percent_encoding::NON_ALPHANUMERIC)
    );
    Ok((StatusCode::CREATED, [(header::LOCATION, at)], Standing::of(&id, state)).into_response())
}

impl Context {
    /// Begins a run on the engine of this process, which knows what its tasks take, else on whichever takes it up.
    pub(super) async fn begin(&self, id: Option<RunId>, flow: &str, input: Value) -> Result<RunId, Error> {
        match (&self.engine, id) {
            (Some(engine), Some(id)) => Ok(engine.run_as(id, flow, input).await?.id().clone()),
            (Some(engine), None) => Ok(engine.run(flow, input).await?.id().clone()),
            (None, id) => match &self.workflows {
                Some(runs) => runs.submit(id, flow, input).await,
                None => Err(Error::EngineGone),
            },
        }
    }
}
