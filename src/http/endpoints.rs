//! What has no route of its own: endpoints that programs add while the service runs, and nothing.

use super::{Context, Problem};
use crate::edge::Refused;
use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde_json::json;
use std::error::Error;

/// Hands a request to the source whose endpoint it is.
pub(super) async fn receive(State(context): State<Context>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let Some(endpoint) = context.endpoints.find(path) else {
        return nothing(path);
    };
    if parts.method != Method::POST {
        let detail = format!("`{path}` takes what is posted to it, and nothing else");
        let mut response = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let body = match read(&context, body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    match endpoint.receive(&parts.headers, &body, context.push_wait).await {
        Ok(receipt) if receipt.duplicate => {
            Json(json!({"accepted": receipt.accepted, "duplicate": true})).into_response()
        }
        Ok(receipt) => Json(json!({"accepted": receipt.accepted})).into_response(),
        Err(Refused::Gone) => nothing(path),
        Err(refused) => problem(refused, path).into_response(),
    }
}

fn nothing(path: &str) -> Response {
    let problem = Problem::not_found(format!("there is nothing at `{path}`; /openapi.json has all there is"));
    let is_littleflow = path.starts_with("/workflows") || path.starts_with("/inprogress");
    if is_littleflow { problem.into_littleflow() } else { problem.into_response() }
}

/// The body, within its bounds.
async fn read(context: &Context, body: Body) -> Result<Bytes, Problem> {
    to_bytes(body, context.body_limit).await.map_err(|error| {
        if error.source().is_some_and(|source| source.is::<LengthLimitError>()) {
            return Problem::too_large(context.body_limit);
        }
        Problem::of_body(&error)
    })
}

fn problem(refused: Refused, path: &str) -> Problem {
    match refused {
        Refused::Unsigned(detail) => Problem::new(StatusCode::UNAUTHORIZED, detail),
        Refused::Shape { detail, field, line, accepted } => {
            let detail = match line {
                Some(line) => format!("line {line}: {detail}"),
                None => detail,
            };
            let mut problem = Problem::unprocessable(detail).with("accepted", accepted);
            if let Some(field) = field {
                problem = problem.with("field", field);
            }
            if let Some(line) = line {
                problem = problem.with("line", line);
            }
            problem
        }
        Refused::Full { accepted } => {
            let detail = format!("`{path}` has no room at the moment: its source is read too slowly");
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
            problem.with("accepted", accepted).retry_after(1)
        }
        Refused::Gone => Problem::not_found(format!("there is nothing at `{path}`")),
    }
}
