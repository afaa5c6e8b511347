//! What is wrong, in littleflow's words.

use super::super::super::{Context, Problem};
use crate::workflow::{Error, RunId, Workflows};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// An answer that says what is wrong: `{"message": …, "status": "Error"}`.
#[derive(Debug)]
pub(super) struct Fault(Problem);

/// What was done.
#[derive(ToSchema)]
#[schema(as = WorkflowSuccess)]
#[expect(dead_code, reason = "it is only described")]
pub(super) struct Success {
    /// What was done.
    message: String,
    /// `Success`.
    status: String,
    /// Where an archive is.
    uri: Option<String>,
    /// The run that it is about.
    workflow: Option<String>,
}

/// `{"message": …, "status": "Success"}`, and what is beside it.
pub(super) fn success(message: &str, beside: &[(&str, &str)]) -> Value {
    let mut answer = json!({"message": message, "status": "Success"});
    if let Some(answer) = answer.as_object_mut() {
        answer.extend(beside.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    }
    answer
}

impl Fault {
    /// 400.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(Problem::bad_request(message.into()))
    }

    pub(super) fn missing(id: &RunId) -> Self {
        Self(Problem::not_found(format!("Workflow {id} does not exist")))
    }

    pub(super) fn wrong_type(kind: &str, expected: &str) -> Self {
        let message = format!("The body is of the type {kind}, and has to be {expected}");
        Self(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
    }

    /// What an error about a run means; all that is not about the service is 400.
    pub(super) fn about(id: &RunId, error: Error) -> Self {
        let problem = Problem::from(error);
        match problem.status {
            StatusCode::NOT_FOUND => Self::missing(id),
            status if status.is_server_error() => Self(problem),
            _ => Self::new(problem.detail),
        }
    }

    /// As [`about`](Self::about), behind what was to be done.
    pub(super) fn behind(what: &str, error: Error) -> Self {
        let problem = Problem::from(error);
        if problem.status.is_server_error() {
            return Self(problem);
        }
        Self::new(format!("{what}{}", problem.detail))
    }

    pub(super) fn too_large(context: &Context) -> Self {
        Self(Problem::too_large(context.body_limit))
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        self.0.into_littleflow()
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<PathRejection> for Fault {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.body_text())
    }
}

impl From<QueryRejection> for Fault {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.body_text())
    }
}

/// The variables of the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Fault))]
pub(super) struct Path<T>(pub(super) T);

/// What stands behind the `?`.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Fault))]
pub(super) struct Query<T>(pub(super) T);

/// The runs that are served.
pub(super) fn runs(context: &Context) -> Result<&Workflows, Fault> {
    Ok(context.runs()?)
}

/// A body, and what it says that it is.
pub(super) struct Body {
    pub(super) kind: String,
    pub(super) bytes: Bytes,
}

impl FromRequest<Context> for Body {
    type Rejection = Fault;

    async fn from_request(request: Request, context: &Context) -> Result<Self, Fault> {
        let kind = kind(request.headers());
        match Bytes::from_request(request, context).await {
            Ok(bytes) => Ok(Self { kind, bytes }),
            Err(rejection) => Err(refused(&rejection, context)),
        }
    }
}

impl Body {
    pub(super) fn is_json(&self) -> bool {
        self.kind == "application/json" || self.kind.ends_with("+json")
    }

    /// The body as JSON, which it has to say that it is unless it says nothing.
    pub(super) fn json(&self) -> Result<Value, Fault> {
        if !self.kind.is_empty() && !self.is_json() {
            return Err(Fault::wrong_type(&self.kind, "application/json"));
        }
        serde_json::from_slice(&self.bytes)
            .map_err(|error| Fault::new(format!("The body is no JSON: {error}")))
    }
}

/// What a body is, without parameters.
pub(super) fn kind(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn refused(rejection: &BytesRejection, context: &Context) -> Fault {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::too_large(context),
        _ => Fault::new(rejection.body_text()),
    }
}
