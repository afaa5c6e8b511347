//! Who says what on channels.

use super::super::extract::Query;
use super::page::page;
use super::query::ByPattern;
use super::shell::Shell;
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "channels.html")]
struct Channels {
    shell: Shell,
    pattern: String,
}

pub(super) async fn show(shell: Shell, Query(ByPattern { pattern }): Query<ByPattern>) -> Response {
    page(&Channels {
        shell: shell.titled("Channels").at("channels"),
        pattern: pattern.unwrap_or_else(|| "*".to_owned()),
    })
}
