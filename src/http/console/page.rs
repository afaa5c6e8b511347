//! A page, or why there is none.

use super::shell::Shell;
use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// A page of a template.
pub(super) fn page(template: &impl Template) -> Response {
    with_status(StatusCode::OK, template)
}

fn with_status(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, [(header::CACHE_CONTROL, "no-store")], Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be written").into_response()
        }
    }
}

/// Why there is no page.
#[derive(Template)]
#[template(path = "trouble.html")]
pub(super) struct Trouble {
    shell: Shell,
    status: StatusCode,
    reason: String,
}

impl Trouble {
    pub(super) fn new(shell: Shell, status: StatusCode, reason: impl std::fmt::Display) -> Self {
        Self { shell: shell.titled(""), status, reason: reason.to_string() }
    }

    pub(super) fn not_found(shell: Shell, reason: impl std::fmt::Display) -> Self {
        Self::new(shell, StatusCode::NOT_FOUND, reason)
    }

    fn title(&self) -> &str {
        if self.status == StatusCode::NOT_FOUND { "Not here" } else { "Not now" }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        with_status(self.status, &self)
    }
}
