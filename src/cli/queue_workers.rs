//! The queues of `mape serve`.

use super::Usage;
use anyhow::Result;
use futures::future::join_all;
use mape::app::App;
use mape::config::{Config, Error};
use mape::queue::{Declared, Queues, Worker, doing};
use mape::workflow::{Task, Tasks};
use std::time::Duration;

/// How long jobs in hand may take once the program is told to end; then others do them.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);

/// The queues that the configuration declares, and who works on them here.
pub(super) struct QueueWorkers(Vec<Worker>);

impl QueueWorkers {
    /// Opens the queues of the configuration; if there are tasks, works on those that name one.
    pub(super) async fn start(config: &Config, app: &App, tasks: Option<&Tasks>) -> Result<Self> {
        let queues = Queues::new(app);
        let all = Declared::configured(config)?;
        if let Some(tasks) = tasks {
            check(config, tasks)?;
        }
        let mut opened = Vec::new();
        for declared in &all {
            opened.push(queues.declare(declared).await?);
        }
        let (mut workers, mut hosts) = (Vec::new(), None);
        for queue in opened {
            let task = config.queues.get(queue.name()).and_then(|section| section.task.as_ref());
            let (Some(task), Some(tasks)) = (task, tasks) else { continue };
            let Some(found) = tasks.find(&task.name) else { continue };
            let hosts = match &hosts {
                Some(hosts) => hosts,
                None => hosts.insert(app.create_loop("queues")?),
            };
            let working = doing(found, &task.name, task.parameters.clone());
            let uid = uid(queue.name());
            let element = hosts.execute(&uid).each_unordered(queue.settings().concurrency, working).spawn();
            let element = element.map_err(|error| {
                Usage::error(format!("no element can work on queue `{}`: {error}", queue.name()))
            })?;
            workers.push(queue.work(&element).await?);
        }
        Ok(Self(workers))
    }

    /// On how many queues it works.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Begins nothing more, and waits for what is in hand.
    pub(super) async fn stop(self) {
        join_all(self.0.into_iter().map(|worker| worker.stop(SETTLED_WITHIN))).await;
    }
}

/// Says which queue of the configuration names a task that there is not, or gives one what it does not take.
pub(super) fn check(config: &Config, tasks: &Tasks) -> Result<(), Error> {
    for (name, section) in &config.queues {
        let Some(task) = &section.task else { continue };
        let place = format!("queues.{name}.task");
        let wrong = if let Some(found) = tasks.find(&task.name) {
            let Some(reason) = found.wrong(&task.name, &task.parameters).into_iter().next() else { continue };
            format!("`{place}`: `{}`{reason}", task.name)
        } else {
            let known: Vec<&str> = tasks.iter().map(Task::name).collect();
            format!("`{place}`: there is no task `{}`; there are {}", task.name, known.join(", "))
        };
        return Err(config.wrong(&place, wrong));
    }
    Ok(())
}

/// The name of a queue as an element is called: no two have one, and none is a word that means something in a path.
fn uid(name: &str) -> String {
    format!("q:{}", name.replace('.', ":"))
}
