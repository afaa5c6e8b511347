//! A worker at work in this process alone: what an engine would ask of it, asked by hand.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

use std::pin::pin;

use anyhow::Context;
use mape::event::{Entry, Event};
use mape::prelude::*;
use mape::workflow::Worker;
use serde_json::{Value, json};

/// The beginning of a task, as an engine writes it into the log `workflows:run`.
pub fn start(name: &str, index: u32, parameters: Value, input: Value) -> Event {
    let event = Event::new("start-task").with("name", name).with("base", name).with("index", index);
    event.with("workflow", "workflow:demo").with("parameters", parameters).with("input", input).stamped()
}

/// Lets a worker do all this on a log in memory, and shows the ends: a line each, in order of their steps.
pub async fn show(worker: Worker, events: Vec<Event>) -> anyhow::Result<()> {
    let app = App::new();
    let log = app.logs().log("workflows:run");
    let worker = worker.start(&app).await?;
    let count = events.iter().filter(|event| event.is("start-task")).count();
    log.append_all(events).await?;
    let ends = pin!(log.follow(mape::event::EventId::MIN).filter_map(|entry| std::future::ready(end(entry))));
    let mut ends: Vec<Event> = ends.take(count).collect().await;
    ends.sort_by_key(|end| end.get("index").and_then(|index| index.as_u64()));
    for end in ends {
        let said = |name: &str| end.get(name).context("every end has it");
        let (name, status) = (said("name")?, said("status")?);
        let more = end.get("output").or_else(|| end.get("reason")).unwrap_or_else(|| json!(""));
        println!(
            "{:<16} {:<9} {more}",
            name.as_str().unwrap_or_default(),
            status.as_str().unwrap_or_default()
        );
    }
    worker.drain().await;
    Ok(())
}

fn end(entry: Result<Entry, mape::event::Error>) -> Option<Event> {
    entry.ok()?.event.ok().filter(|event| event.is("end-task"))
}
