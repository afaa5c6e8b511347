//! What passes a port, as it passes.

use super::at::{AtElement, ports};
use super::push::Port;
use crate::app::App;
use crate::element::ports::{Refusal, Tapped};
use crate::http::extract::{Path, Query};
use crate::http::streams::{Form, Part};
use crate::http::{Context, Problem};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures::StreamExt;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

/// Which port.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// The port: `out` is the default.
    #[serde(default = "out")]
    #[param(inline)]
    port: Port,
}

fn out() -> Port {
    Port::Out
}

/// What passes a port from now on.
///
/// An item a line (`application/x-ndjson`), or with `Accept: text/event-stream` an event each, whose data is the item. It
/// holds nothing up: a slow reader loses the oldest, and is told by an event `missed`.
#[utoipa::path(
    get, path = "/loops/{loop}/elements/{element}/stream", tag = "loops",
    params(("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid."), Which),
    responses(
        (status = 200, description = "The items, until the element ends.", content((String = "application/x-ndjson"), (String = "text/event-stream"))),
        (status = 403, description = "The element is not exposed, or not to that side."),
        (status = 404, description = "There is none at that path."),
        (status = 422, description = "A parameter of the query is no good.")
    )
)]
pub(super) async fn stream(
    State(context): State<Context>,
    State(app): State<App>,
    Path(at): Path<AtElement>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let element = at.find(&app)?;
    let tapped = ports(&element)?.tap(which.port.side()).map_err(|refusal| {
        let path = element.path();
        if refusal == Refusal::Gone {
            return Problem::not_found(format!("`{path}` was disposed of"));
        }
        let detail = format!(
            "the in-port of `{path}` is not exposed to be seen: its program has to call `expose_fully()`"
        );
        Problem::new(StatusCode::FORBIDDEN, detail)
    })?;
    let parts = tapped.map(|tapped| match tapped {
        Tapped::Item(text) => Part::item(text),
        Tapped::Missed(count) => Part::event("missed", &json!({"missed": count})),
    });
    Ok(Form::asked(&headers).answer(&context, parts))
}
