//! Start, stop, parameters, methods.

use super::at::{AtElement, AtLoop};
use crate::app::App;
use crate::element::{AnyElement, CallError, ParameterError, State as Life};
use crate::http::Problem;
use crate::http::extract::{Json, Path};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::time::timeout;
use utoipa::ToSchema;

/// What an element or a loop is told.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    /// Begin, also anew after an end; go on after a pause.
    Start,
    /// Cut it off: what comes in is skipped and counted.
    Stop,
    /// Let items wait.
    Pause,
    /// Go on after a pause.
    Resume,
    /// Build its operators anew, with fresh state.
    Restart,
}

/// The state after an order.
#[derive(Serialize, ToSchema)]
pub(super) struct Now {
    state: Life,
}

#[derive(Deserialize)]
pub(super) struct LoopOrder {
    order: Order,
}

#[derive(Deserialize)]
pub(super) struct ElementOrder {
    order: Order,
}

#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
}

/// Start or stop all elements of a loop, let them pause or go on.
#[utoipa::path(
    post, path = "/loops/{loop}/{order}", tag = "loops",
    params(("loop" = String, Path, description = "The loop's uid."), ("order" = inline(Order), Path, description = "What to do.")),
    responses(
        (status = 204, description = "Done."),
        (status = 400, description = "There is no such order."),
        (status = 404, description = "There is no loop of that uid."),
        (status = 409, description = "An element is in no state for that.")
    )
)]
pub(super) async fn steer_loop(
    State(app): State<App>,
    Path(at): Path<AtLoop>,
    Path(LoopOrder { order }): Path<LoopOrder>,
) -> Result<StatusCode, Problem> {
    let found = at.find(&app)?;
    match order {
        Order::Start => found.start().map_err(Problem::conflict)?,
        Order::Stop => found.stop(),
        Order::Pause => found.elements().iter().for_each(|element| _ = element.pause()),
        Order::Resume => found.elements().iter().for_each(|element| _ = element.resume()),
        Order::Restart => found.elements().iter().for_each(AnyElement::restart),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Start or stop an element, let it pause or go on, build its operators anew.
#[utoipa::path(
    post, path = "/loops/{loop}/elements/{element}/{order}", tag = "loops",
    params(
        ("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid."),
        ("order" = inline(Order), Path, description = "What to do.")
    ),
    responses(
        (status = 200, description = "Done; the state after it.", body = Now),
        (status = 400, description = "There is no such order."),
        (status = 404, description = "There is none at that path."),
        (status = 409, description = "It is in no state for that.")
    )
)]
pub(super) async fn steer(
    State(app): State<App>,
    Path(at): Path<AtElement>,
    Path(ElementOrder { order }): Path<ElementOrder>,
) -> Result<axum::Json<Now>, Problem> {
    let element = at.find(&app)?;
    let not_in = |what: &str| {
        Problem::conflict(format!("`{}` is {}, so it cannot {what}", element.path(), element.state()))
    };
    match order {
        Order::Start => element.start().map_err(Problem::conflict)?,
        Order::Stop => element.stop(),
        Order::Pause if !element.pause() => return Err(not_in("pause")),
        Order::Resume if !element.resume() => return Err(not_in("go on after a pause")),
        Order::Restart if !element.state().is_active() => return Err(not_in("build its operators anew")),
        Order::Restart => element.restart(),
        Order::Pause | Order::Resume => {}
    }
    Ok(axum::Json(Now { state: element.state() }))
}

/// The parameters of an element.
#[utoipa::path(
    get, path = "/loops/{loop}/elements/{element}/parameters", tag = "loops",
    params(("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid.")),
    responses((status = 200, description = "Their values by name.", body = Value), (status = 404, description = "There is none at that path."))
)]
pub(super) async fn parameters(
    State(app): State<App>,
    Path(at): Path<AtElement>,
) -> Result<axum::Json<Map<String, Value>>, Problem> {
    Ok(axum::Json(at.find(&app)?.parameters().into_iter().collect()))
}

/// One parameter.
#[utoipa::path(
    get, path = "/loops/{loop}/elements/{element}/parameters/{name}", tag = "loops",
    params(
        ("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid."),
        ("name" = String, Path, description = "The parameter.")
    ),
    responses((status = 200, description = "Its value.", body = Value), (status = 404, description = "There is none of that name."))
)]
pub(super) async fn parameter(
    State(app): State<App>,
    Path(at): Path<AtElement>,
    Path(Named { name }): Path<Named>,
) -> Result<axum::Json<Value>, Problem> {
    at.find(&app)?.get_parameter(&name).map(axum::Json).map_err(Problem::not_found)
}

/// Change a parameter: the next item is worked on with the new value.
#[utoipa::path(
    put, path = "/loops/{loop}/elements/{element}/parameters/{name}", tag = "loops",
    params(
        ("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid."),
        ("name" = String, Path, description = "The parameter.")
    ),
    request_body = Value,
    responses(
        (status = 200, description = "Its value now.", body = Value),
        (status = 404, description = "There is none of that name."),
        (status = 413, description = "The body is too long."),
        (status = 422, description = "The value does not fit; the old one stays.")
    )
)]
pub(super) async fn set_parameter(
    State(app): State<App>,
    Path(at): Path<AtElement>,
    Path(Named { name }): Path<Named>,
    Json(value): Json<Value>,
) -> Result<axum::Json<Value>, Problem> {
    let element = at.find(&app)?;
    element.set_parameter(&name, value).map_err(|error| match error {
        ParameterError::Unknown { .. } => Problem::not_found(error),
        other => Problem::unprocessable(other),
    })?;
    element.get_parameter(&name).map(axum::Json).map_err(Problem::not_found)
}

/// How long a method may take.
const REPLY_WITHIN: Duration = Duration::from_secs(30);

/// Call a method that an element exports.
#[utoipa::path(
    post, path = "/loops/{loop}/elements/{element}/methods/{name}", tag = "loops",
    params(
        ("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid."),
        ("name" = String, Path, description = "The method.")
    ),
    request_body(description = "Its argument; nothing is `null`.", content((Value = "application/json"))),
    responses(
        (status = 200, description = "Its reply.", body = Value),
        (status = 404, description = "There is none of that name."),
        (status = 409, description = "It ran and failed, or the element went away."),
        (status = 413, description = "The body is too long."),
        (status = 422, description = "The argument does not fit."),
        (status = 503, description = "It does not answer.")
    )
)]
pub(super) async fn call(
    State(app): State<App>,
    Path(at): Path<AtElement>,
    Path(Named { name }): Path<Named>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<axum::Json<Value>, Problem> {
    let (element, body) = (at.find(&app)?, body?);
    let argument = match body.trim_ascii() {
        [] => Value::Null,
        text => serde_json::from_slice(text)
            .map_err(|error| Problem::unprocessable(format!("the argument is no JSON: {error}")))?,
    };
    let called = timeout(REPLY_WITHIN, element.call::<Value>(&name, argument)).await;
    let called = called.map_err(|_| {
        Problem::unavailable(format!("`{}` does not answer `{name}` within {REPLY_WITHIN:?}", element.path()))
    })?;
    called.map(axum::Json).map_err(|error| match error {
        CallError::UnknownMethod { .. } => Problem::not_found(error),
        CallError::Argument { .. } => Problem::unprocessable(error),
        other => Problem::conflict(other),
    })
}
