//! `mape knowledge`

use super::arguments::KnowledgeCommand;
use super::{Global, Output, Usage, backend, note};
use anyhow::{Result, bail};
use futures::StreamExt;
use mape::backend::Backend;
use mape::channel::Pattern;
use mape::knowledge::{Change, Cursor, Data, Filter, Key, KeyCommand, Notice, Reply, ValueCommand};
use serde_json::{Value as Json, json};

pub(super) async fn run(global: &Global, command: &KnowledgeCommand, output: &mut Output) -> Result<()> {
    match command {
        KnowledgeCommand::List { pattern } => list(global, pattern, output).await,
        KnowledgeCommand::Get { name } => get(global, name, output).await,
        KnowledgeCommand::Set { name, value, text } => set(global, name, value, *text, output).await,
        KnowledgeCommand::Watch { pattern, count } => watch(global, pattern, *count, output).await,
    }
}

/// The full name: one that is not in a scope is the app's.
fn full(name: &str) -> String {
    if name.starts_with("k.") { name.to_owned() } else { format!("k.app.{name}") }
}

async fn list(global: &Global, pattern: &str, output: &mut Output) -> Result<()> {
    let backend = backend::shared(global).await?;
    let mut keys = keys(&backend, &Pattern::new(pattern)).await?;
    keys.sort_unstable();
    keys.dedup();
    for key in &keys {
        if let Reply::Kind(kind) = backend.store().run(key, KeyCommand::Kind.into()).await? {
            output.write(format!("{kind:<6}  {key}"), &json!({"key": key, "kind": kind}))?;
        }
    }
    backend.close().await;
    if keys.is_empty() {
        note(global, "empty", &format!("no key matches {pattern}"));
    }
    Ok(())
}

async fn keys(backend: &Backend, pattern: &Pattern) -> Result<Vec<Key>> {
    let (mut keys, mut cursor) = (Vec::new(), Some(Cursor::default()));
    while let Some(from) = cursor {
        let page = backend.store().scan(pattern, from).await?;
        keys.extend(page.keys);
        cursor = page.next;
    }
    Ok(keys)
}

async fn get(global: &Global, name: &str, output: &mut Output) -> Result<()> {
    let backend = backend::shared(global).await?;
    let key = Key::from(full(name));
    let store = backend.store();
    let Reply::Kind(kind) = store.run(&key, KeyCommand::Kind.into()).await? else {
        bail!("there is no {key}; `mape knowledge list` shows what there is");
    };
    let Some(all) = kind.read_all() else { bail!("{key} is a {kind}, which this version cannot show") };
    let value = store.run(&key, all).await?.to_json();
    backend.close().await;
    output.write(&value, &json!({"key": key, "kind": kind, "value": value}))
}

async fn set(global: &Global, name: &str, value: &str, text: bool, output: &mut Output) -> Result<()> {
    let data = if text {
        Data::from(value)
    } else {
        let value: Json = Usage::json("the value", value)
            .map_err(|error| Usage::error(format!("{error}; or give --text to keep it as it is")))?;
        Data::from(value.to_string())
    };
    let backend = backend::shared(global).await?;
    let key = Key::from(full(name));
    let command = ValueCommand::Set { value: data.clone(), expiry: None };
    backend.store().run(&key, command.into()).await?.done(&key)?;
    backend.close().await;
    output.write(format!("{key} is set"), &json!({"key": key, "value": data.to_json()}))
}

async fn watch(global: &Global, pattern: &str, count: Option<u64>, output: &mut Output) -> Result<()> {
    let backend = backend::shared(global).await?;
    let mut changes = backend.store().watch(Filter::glob(pattern)).await?;
    note(global, "watching", &format!("watching {pattern} on {}", backend.url()));
    let mut left = count.unwrap_or(u64::MAX);
    while left > 0 {
        match changes.next().await {
            None => break,
            Some(Notice::Change(change)) => {
                show(&change, output)?;
                left -= 1;
            }
            Some(Notice::Missed(n)) => note(global, "missed", &format!("{n} changes were missed")),
            Some(_) => {
                note(global, "interrupted", "the backend was out of reach; changes may be missing here");
            }
        }
    }
    backend.close().await;
    Ok(())
}

fn show(change: &Change, output: &mut Output) -> Result<()> {
    let of = |data: &Option<Data>| data.as_ref().map(Data::to_json);
    let line = json!({
        "key": change.key,
        "operation": change.operation,
        "field": of(&change.field),
        "old": of(&change.old),
        "new": of(&change.new),
    });
    let parts = [("field", &change.field), ("old", &change.old), ("new", &change.new)];
    let parts = parts.iter().filter_map(|(name, data)| Some(format!("  {name} {}", of(data)?)));
    output.write(format!("{}  {}{}", change.key, change.operation, parts.collect::<String>()), &line)
}
