//! The list of runs.

use super::super::Context;
use super::super::extract::Query;
use super::page::{Trouble, page};
use super::query::Listed;
use super::run_rows::{self, Row};
use super::shell::Shell;
use super::words;
use crate::workflow::{Search, Status};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Runs on a page.
const SIZE: usize = 25;

/// States by which runs are chosen.
const STATES: [(&str, &str, &[Status]); 5] = [
    ("", "All", &[]),
    ("running", "Running", &[Status::Running]),
    ("failed", "Failed", &[Status::Failed]),
    ("finished", "Finished", &[Status::Finished]),
    ("terminated", "Terminated", &[Status::Terminating, Status::Terminated]),
];

#[derive(Template)]
#[template(path = "runs.html")]
struct Runs {
    shell: Shell,
    rows: Vec<Row>,
    states: Vec<Choice>,
    state: String,
    search: String,
    from: usize,
    /// The address of what follows, and of what is newer.
    next: Option<String>,
    newest: Option<String>,
    total: u64,
}

struct Choice {
    name: &'static str,
    address: String,
    is_chosen: bool,
}

pub(super) async fn show(
    State(context): State<Context>,
    shell: Shell,
    Query(listed): Query<Listed>,
) -> Response {
    let shell = shell.titled("Workflows").at("workflows");
    let Some(workflows) = &context.workflows else {
        return Trouble::not_found(shell, "this service serves no runs of workflows").into_response();
    };
    let statuses = STATES.iter().find(|(value, ..)| *value == listed.state).map_or(&[][..], |(.., of)| of);
    let search = Search {
        from: listed.from,
        count: SIZE,
        statuses: statuses.to_vec(),
        text: listed.search.trim().to_owned(),
    };
    let found = match workflows.find(&search).await {
        Ok(found) => found,
        Err(error) => return Trouble::new(shell, StatusCode::SERVICE_UNAVAILABLE, error).into_response(),
    };
    let Listed { state, search, from } = listed;
    let states = STATES.iter().map(|(value, name, _)| Choice {
        name,
        address: address(value, &search, 0),
        is_chosen: *value == state,
    });
    page(&Runs {
        shell,
        rows: run_rows::rows(workflows, found.runs).await,
        states: states.collect(),
        next: found.next.map(|next| address(&state, &search, next)),
        newest: (from > 0).then(|| address(&state, &search, 0)),
        total: found.total,
        state,
        search,
        from,
    })
}

fn address(state: &str, search: &str, from: usize) -> String {
    let (state, search) = (words::encoded(state), words::encoded(search));
    format!("/console/workflows?state={state}&search={search}&from={from}")
}
