//! What there is.

use super::at::{AtElement, AtLoop};
use crate::app::{App, ElementStatus, LevelInfo, LoopInfo};
use crate::http::Problem;
use crate::http::extract::{Path, Query};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How much of each thing is told.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Much {
    /// All there is to know of each, instead of its uid.
    #[serde(default)]
    full: bool,
}

/// An element with its place.
#[derive(Serialize, ToSchema)]
pub(super) struct Model {
    #[serde(flatten)]
    status: ElementStatus,
    /// The level its loop is on; empty for the default one.
    level: String,
    /// Others may push into its ports and see what passes them.
    exposed: bool,
}

/// Uids, or models.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Listed<T> {
    Uids(Vec<String>),
    Models(Vec<T>),
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        (StatusCode::OK, Json(self)).into_response()
    }
}

/// The levels.
#[utoipa::path(
    get, path = "/levels", tag = "loops", params(Much),
    responses((status = 200, description = "Their uids, or all there is to know of them.", body = Listed<LevelInfo>), (status = 422, description = "A parameter of the query is no good."))
)]
pub(super) async fn levels(State(app): State<App>, Query(much): Query<Much>) -> Listed<LevelInfo> {
    if much.full {
        return Listed::Models(app.topology().levels);
    }
    Listed::Uids(app.levels().iter().map(|level| level.uid().to_owned()).collect())
}

/// The loops.
#[utoipa::path(
    get, path = "/loops", tag = "loops", params(Much),
    responses((status = 200, description = "Their uids, or all there is to know of them.", body = Listed<LoopInfo>), (status = 422, description = "A parameter of the query is no good."))
)]
pub(super) async fn loops(State(app): State<App>, Query(much): Query<Much>) -> Listed<LoopInfo> {
    if much.full {
        return Listed::Models(app.topology().levels.into_iter().flat_map(|level| level.loops).collect());
    }
    Listed::Uids(app.loops().iter().map(|one| one.uid().to_owned()).collect())
}

/// One loop.
#[utoipa::path(
    get, path = "/loops/{loop}", tag = "loops", params(("loop" = String, Path, description = "Its uid.")),
    responses((status = 200, description = "All there is to know of it.", body = LoopInfo), (status = 404, description = "There is none of that uid."))
)]
pub(super) async fn a_loop(
    State(app): State<App>,
    Path(at): Path<AtLoop>,
) -> Result<Json<LoopInfo>, Problem> {
    Ok(Json(at.find(&app)?.info()))
}

/// The elements of a loop.
#[utoipa::path(
    get, path = "/loops/{loop}/elements", tag = "loops", params(("loop" = String, Path, description = "The loop's uid."), Much),
    responses(
        (status = 200, description = "Their uids, or all there is to know of them.", body = Listed<ElementStatus>),
        (status = 404, description = "There is no loop of that uid."),
        (status = 422, description = "A parameter of the query is no good.")
    )
)]
pub(super) async fn elements(
    State(app): State<App>,
    Path(at): Path<AtLoop>,
    Query(much): Query<Much>,
) -> Result<Listed<ElementStatus>, Problem> {
    let found = at.find(&app)?;
    if much.full {
        return Ok(Listed::Models(found.info().elements));
    }
    Ok(Listed::Uids(found.elements().iter().map(crate::element::AnyElement::uid).collect()))
}

/// One element: role, state, ports, operators, parameters, counters, links.
#[utoipa::path(
    get, path = "/loops/{loop}/elements/{element}", tag = "loops",
    params(("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid.")),
    responses((status = 200, description = "All there is to know of it.", body = Model), (status = 404, description = "There is none at that path."))
)]
pub(super) async fn element(
    State(app): State<App>,
    Path(at): Path<AtElement>,
) -> Result<Json<Model>, Problem> {
    let found = at.find(&app)?;
    let level = app.find_loop(&at.in_loop).map_err(Problem::not_found)?.level().uid().to_owned();
    Ok(Json(Model { exposed: found.ports().is_some(), level, status: app.status_of(&found) }))
}
