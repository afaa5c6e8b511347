//! The stages: each can be a process of its own, and any number of each.

use anyhow::Context;
use clap::ValueEnum;
use mape::http::Serving;
use mape::prelude::*;
use mape::queue::Worker;
use tokio::task::JoinSet;

use crate::shared::Shared;
use crate::{email, fetch, judge, network, outcomes, preprocess, publish, reply, web, write};

/// A part of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// The double of the network: its API, its webhooks, its mail server.
    Network,
    /// The page, its API, and the webhook.
    Web,
    /// Puts posts on the network.
    Publish,
    /// Fetches comments that no webhook has told of, each minute.
    Fetch,
    /// Makes comments to numbers.
    Preprocess,
    /// Judges comments by the model, in batches.
    Judge,
    /// Writes verdicts to the database, tells the page, queues answers.
    Write,
    /// Writes to the database what was published and answered.
    Outcomes,
    /// Answers who wants to help.
    Reply,
    /// Sends mails with PINs.
    Email,
}

/// What of it runs here.
#[derive(Default)]
pub struct Running {
    workers: Vec<Worker>,
    servings: Vec<Serving>,
    tasks: JoinSet<()>,
    /// Where the page is, if it is here.
    pub page: Option<String>,
}

impl Running {
    pub async fn start(&mut self, stage: Stage, shared: &Shared) -> anyhow::Result<()> {
        let started = match stage {
            Stage::Web => web::start(shared, self).await,
            Stage::Publish => publish::start(shared).await.map(|worker| self.workers.push(worker)),
            Stage::Fetch => fetch::start(shared).await.map(|worker| self.workers.push(worker)),
            Stage::Preprocess => preprocess::start(shared).await.map(|worker| self.workers.push(worker)),
            Stage::Judge => judge::start(shared).await,
            Stage::Write => write::start(shared, self).await,
            Stage::Outcomes => outcomes::start(shared).await.map(|worker| self.workers.push(worker)),
            Stage::Reply => reply::start(shared).await.map(|worker| self.workers.push(worker)),
            Stage::Email => email::start(shared).await.map(|worker| self.workers.push(worker)),
            Stage::Network => network::start(shared, self).await,
        };
        started.with_context(|| format!("starting the stage {stage:?}"))
    }

    /// Something goes on until this ends.
    pub fn own(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    pub fn serves(&mut self, serving: Serving) {
        self.servings.push(serving);
    }

    /// What is in hand is finished; what is not goes to others, or waits for the next start.
    pub async fn close(mut self, limit: Duration) {
        for worker in self.workers.drain(..) {
            worker.stop(limit).await;
        }
        for serving in self.servings.drain(..) {
            serving.close(limit).await;
        }
        self.tasks.shutdown().await;
    }
}

/// Why an attempt failed, with all that led to it, for the outcome of its job.
#[expect(clippy::needless_pass_by_value, reason = "it is for `map_err`")]
pub fn told(error: anyhow::Error) -> BoxError {
    format!("{error:#}").into()
}
