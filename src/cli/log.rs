//! `mape log`

use super::arguments::LogCommand;
use super::{Global, Output, Usage, backend, note};
use anyhow::Result;
use futures::StreamExt;
use mape::event::{Entry, Event, EventId, Log};
use serde_json::{Value as Json, json};

pub(super) async fn run(global: &Global, command: &LogCommand, output: &mut Output) -> Result<()> {
    match command {
        LogCommand::Append { name, event, kind } => {
            append(global, name, event, kind.as_deref(), output).await
        }
        LogCommand::Read { name, from, to, count } => {
            let backend = backend::shared(global).await?;
            let log = backend.events().log(name.as_str());
            read(&log, (*from, *to), *count, output).await?;
            backend.close().await;
            Ok(())
        }
        LogCommand::Groups { name } => groups(global, name, output).await,
        LogCommand::Follow { name, all, count } => follow(global, name, *all, *count, output).await,
    }
}

async fn append(
    global: &Global,
    name: &str,
    event: &str,
    kind: Option<&str>,
    output: &mut Output,
) -> Result<()> {
    let fields: Json = Usage::json("the event", event)?;
    let Ok(mut event) = Event::of(&fields) else {
        return Err(Usage::error(format!("the event {event} is no object: write {{\"NAME\": VALUE, …}}")));
    };
    if let Some(kind) = kind {
        event = event.of_kind(kind);
    }
    let backend = backend::shared(global).await?;
    let id = backend.events().log(name).append(event.stamped()).await?;
    backend.close().await;
    output.write(format!("{name} {id}"), &json!({"log": name, "id": id}))
}

/// How many entries are read at a time.
const PAGE: usize = 1000;

async fn read(log: &Log, (mut from, to): (EventId, EventId), count: u64, output: &mut Output) -> Result<()> {
    let mut left = count;
    while left > 0 {
        let page = log.range(from, to, PAGE.min(usize::try_from(left).unwrap_or(PAGE))).await?;
        let Some(last) = page.last() else { break };
        from = last.id.next();
        left -= page.len() as u64;
        for entry in &page {
            show(entry, output)?;
        }
    }
    Ok(())
}

fn show(entry: &Entry, output: &mut Output) -> Result<()> {
    match &entry.event {
        Ok(event) => output.write(format!("{}  {event}", entry.id), &json!({"id": entry.id, "event": event})),
        Err(malformed) => output.write(
            format!("{}  no event: {malformed}", entry.id),
            &json!({"id": entry.id, "error": malformed.to_string(), "fields": malformed.fields}),
        ),
    }
}

async fn groups(global: &Global, name: &str, output: &mut Output) -> Result<()> {
    let backend = backend::shared(global).await?;
    let info = backend.events().log(name).info().await?;
    backend.close().await;
    let entries = if info.len == 1 { "entry" } else { "entries" };
    let mut lines = vec![format!("{name}: {} {entries}, the last event is {}", info.len, info.last)];
    lines.push(if info.groups.is_empty() {
        "no group reads it".to_owned()
    } else {
        format!("{:<24} {:>9} {:>9} {:>9}  last delivered", "group", "lag", "pending", "consumers")
    });
    lines.extend(info.groups.iter().map(|group| {
        let (name, last) = (group.name.as_str(), group.last_delivered);
        format!("{name:<24} {:>9} {:>9} {:>9}  {last}", group.lag, group.pending, group.consumers)
    }));
    output.write(
        lines.join("\n"),
        &json!({"log": name, "len": info.len, "last": info.last, "groups": info.groups}),
    )
}

async fn follow(
    global: &Global,
    name: &str,
    all: bool,
    count: Option<u64>,
    output: &mut Output,
) -> Result<()> {
    let backend = backend::shared(global).await?;
    let after = if all { EventId::MIN } else { EventId::MAX };
    let mut entries = std::pin::pin!(backend.events().log(name).follow(after));
    note(global, "following", &format!("following {name} on {}", backend.url()));
    let mut left = count.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(entry) = entries.next().await else { break };
        show(&entry?, output)?;
        left -= 1;
    }
    backend.close().await;
    Ok(())
}
