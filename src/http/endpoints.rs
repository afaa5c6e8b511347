//! What has no route of its own: endpoints that programs add while the service runs, and nothing.

use super::{Context, Problem};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Hands a request to the source whose endpoint it is.
pub(super) async fn receive(State(context): State<Context>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let Some(endpoint) = context.endpoints.find(path) else {
        let problem =
            Problem::not_found(format!("there is nothing at `{path}`; /openapi.json has all there is"));
        let is_littleflow = path.starts_with("/workflows") || path.starts_with("/inprogress");
        return if is_littleflow { problem.into_littleflow() } else { problem.into_response() };
    };
    let _ = (endpoint, body, StatusCode::OK);
    Problem::unavailable("not yet").into_response()
}
