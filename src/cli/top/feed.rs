//! Asks the service, as long as somebody looks.

use super::super::events::Events;
use super::super::service::Service;
use super::answers::{Goal, Missed, Run, Runs, TaskQueue};
use super::looking::Closer;
use super::model::News;
use anyhow::{Error, Result, anyhow, bail};
use futures::StreamExt;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// How much may wait to be shown; whoever tells waits then.
const WAITING: usize = 64;
/// A service gives a sign of life every fifteen seconds.
const SILENT: Duration = Duration::from_secs(40);
/// How long after a failure it is asked again, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// How many runs are listed.
const RUNS: &str = "200";
/// How often runs, queues and goals are asked for at most.
const OFTEN: Duration = Duration::from_secs(1);

/// What is told of a service; it is asked until this is dropped.
pub(super) struct Feed {
    pub(super) news: mpsc::Receiver<News>,
    closer: watch::Sender<Option<Closer>>,
    _tasks: JoinSet<()>,
}

impl Feed {
    pub(super) fn of(service: Service, every: Duration) -> Self {
        let (service, (sender, news)) = (Arc::new(service), mpsc::channel(WAITING));
        let (closer, asked) = watch::channel(None);
        let mut tasks = JoinSet::new();
        tasks.spawn(watch_elements(Arc::clone(&service), sender.clone()));
        tasks.spawn(ask_for_the_rest(Arc::clone(&service), sender.clone(), every.max(OFTEN)));
        tasks.spawn(ask_closer(service, sender, asked, every));
        Self { news, closer, _tasks: tasks }
    }

    /// What is to be known more of.
    pub(super) fn look_closer(&self, at: Option<Closer>) {
        self.closer.send_if_modified(|closer| {
            let is_new = *closer != at;
            *closer = at;
            is_new
        });
    }
}

/// Tells of elements as they change, and whether the service is there.
async fn watch_elements(service: Arc<Service>, news: mpsc::Sender<News>) {
    let mut pause = AGAIN.0;
    loop {
        let mut has_told = false;
        let Err(error) = watch_once(&service, &news, &mut has_told).await else { return };
        if has_told {
            pause = AGAIN.0;
        }
        let why = error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
        if news.send(News::Away(why)).await.is_err() {
            return;
        }
        sleep(pause).await;
        pause = (pause * 2).min(AGAIN.1);
    }
}

/// The same until the service goes away; nothing, once nobody listens.
async fn watch_once(service: &Service, news: &mpsc::Sender<News>, has_told: &mut bool) -> Result<()> {
    let place = service.shown();
    let answer = timeout(SILENT, service.events("/topology/stream", &[])).await;
    let answer = answer.map_err(|_| anyhow!("{place} does not answer"))??;
    let (mut parts, mut events) = (answer.bytes_stream(), Events::default());
    loop {
        let part = timeout(SILENT, parts.next()).await.map_err(|_| anyhow!("{place} is silent"))?;
        let Some(part) = part else { bail!("{place} has ended") };
        events
            .push(&part.map_err(|error| Error::from(error.without_url()).context("the service went away"))?);
        while let Some((kind, data)) = events.next() {
            let heard = match kind.as_str() {
                "topology" => read(&data).map(News::Topology),
                "counters" => read(&data).map(News::Counters),
                "event" => read(&data).map(News::Happened),
                "missed" => read(&data).map(|Missed { missed }| News::Missed(missed)),
                _ => continue,
            };
            if news.send(heard?).await.is_err() {
                return Ok(());
            }
            *has_told = true;
        }
    }
}

fn read<T: DeserializeOwned>(data: &str) -> Result<T> {
    serde_json::from_str(data).map_err(|error| anyhow!("it says something that is not known here: {error}"))
}

async fn get<T: DeserializeOwned>(
    service: &Service,
    path: &str,
    query: &[(&str, &str)],
) -> Result<T, String> {
    let found = service.json_of(path, query).await.and_then(|json| Ok(serde_json::from_value(json)?));
    found.map_err(|error| error.to_string())
}

async fn ask_for_the_rest(service: Arc<Service>, news: mpsc::Sender<News>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut told = vec![News::Runs(runs(&service).await)];
        told.extend(in_progress(&service).await.map(News::InProgress));
        told.push(News::Queues(queues(&service).await));
        told.push(News::Goals(goals(&service).await));
        for one in told {
            if news.send(one).await.is_err() {
                return;
            }
        }
    }
}

/// The newest runs.
pub(super) async fn runs(service: &Service) -> Result<Runs, String> {
    get(service, "/runs", &[("count", RUNS)]).await
}

/// How many runs are not over.
pub(super) async fn in_progress(service: &Service) -> Option<usize> {
    get::<Vec<String>>(service, "/inprogress", &[]).await.ok().map(|ids| ids.len())
}

/// The task queues.
pub(super) async fn queues(service: &Service) -> Result<Vec<TaskQueue>, String> {
    get(service, "/queues", &[]).await
}

/// The goals; services that have none need not know of any.
pub(super) async fn goals(service: &Service) -> Result<Vec<Goal>, String> {
    get(service, "/goals", &[]).await
}

/// Tells more of what is looked at more closely.
async fn ask_closer(
    service: Arc<Service>,
    news: mpsc::Sender<News>,
    mut asked: watch::Receiver<Option<Closer>>,
    every: Duration,
) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            changed = asked.changed() => if changed.is_err() { return },
        }
        let closer = asked.borrow_and_update().clone();
        let told = match closer {
            None => continue,
            Some(Closer::Element(path)) => {
                let Some((in_loop, uid)) = path.split_once('.') else { continue };
                // One that is gone is shown as it was.
                let Ok(is) = get(&service, &format!("/loops/{in_loop}/elements/{uid}"), &[]).await else {
                    continue;
                };
                News::Element(Box::new(is))
            }
            Some(Closer::Run(id)) => {
                let run: Result<Run, String> = get(&service, &format!("/runs/{id}"), &[]).await;
                News::Run(id, Box::new(run))
            }
        };
        if news.send(told).await.is_err() {
            return;
        }
    }
}
