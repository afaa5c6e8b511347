//! Where a person shows the token, so that the browser sends it from then on.

use super::super::access::{Admission, COOKIE};
use super::page::page;
use super::shell::Shell;
use askama::Template;
use axum::extract::{Extension, Form};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "login.html")]
struct Page {
    shell: Shell,
    is_wrong: bool,
}

#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    token: String,
    /// To be forgotten.
    #[serde(default)]
    leave: bool,
}

pub(super) async fn show(shell: Shell) -> Response {
    page(&Page { shell: shell.titled("Log in"), is_wrong: false })
}

pub(super) async fn enter(
    Extension(admission): Extension<Admission>,
    headers: HeaderMap,
    shell: Shell,
    Form(given): Form<Given>,
) -> Response {
    let token = given.token.trim();
    // What a browser says of itself holds also behind a proxy that encrypts.
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let secure = if origin.is_some_and(|origin| origin.starts_with("https://")) { "; Secure" } else { "" };
    if given.leave {
        return with_cookie(
            "/console/login",
            &format!("{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict{secure}"),
        );
    }
    if admission.is_protected() && admission.role(token).is_none() {
        let mut response = page(&Page { shell: shell.titled("Log in"), is_wrong: true });
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        return response;
    }
    let token = utf8_percent_encode(token, NON_ALPHANUMERIC);
    with_cookie("/", &format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}"))
}

fn with_cookie(to: &str, cookie: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}
