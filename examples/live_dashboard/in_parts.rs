//! `GET /{job}/{parts}/{dt}`: that many parts, so many milliseconds apart.
//!
//! The route asks for a job as every client does, and writes what comes: a line of JSON for each part the moment it
//! exists, then the end. Whoever goes away has his job cancelled.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::StreamExt;
use mape::live::{Delivery, Error, Job, Live, Parts, Viewer, answering};
use mape::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::said::say;

/// The kind of the jobs.
pub const KIND: &str = "parts";
/// The most parts of one job. A client has room for all of them, so however slowly it reads, none is lost.
pub const MOST_PARTS: u64 = 10_000;
/// The most milliseconds between two.
const MOST_MILLISECONDS: u64 = 60_000;
/// The longest name of a job, in bytes.
const LONGEST_NAME: usize = 200;
/// How many jobs are done at a time, unless the pipelines say less.
const AT_A_TIME: usize = 10_000;

/// To count milliseconds from.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
struct Wanted {
    job: String,
    parts: u64,
    dt: u64,
    /// When it was asked for, in milliseconds since the start.
    #[serde(default = "now")]
    asked: u64,
}

/// A part: what, its number from 0, and the milliseconds since it was asked for.
#[derive(Debug, Serialize, Deserialize)]
struct Piece {
    res: String,
    nr: u64,
    dt: u64,
}

/// Lets an element do the jobs.
pub fn offer(app: &App, live: &Live) -> anyhow::Result<()> {
    LazyLock::force(&START);
    let element =
        app.create_loop("in_parts")?.execute("produce").each_unordered(AT_A_TIME, answering(produce));
    live.job(KIND, &element.spawn()?)?;
    Ok(())
}

/// Makes the parts of a job, one after the other.
async fn produce(job: Job, out: Parts) -> Result<(), BoxError> {
    let Wanted { job: name, parts, dt, asked } = job.input_as()?;
    if parts > MOST_PARTS || dt > MOST_MILLISECONDS {
        return Err(format!("at most {MOST_PARTS} parts, {MOST_MILLISECONDS} ms apart").into());
    }
    say(&job, format_args!("running job {name}"));
    for nr in 0..parts {
        if dt > 0 {
            sleep(Duration::from_millis(dt)).await;
        }
        say(&job, format_args!("got part {nr} of {name}"));
        out.send(Piece { res: format!("{name} result {nr}"), nr, dt: now() - asked.min(now()) }).await?;
    }
    Ok(())
}

/// The route.
pub fn routes(live: &Live) -> Router {
    Router::new().route("/{job}/{parts}/{dt}", get(answer)).with_state(live.clone())
}

async fn answer(
    State(live): State<Live>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Path((job, parts, dt)): Path<(String, String, String)>,
) -> Response {
    let numbers =
        number("parts", &parts, MOST_PARTS).and_then(|n| Ok((n, number("dt", &dt, MOST_MILLISECONDS)?)));
    let (parts, dt) = match numbers {
        Ok(numbers) => numbers,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    if job.len() > LONGEST_NAME {
        let reason = format!("the name of a job has at most {LONGEST_NAME} bytes, not {}", job.len());
        return refused(StatusCode::BAD_REQUEST, &reason);
    }
    let client = live.connect(Viewer::named(from.to_string()));
    if let Err(error) = client.ask(KIND, json!(Wanted { job, parts, dt, asked: now() })) {
        let status = match error {
            Error::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::Forbidden { .. } => StatusCode::FORBIDDEN,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        return refused(status, &error.to_string());
    }
    client.close_when_done();
    let lines = client.filter_map(|told| ready(line(&told))).map(Ok::<_, Infallible>);
    let heads = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")];
    (heads, Body::from_stream(lines)).into_response()
}

/// A number of the path.
fn number(name: &str, text: &str, most: u64) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| {
        let given: String = text.chars().take(40).collect();
        format!("`{name}` has to be a number from 0 to {most}, not `{given}`: GET /{{job}}/{{parts}}/{{dt}}")
    })
}

fn refused(status: StatusCode, reason: &str) -> Response {
    let mut answer = (status, axum::Json(json!({"detail": reason}))).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    answer
}

/// What a client reads of what it is told.
fn line(told: &Delivery) -> Option<String> {
    let line = match told {
        Delivery::Part(part) => match (part.data(), part.error()) {
            (Some(data), _) => serde_json::to_string(&Piece::deserialize(data).ok()?).ok()?,
            (None, error) => json!({"error": error}).to_string(),
        },
        Delivery::Missed { count } => json!({"missed": count}).to_string(),
        Delivery::Closed { reason } => json!({"closed": reason}).to_string(),
        _ => return None,
    };
    Some(line + "\r\n")
}

fn now() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_or_too_large_is_named() {
        assert_eq!(number("parts", "3", 5), Ok(3));
        for wrong in ["-1", "6", "1.5", "", "three", "99999999999999999999999999"] {
            let reason = number("parts", wrong, 5).unwrap_err();
            assert!(reason.contains(&format!("from 0 to 5, not `{wrong}`")), "{reason}");
        }
    }
}
