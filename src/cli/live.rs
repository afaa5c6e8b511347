//! `mape live`

use super::events::Events;
use super::service::{Service, ServiceArguments};
use super::{Global, Output, Usage, note};
use anyhow::{Error, Result, bail};
use clap::{Args, Subcommand};
use futures::StreamExt;
use mape::condition::Condition;
use reqwest::Response;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(super) enum LiveCommand {
    /// Have a job done and show the parts of its result as they come, a line of JSON each
    Ask(AskArguments),
    /// Show what is published, as it comes, a line of JSON each, until Ctrl-C; whoever is cut off comes back for what it
    /// missed
    Follow(FollowArguments),
    /// Publish under a name, for the members of that group and whoever is interested
    Publish(PublishArguments),
}

#[derive(Debug, Args)]
pub(super) struct AskArguments {
    /// The name of the job
    name: String,
    /// Its input, as JSON
    #[arg(value_name = "JSON", default_value = "{}", allow_hyphen_values = true)]
    input: String,
    #[command(flatten)]
    service: ServiceArguments,
}

#[derive(Debug, Args)]
pub(super) struct FollowArguments {
    /// Only what fulfils a condition, such as '** contains joe@doe.com'; of several, any
    #[arg(long, value_name = "CONDITION")]
    when: Vec<String>,
    /// Only names that match a pattern, such as 'car_*'; of several, any
    #[arg(long = "name", value_name = "PATTERN")]
    names: Vec<String>,
    /// For so long, such as 10s
    #[arg(long = "for", value_name = "TIME")]
    lifetime: Option<String>,
    /// What came behind this position first, EPOCH:OFFSET, as far as it is still known
    #[arg(long, value_name = "POSITION")]
    since: Option<String>,
    /// End after this many parts
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    #[command(flatten)]
    service: ServiceArguments,
}

#[derive(Debug, Args)]
pub(super) struct PublishArguments {
    /// The name
    name: String,
    /// What to publish, as JSON
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    data: String,
    #[command(flatten)]
    service: ServiceArguments,
}

/// How long is waited before a service that has gone is asked again.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn run(global: &Global, command: &LiveCommand, output: &mut Output) -> Result<()> {
    match command {
        LiveCommand::Ask(arguments) => ask(global, arguments, output).await,
        LiveCommand::Follow(arguments) => follow(global, arguments, output).await,
        LiveCommand::Publish(arguments) => publish(global, arguments, output).await,
    }
}

async fn ask(global: &Global, arguments: &AskArguments, output: &mut Output) -> Result<()> {
    let input: Box<RawValue> = Usage::json("the input", &arguments.input)?;
    let service = Service::of(global, &arguments.service)?;
    let job = json!({"name": arguments.name, "input": input}).to_string();
    let mut told = Told::of(service.post_events("/live/jobs", job).await?);
    let (mut failed, mut has_ended) = (None, false);
    while let Some(event) = told.next().await {
        let (kind, data) = event?;
        if kind.is_empty() {
            output.line(&data)?;
            failed = error_of(&data).or(failed);
        } else {
            has_ended |= kind == "end";
            note(global, &kind, &format!("{kind}: {data}"));
        }
    }
    match failed {
        Some(error) => bail!("the job failed: {error}"),
        None if has_ended => Ok(()),
        None => bail!("the service went away before the job had ended"),
    }
}

fn error_of(part: &str) -> Option<String> {
    let part: Value = serde_json::from_str(part).ok()?;
    Some(part.get("error")?.as_str()?.to_owned())
}

