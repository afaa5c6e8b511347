//! Who works elsewhere, and says so in the log.

use super::ledger::effort;
use super::link::Link;
use super::plan::output;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use mape::event::{Delivery, Event, Log};
use mape::workflow::{Place, RunId};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The log over which tasks are handed over.
pub(super) const FAR: &str = "far";

/// What is to be done.
#[derive(Clone, Debug, Deserialize)]
struct Start {
    name: String,
    workflow: RunId,
    index: u32,
    part: u32,
    attempt: u32,
    input: Value,
}

/// Takes what falls to it, works on it, and says that it has ended.
pub(super) async fn work(link: Arc<Link>, twice: u64) {
    let backend = link.backend();
    let group = backend.events().log(FAR).group("workers").lease(Duration::from_secs(3)).attempts(u64::MAX);
    let mut source = loop {
        match group.source::<Start>().await {
            Ok(source) => break source,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    let runs = backend.events().log("workflows:run");
    let mut at_work = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(()) = at_work.next() => {}
            delivery = source.next() => match delivery {
                Some(Ok(delivery)) => at_work.push(one(link.clone(), runs.clone(), delivery, twice)),
                _ => return,
            },
        }
    }
}

async fn one(link: Arc<Link>, runs: Log, start: Delivery<Start>, twice: u64) {
    let world = &link.world;
    tokio::time::sleep(world.draw(effort)).await;
    let place = Place { node: start.index, part: start.part };
    let ended = world.ledger.end(&start.workflow, place, start.attempt, &start.name);
    let event = Event::default()
        .with("name", start.name.as_str())
        .with("index", start.index)
        .with("workflow", start.workflow.full());
    let event = if start.part == 0 { event } else { event.with("part", start.part) };
    let event = match ended {
        // As those say it that know no attempts.
        Ok(()) if world.happens(300) => event.with("output", output(&start.name, &start.input)),
        Ok(()) => event
            .with("attempt", start.attempt)
            .with("output", output(&start.name, &start.input))
            .with("status", "SUCCESS"),
        Err(reason) => event.with("attempt", start.attempt).with("status", "FAILURE").with("reason", reason),
    };
    let event = event.with("kind", "end-task").stamped();
    while runs.append(event.clone()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    start.acknowledge();
    if world.happens(twice) {
        let late = Duration::from_millis(world.draw(|random| match random.u8(..3) {
            0 => 0,
            1 => random.u64(..500),
            _ => random.u64(500..20_000),
        }));
        // It ends by itself.
        let (world, start_of) = (world.clone(), (start.workflow.clone(), start.index));
        drop(tokio::spawn(async move {
            tokio::time::sleep(late).await;
            let what = format!("{} #{}", start_of.0.short(), start_of.1);
            world.note(&"chance".into(), "twice", what);
            drop(world.runs_log().append(event).await);
        }));
    }
}
