//! All task queues.

use super::super::Context;
use super::health::{Finding, Weight};
use super::page::{Trouble, page};
use super::shell::Shell;
use super::words;
use crate::queue::{Error, Pace, Queue, Stats};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, TryStreamExt, stream};

/// How many queues are looked at at a time.
const AT_A_TIME: usize = 8;

#[derive(Template)]
#[template(path = "queues.html")]
struct Queues {
    shell: Shell,
    rows: Vec<Row>,
}

/// A queue in a table.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) address: String,
    /// What is asked of it.
    pub(super) api: String,
    pub(super) stats: Stats,
    pub(super) waiting: u64,
    /// Of each level, the highest first, if there are several.
    pub(super) levels: Vec<(u8, u64)>,
    pub(super) done: String,
    /// Attempts that fail, if any do.
    pub(super) failed: Option<String>,
    /// The class of the state, and in words.
    pub(super) state: (&'static str, &'static str),
}

impl Row {
    pub(super) async fn of(queue: Queue) -> Result<Self, Error> {
        let (stats, pace) = futures::future::try_join(queue.stats(), queue.pace()).await?;
        let encoded = words::encoded(queue.name());
        let levels = (0..).zip(stats.waiting.iter().copied()).collect::<Vec<(u8, u64)>>();
        let Pace { done, failed } = pace;
        Ok(Self {
            name: queue.name().to_owned(),
            address: address(queue.name()),
            api: format!("/queues/{encoded}"),
            waiting: stats.waiting.iter().sum(),
            levels: if levels.len() > 1 { levels.into_iter().rev().collect() } else { Vec::new() },
            done: words::rate(done),
            failed: (failed > 0.0).then(|| words::rate(failed)),
            state: state(&stats),
            stats,
        })
    }
}

fn jobs(count: u64) -> String {
    format!("{} job{}", words::grouped(count), if count == 1 { "" } else { "s" })
}

/// What a queue does.
fn state(stats: &Stats) -> (&'static str, &'static str) {
    let waits = stats.waiting.iter().sum::<u64>() > 0;
    match stats {
        Stats { paused: true, .. } => ("paused", "paused"),
        Stats { workers: 0, .. } if waits => ("failed", "no worker"),
        Stats { workers: 0, .. } => ("stopped", "no worker"),
        Stats { running: 1.., .. } => ("active", "at work"),
        _ => ("running", "ready"),
    }
}

pub(super) async fn show(State(context): State<Context>, shell: Shell) -> Response {
    let shell = shell.titled("Queues").at("queues");
    match rows(&context).await {
        Ok(rows) => page(&Queues { shell, rows }),
        Err(error) => Trouble::new(shell, StatusCode::SERVICE_UNAVAILABLE, error).into_response(),
    }
}

/// What is wrong with task queues.
pub(super) async fn findings(context: &Context) -> Vec<Finding> {
    let unread = |subject: &str, address: String, error: Error| {
        let (subject, text) = (subject.to_owned(), format!("cannot be read: {error}"));
        vec![Finding { weight: Weight::Bad, subject, text, address }]
    };
    let all = match context.queues.list().await {
        Ok(all) => all,
        Err(error) => return unread("the queues", "/console/queues".to_owned(), error),
    };
    let of_one = |queue: Queue| async move {
        let address = address(queue.name());
        match queue.stats().await {
            Ok(stats) => findings_of(queue.name(), &address, &stats),
            Err(error) => unread(queue.name(), address, error),
        }
    };
    stream::iter(all).map(of_one).buffered(AT_A_TIME).map(stream::iter).flatten().collect().await
}

fn findings_of(name: &str, address: &str, stats: &Stats) -> Vec<Finding> {
    let count = stats.waiting.iter().sum::<u64>();
    let waiting = match stats {
        _ if count == 0 => None,
        Stats { paused: true, .. } => Some((Weight::Poor, format!("is paused with {} waiting", jobs(count)))),
        Stats { workers: 0, .. } => {
            Some((Weight::Bad, format!("has no worker, with {} waiting: start one", jobs(count))))
        }
        Stats { .. } => None,
    };
    let dead =
        (stats.dead > 0).then(|| (Weight::Poor, format!("has {} that failed for good", jobs(stats.dead))));
    let found = waiting.into_iter().chain(dead);
    let (subject, address) = (name.to_owned(), address.to_owned());
    found
        .map(|(weight, text)| Finding { weight, subject: subject.clone(), text, address: address.clone() })
        .collect()
}

/// The page of a queue.
fn address(name: &str) -> String {
    format!("/console/queues/{}", words::encoded(name))
}

async fn rows(context: &Context) -> Result<Vec<Row>, Error> {
    let all = context.queues.list().await?;
    stream::iter(all).map(Row::of).buffered(AT_A_TIME).try_collect().await
}
