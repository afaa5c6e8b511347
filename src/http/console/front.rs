//! `/`, for people and for programs, and paths that lead elsewhere.

use super::super::Context;
use super::super::extract::Query;
use super::query::Id;
use super::shell::Shell;
use super::{overview, words};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};

/// The overview for whoever names `text/html`; for all others what littleflow says at `/`.
pub(super) async fn front(State(context): State<Context>, headers: HeaderMap, shell: Shell) -> Response {
    let mut response = if is_for_people(&headers) {
        overview::show(&context, shell).await
    } else {
        version().into_response()
    };
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    response
}

fn is_for_people(headers: &HeaderMap) -> bool {
    let mut accepts = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    accepts.any(|accept| accept.contains("text/html"))
}

fn version() -> Json<Value> {
    let mape = env!("CARGO_PKG_VERSION");
    Json(json!({"littleflow": "v0.13.0", "littleflow_redis": "v0.10.0", "mape": mape}))
}

pub(super) async fn home() -> Redirect {
    Redirect::to("/")
}

/// The address of a run in littleflow's console.
pub(super) async fn littleflow(Query(Id { id }): Query<Id>) -> Redirect {
    Redirect::to(&format!("/console/workflows/{}", words::encoded(&id)))
}
