//! What a request gets that cannot be done.

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::fmt::Display;
use tower_http::timeout::TimeoutError;

/// An answer that says what is wrong: `{"detail": …}`.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) detail: String,
    /// What stands beside `detail`.
    more: Map<String, Value>,
    /// In seconds.
    retry_after: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Display) -> Self {
        Self { status, detail: detail.to_string(), more: Map::new(), retry_after: None }
    }

    /// 400: the request as a whole makes no sense.
    pub(crate) fn bad_request(detail: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: there is nothing at the path.
    pub(crate) fn not_found(detail: impl Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: not in the state it is in.
    pub(crate) fn conflict(detail: impl Display) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 413: longer than is allowed.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("the body is longer than {limit} bytes, which is rest.body_limit_bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// 408 or 400: the body did not come in time, or not to its end.
    pub(crate) fn of_body(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<TimeoutError>() {
                return Self::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time");
            }
            cause = error.source();
        }
        Self::bad_request(format!("the body broke off: {error}"))
    }

    /// 422: a value has the wrong shape.
    pub(crate) fn unprocessable(detail: impl Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 503: what it needs is away.
    pub(crate) fn unavailable(detail: impl Display) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// Adds a value beside `detail`.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// What stands beside `detail`.
    pub(crate) fn into_more(self) -> Map<String, Value> {
        self.more
    }

    /// The same in the words of littleflow: `{"status": "Error", "message": …}`.
    pub(crate) fn into_littleflow(self) -> Response {
        let body = json!({"message": self.detail, "status": "Error"});
        self.answer(Json(body).into_response())
    }

    fn answer(&self, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = self.more.clone();
        body.insert("detail".to_owned(), Value::from(self.detail.clone()));
        self.answer(Json(body).into_response())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::unprocessable(rejection.body_text())
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::new(rejection.status(), "the body is longer than rest.body_limit_bytes");
        }
        Self::of_body(&rejection)
    }
}
