//! `/`, for people and for programs, and paths that lead elsewhere.

use super::super::extract::Query;
use super::super::{Context, workflows};
use super::query::Id;
use super::shell::Shell;
use super::{overview, words};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};

/// The overview for whoever names `text/html`; for all others what littleflow says at `/`.
pub(super) async fn front(State(context): State<Context>, headers: HeaderMap, shell: Shell) -> Response {
    let mut response = if is_for_people(&headers) {
        overview::show(&context, shell).await
    } else {
        workflows::version().await.into_response()
    };
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    response
}

fn is_for_people(headers: &HeaderMap) -> bool {
    let mut accepts = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    accepts.any(|accept| accept.contains("text/html"))
}

pub(super) async fn home() -> Redirect {
    Redirect::to("/")
}

/// The address of a run in littleflow's console.
pub(super) async fn littleflow(Query(Id { id }): Query<Id>) -> Redirect {
    Redirect::to(&format!("/console/workflows/{}", words::encoded(&id)))
}