async fn follow(global: &Global, arguments: &FollowArguments, output: &mut Output) -> Result<()> {
    for condition in &arguments.when {
        Condition::parse(condition).map_err(|error| Usage::error(format!("--when: {error}")))?;
    }
    let service = Service::of(global, &arguments.service)?;
    let mut following = Following {
        since: arguments.since.clone(),
        epoch: String::new(),
        left: arguments.count.unwrap_or(u64::MAX),
        is_over: arguments.count == Some(0),
    };
    let mut told = Told::of(listen(&service, arguments, &following).await?);
    note(global, "listening", &format!("listening to what is published on {}", service.shown()));
    while !following.is_over {
        let gone = match told.next().await {
            Some(Ok((kind, data))) => {
                following.hear(global, &kind, &data, output)?;
                continue;
            }
            Some(Err(error)) => format!("{error:#}"),
            None if arguments.lifetime.is_some() => break,
            None => "the service has ended".to_owned(),
        };
        note(global, "gone", &format!("{gone}; coming back"));
        told = loop {
            tokio::time::sleep(PAUSE).await;
            match listen(&service, arguments, &following).await {
                Ok(response) => break Told::of(response),
                Err(error) => tracing::debug!(%error, "the service is still away"),
            }
        };
    }
    Ok(())
}

/// Asks for what is to be followed.
async fn listen(service: &Service, arguments: &FollowArguments, following: &Following) -> Result<Response> {
    let mut query: Vec<_> = arguments.when.iter().map(|when| ("interest", &**when)).collect();
    query.extend(arguments.names.iter().map(|name| ("names", &**name)));
    if query.is_empty() {
        query.push(("all", "true"));
    }
    query.extend(arguments.lifetime.iter().map(|lifetime| ("lifetime", &**lifetime)));
    query.extend(following.since.iter().map(|since| ("since", &**since)));
    service.events("/live/stream", &query).await
}

/// How far somebody who follows has come.
struct Following {
    since: Option<String>,
    epoch: String,
    left: u64,
    is_over: bool,
}

impl Following {
    fn hear(&mut self, global: &Global, kind: &str, data: &str, output: &mut Output) -> Result<()> {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let value: Value = serde_json::from_str(data).unwrap_or_default();
        match kind {
            "" => {
                output.line(data)?;
                self.left -= 1;
                self.is_over |= self.left == 0;
                if let Some(offset) = text(&value, "offset") {
                    self.since = Some(format!("{}:{offset}", self.epoch));
                }
            }
            "hello" => {
                let position = text(&value, "position").unwrap_or_default();
                if value.get("recovered") == Some(&Value::Bool(false)) {
                    note(global, "missed", "what was published in between is not known any more");
                }
                self.epoch = position.rsplit_once(':').map(|(epoch, _)| epoch.to_owned()).unwrap_or_default();
                self.since = Some(position);
            }
            _ => {
                note(global, kind, &format!("{kind}: {data}"));
                self.is_over |= kind == "expired";
            }
        }
        Ok(())
    }
}

async fn publish(global: &Global, arguments: &PublishArguments, output: &mut Output) -> Result<()> {
    let data: Box<RawValue> = Usage::json("what to publish", &arguments.data)?;
    let service = Service::of(global, &arguments.service)?;
    let name = percent_encoding::utf8_percent_encode(&arguments.name, percent_encoding::NON_ALPHANUMERIC);
    let answer = service.post(&format!("/live/names/{name}"), &[], data.get().to_owned()).await?;
    output.write(format!("published as {}", arguments.name), &answer)
}

/// What a service tells, event by event.
struct Told {
    parts: futures::stream::BoxStream<'static, Result<Vec<u8>>>,
    text: Events,
}

impl Told {
    fn of(response: Response) -> Self {
        let parts = response.bytes_stream();
        let parts = parts.map(|part| match part {
            Ok(part) => Ok(part.to_vec()),
            Err(error) => Err(Error::from(error.without_url()).context("the service went away")),
        });
        Self { parts: parts.boxed(), text: Events::default() }
    }

    async fn next(&mut self) -> Option<Result<(String, String)>> {
        loop {
            if let Some(event) = self.text.next() {
                return Some(Ok(event));
            }
            match self.parts.next().await? {
                Ok(part) => self.text.push(&part),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
