//! The list of runs.

use super::super::Context;
use super::super::extract::Query;
use super::page::{Trouble, page};
use super::query::Listed;
use super::run_rows::{self, Row};
use super::shell::Shell;
use super::words;
use crate::workflow::{RunId, Status, Workflows};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Runs on a page.
const SIZE: usize = 25;
/// How many are asked for at once, and looked at for one page at most.
const PART: usize = 250;
const LOOKED_AT: usize = 10_000;

/// States by which runs are chosen.
const STATES: [(&str, &str, Option<Status>); 5] = [
    ("", "All", None),
    ("running", "Running", Some(Status::Running)),
    ("failed", "Failed", Some(Status::Failed)),
    ("finished", "Finished", Some(Status::Finished)),
    ("terminated", "Terminated", Some(Status::Terminated)),
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
    looked_at: usize,
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
    let (found, last, more) = match choose(workflows, &listed).await {
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
        rows: run_rows::rows(workflows, found).await,
        states: states.collect(),
        next: more.then(|| address(&state, &search, last)),
        newest: (from > 0).then(|| address(&state, &search, 0)),
        looked_at: last,
        state,
        search,
        from,
    })
}

fn address(state: &str, search: &str, from: usize) -> String {
    let (state, search) = (words::encoded(state), words::encoded(search));
    format!("/console/workflows?state={state}&search={search}&from={from}")
}

type Chosen = (Vec<(RunId, Status)>, usize, bool);

/// The runs of a page, the place behind the last one that was looked at, and whether more follow.
async fn choose(workflows: &Workflows, listed: &Listed) -> Result<Chosen, crate::workflow::Error> {
    let status = STATES.iter().find(|(value, ..)| *value == listed.state).and_then(|(.., status)| *status);
    let search = listed.search.trim().to_lowercase();
    let fits = |(id, has): &(RunId, Status)| {
        status.is_none_or(|status| {
            status == *has || (status == Status::Terminated && *has == Status::Terminating)
        }) && (search.is_empty() || id.short().to_lowercase().contains(&search))
    };
    let (mut found, mut at) = (Vec::new(), listed.from);
    while at - listed.from < LOOKED_AT {
        let part = workflows.list(at, PART).await?;
        let is_last = part.len() < PART;
        let count = part.len();
        for (index, run) in part.into_iter().enumerate() {
            if !fits(&run) {
                continue;
            }
            if found.len() == SIZE {
                return Ok((found, at + index, true));
            }
            found.push(run);
        }
        at += count;
        if is_last {
            return Ok((found, at, false));
        }
    }
    Ok((found, at, true))
}
