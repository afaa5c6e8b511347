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
            address: format!("/console/queues/{encoded}"),
            api: format!("/queues/{encoded}"),
            waiting: stats.waiting.iter().sum(),
            levels: if levels.len() > 1 { levels.into_iter().rev().collect() } else { Vec::new() },
            done: words::rate(done),
            failed: (failed > 0.0).then(|| words::rate(failed)),
            state: state(&stats),
            stats,
        })
    }

    fn findings(&self) -> impl Iterator<Item = Finding> + use<'_> {
        let waiting = match self.state {
            ("paused", _) if self.waiting > 0 => {
                Some((Weight::Poor, format!("is paused with {} waiting", jobs(self.waiting))))
            }
            ("failed", _) => {
                Some((Weight::Bad, format!("has no worker, with {} waiting: start one", jobs(self.waiting))))
            }
            _ => None,
        };
        let dead = self.stats.dead;
        let dead = (dead > 0).then(|| (Weight::Poor, format!("has {} that failed for good", jobs(dead))));
        waiting.into_iter().chain(dead).map(|(weight, text)| Finding {
            weight,
            subject: self.name.clone(),
            text,
            address: self.address.clone(),
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
    match rows(context).await {
        Ok(rows) => rows.iter().flat_map(Row::findings).collect(),
        Err(error) => {
            let (subject, address) = ("the queues".to_owned(), "/console/queues".to_owned());
            let text = format!("cannot be read: {error}");
            vec![Finding { weight: Weight::Bad, subject, text, address }]
        }
    }
}

async fn rows(context: &Context) -> Result<Vec<Row>, Error> {
    let all = context.queues.list().await?;
    stream::iter(all).map(Row::of).buffered(AT_A_TIME).try_collect().await
}
