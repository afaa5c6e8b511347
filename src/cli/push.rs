//! `mape push`

use super::arguments::PortOption;
use super::service::{Port, Service, ServiceArguments, element};
use super::usage::excerpt;
use super::{Global, Output, Usage, note};
use anyhow::{Context, Result, bail};
use clap::Args;
use futures::SinkExt;
use mape::edge::{Client, PostPort, PostSink};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, stdin};
use tokio::sync::mpsc::{Receiver, channel};

#[derive(Debug, Args)]
pub(super) struct PushArguments {
    /// The element: loop.element or level.loop.element
    path: String,
    /// The item, as JSON; @FILE is what a file holds, - an item a line of standard input
    #[arg(value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    item: String,
    /// The port: in or out
    #[arg(long, value_name = "PORT", default_value = "in", value_parser = PortOption::side)]
    port: PortOption,
    /// Push it as an error, which passes the element by
    #[arg(long)]
    error: bool,
    #[command(flatten)]
    service: ServiceArguments,
}

pub(super) async fn run(global: &Global, arguments: &PushArguments, output: &mut Output) -> Result<()> {
    let PushArguments { path, item, .. } = arguments;
    let element = element(path)?;
    if item == "-" {
        let service = Service::of(global, &arguments.service)?;
        let pushed = lines(global, arguments, &service, &element).await?;
        return output.write(format!("pushed {pushed} into {path}"), &json!({"accepted": pushed}));
    }
    let item = match item.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).with_context(|| format!("reading {file}"))?,
        None => item.clone(),
    };
    let item: Box<RawValue> = Usage::json("the item", &item)?;
    let service = Service::of(global, &arguments.service)?;
    let answer = post(arguments, &service, &element, item.get()).await?;
    let number = answer.get("id").map(|id| format!(", number {id}")).unwrap_or_default();
    let what = if arguments.error { "an error" } else { "an item" };
    output.write(format!("pushed {what} into {path}{number}"), &answer)
}

async fn post(arguments: &PushArguments, service: &Service, element: &str, json: &str) -> Result<Value> {
    let kind = if arguments.error { "error" } else { "next" };
    let query = [("port", arguments.port.of_element().as_str()), ("notification", kind)];
    service.post(element, &query, json.to_owned()).await
}

/// Pushes what standard input has, a line each as it comes; how many were taken.
async fn lines(global: &Global, arguments: &PushArguments, service: &Service, element: &str) -> Result<u64> {
    // Whether it is there at all is said before anything is read.
    service.json(element).await?;
    let mut lines = standard_input()?;
    if arguments.error {
        let mut pushed = 0;
        while let Some(line) = lines.recv().await {
            post(arguments, service, element, line?.get()).await?;
            pushed += 1;
        }
        return Ok(pushed);
    }
    let mut client = Client::new();
    if let Some(token) = &service.token {
        client = client.token(token.expose())?;
    }
    let port = if arguments.port.of_element() == Port::In { PostPort::In } else { PostPort::Out };
    let mut sink = PostSink::new(service.url.as_str(), &arguments.path)?.client(&client).port(port);
    let (stats, mut wrong) = (sink.stats(), None);
    while let Some(line) = lines.recv().await {
        let mut next = Some(line);
        // What is there already goes in one body.
        while let Some(line) = next.take() {
            match line {
                Ok(line) => sink.feed(line).await?,
                Err(error) => wrong = Some(error),
            }
            next = lines.try_recv().ok();
        }
        sink.flush().await?;
        if stats.refused() > 0 || wrong.is_some() {
            break;
        }
    }
    sink.close().await?;
    note(global, "sent", &format!("{} taken, {} refused", stats.sent(), stats.refused()));
    if let Some(error) = wrong {
        return Err(error);
    }
    if stats.refused() > 0 {
        bail!("{}", stats.last_error().unwrap_or_default());
    }
    Ok(stats.sent())
}

/// The lines of standard input, read by a thread, as reading can't be given up.
pub(super) fn standard_input() -> Result<Receiver<Result<Box<RawValue>>>> {
    let (sender, lines) = channel(1024);
    let read = move || {
        for (number, line) in (1..).zip(stdin().lock().lines()) {
            let line = line.context("reading standard input").and_then(|line| {
                let said = || format!("line {number} of standard input is no JSON: {}", excerpt(&line));
                if line.trim().is_empty() { Ok(None) } else { serde_json::from_str(&line).with_context(said) }
            });
            let Some(line) = line.transpose() else { continue };
            let is_wrong = line.is_err();
            if sender.blocking_send(line).is_err() || is_wrong {
                return;
            }
        }
    };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(read).context("starting a thread")?;
    Ok(lines)
}
