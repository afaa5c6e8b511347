//! Where services answer later.

use super::super::extract::Path;
use super::super::{Context, Problem};
use super::answers;
use super::step_ends::{End, Sent};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(callback))
}

/// Ends the step whose request carried this token, once. The token is the secret: no other is needed.
///
/// Without a body the step has no output.
#[utoipa::path(
    post, path = "/callbacks/{token}", tag = "runs",
    params(("token" = String, Path, description = "What the request carried as `littleflow-token`.")),
    request_body(content = Option<End>, content_type = "application/json"),
    responses((status = 202, description = "It is told.", body = Sent), answers::Unknown, answers::Body, answers::Away)
)]
async fn callback(
    State(context): State<Context>,
    Path(token): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Sent>), Problem> {
    let body = body?;
    let end: Option<End> = if body.is_empty() {
        None
    } else {
        serde_json::from_slice(&body).map_err(|error| {
            Problem::unprocessable(format!(
                "the body is `{{\"output\": …}}` or `{{\"failure\": \"…\"}}`: {error}"
            ))
        })?
    };
    let outcome = end.unwrap_or_default().outcome()?;
    let event = context.end_by_token(&token, outcome).await?;
    Ok((StatusCode::ACCEPTED, Json(Sent { event })))
}

impl Context {
    #[cfg(feature = "http-client")]
    async fn end_by_token(
        &self,
        token: &str,
        outcome: Result<Option<serde_json::Value>, String>,
    ) -> Result<String, Problem> {
        Ok(self.runs()?.end_by_token(token, outcome).await?.to_string())
    }

    /// Without a client there are no requests.
    #[cfg(not(feature = "http-client"))]
    #[expect(clippy::unused_async, reason = "it is as with the feature")]
    async fn end_by_token(
        &self,
        _token: &str,
        _outcome: Result<Option<serde_json::Value>, String>,
    ) -> Result<String, Problem> {
        Err(crate::workflow::Error::Token.into())
    }
}
