//! Jobs: asked for, and answered part by part.

use super::answer::answer;
use super::guest::Guest;
use super::query::{Pairs, input};
use super::socket::Upgrade;
use super::telling::Teller;
use crate::http::Problem;
use crate::http::extract::{Json, Path, Query};
use crate::http::streams::Form;
use crate::live::{ClientHandle, JobId};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use utoipa::ToSchema;

/// The most jobs in one request.
const MOST: usize = 1000;

/// The id of the job that is answered.
const JOB: HeaderName = HeaderName::from_static("x-mape-job");

/// A job that is asked for.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewJob)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// What is to be done.
    #[schema(example = "count")]
    pub(super) name: String,
    /// With what.
    #[serde(default)]
    pub(super) input: Value,
}

/// One job, or several.
#[derive(ToSchema)]
#[schema(as = NewJobs)]
#[expect(dead_code, reason = "it describes what is read by hand, so that errors say what is wrong")]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(Asked),
    More(Vec<Asked>),
}

/// Ask for a job, or for a list of jobs, and get the parts of their results as they come.
///
/// A part a line (`application/x-ndjson`), or with `Accept: text/event-stream` an event each: `{"name", "job", "nr",
/// "data"}`, with `error` in place of `data` where something went wrong. Behind the last part of a job comes `{"job",
/// "name", "end": true, "parts"}`, and behind that of the last job the answer ends. The parts of a list come as they are
/// made; its first lines are `{"job", "name", "accepted": true, "index"}`. Whoever goes away cancels what only it wanted.
#[utoipa::path(
    post, path = "/live/jobs", tag = "live", request_body = OneOrMore,
    responses(
        (status = 200, description = "All were begun: their parts.", headers(("x-mape-job" = String, description = "The id of the job, if it is one.")),
         content((String = "application/x-ndjson"), (String = "text/event-stream"))),
        (status = 404, description = "There are no such jobs, or there is no live server."),
        (status = 429, description = "As many jobs are under way as may be; `Retry-After` says when to ask again.")
    )
)]
pub(super) async fn ask(
    guest: Guest,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    let form = Form::asked(&headers);
    if !body.is_array() {
        let asked = read(body, "")?;
        guest.may_ask(&asked.name)?;
        return one(&guest, form, &asked.name, asked.input);
    }
    let asked = several(body)?;
    let client = guest.connect();
    let jobs = all(&guest, &client, asked)?;
    client.close_when_done();
    let teller = Teller::new(form, &guest.live);
    let mut first = Vec::new();
    for (index, (name, job)) in jobs.iter().enumerate() {
        let accepted = json!({"job": job, "name": name, "accepted": true, "index": index});
        teller.event("accepted", &accepted, &mut first);
    }
    Ok(answer(&guest.server, teller, client, first))
}

/// Ask for a job by its name, with the query as its input.
///
/// The input is an object of what stands behind the `?`: numbers, `true`, `false`, `null` and JSON as such, all else as texts;
/// what comes several times is a list. The answer is that of `POST /live/jobs`; a WebSocket gets a message a part.
///
/// A browser that comes back by itself when an answer has ended (an `EventSource` does) is told by 204 to let that be.
#[utoipa::path(
    get, path = "/live/jobs/{name}", tag = "live",
    params(("name" = String, Path, description = "What is to be done."), ("input" = Value, Query, description = "With what.")),
    responses(
        (status = 200, description = "It was begun: its parts.", headers(("x-mape-job" = String, description = "The id of the job.")),
         content((String = "application/x-ndjson"), (String = "text/event-stream"))),
        (status = 204, description = "It was asked for before: there is a `Last-Event-ID`."),
        (status = 404, description = "There are no such jobs, or there is no live server."),
        (status = 429, description = "As many jobs are under way as may be; `Retry-After` says when to ask again.")
    )
)]
pub(super) async fn ask_by_name(
    method: Method,
    guest: Guest,
    Path(Named { name }): Path<Named>,
    Query(pairs): Query<Pairs>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, Problem> {
    if method == Method::HEAD {
        // Who only looks begins nothing.
        return Err(Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "a job is begun by GET or POST, not by HEAD",
        ));
    }
    let input = input(pairs)?;
    if upgrade.is_asked_for() {
        let client = guest.connect();
        client.ask(&name, input)?;
        client.close_when_done();
        return upgrade.go_on(guest, client, None);
    }
    let form = Form::asked(&headers);
    if form == Form::Events && headers.contains_key("last-event-id") {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    one(&guest, form, &name, input)
}

#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
}

/// Has one job done, and answers with its parts.
fn one(guest: &Guest, form: Form, name: &str, input: Value) -> Result<Response, Problem> {
    let client = guest.connect();
    let job = client.ask(name, input)?;
    client.close_when_done();
    // So that a browser that comes back says so.
    let first = if form == Form::Events { format!("id: {job}\n\n").into_bytes() } else { Vec::new() };
    let teller = Teller::new(form, &guest.live);
    let mut response = answer(&guest.server, teller, client, first);
    if let Ok(job) = HeaderValue::try_from(job.to_string()) {
        response.headers_mut().insert(JOB, job);
    }
    Ok(response)
}

/// What is to be done, read from a list.
pub(super) fn several(body: Value) -> Result<Vec<Asked>, Problem> {
    let Value::Array(list) = body else { return Ok(vec![read(body, "")?]) };
    if list.is_empty() || list.len() > MOST {
        return Err(Problem::unprocessable(format!("a list has 1 to {MOST} jobs, not {}", list.len())));
    }
    list.into_iter().enumerate().map(|(index, one)| read(one, &format!("[{index}]: "))).collect()
}

/// Has all of them done, or none.
pub(super) fn all(
    guest: &Guest,
    client: &ClientHandle,
    asked: Vec<Asked>,
) -> Result<Vec<(String, JobId)>, Problem> {
    // What can be known before is looked at before one is begun.
    let kinds = guest.live.kinds().into_iter().map(|(kind, _)| kind);
    let kinds: HashSet<_> = kinds.chain(guest.live.nodes().into_iter().flat_map(|node| node.kinds)).collect();
    // A job that it had before, and that it now shares, is none of this list's.
    let before: HashSet<_> = client.jobs().into_iter().collect();
    let take_back = |job: JobId| before.contains(&job) || client.cancel(job);
    for one in &asked {
        guest.may_ask(&one.name)?;
        if !kinds.contains(&*one.name) {
            // The error says what there is; unless somebody does such jobs by now.
            take_back(client.ask(&one.name, Value::Null)?);
        }
    }
    let mut jobs = Vec::with_capacity(asked.len());
    for Asked { name, input } in asked {
        match client.ask(&name, input) {
            Ok(job) => jobs.push((name, job)),
            Err(error) => {
                for (_, job) in jobs {
                    take_back(job);
                }
                return Err(error.into());
            }
        }
    }
    Ok(jobs)
}

fn read(value: Value, place: &str) -> Result<Asked, Problem> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| Problem::unprocessable(format!("the body has the wrong shape: {place}{error}")))
}
