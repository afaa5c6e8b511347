//! `mape live`

use super::events::Events;
use super::service::{Refused, Service, ServiceArguments};
use super::{Global, Output, Usage, note};
use anyhow::{Error, Result, bail};
use clap::{Args, Subcommand};
use futures::StreamExt;
use mape::condition::Condition;
use reqwest::Response;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

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
        count: arguments.count.unwrap_or(u64::MAX),
        until: None,
        is_over: arguments.count == Some(0),
    };
    let mut told = Told::of(listen(&service, arguments, &following).await?);
    let lifetime = arguments.lifetime.as_deref().and_then(length);
    following.until = lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
    note(global, "listening", &format!("listening to what is published on {}", service.shown()));
    while !following.is_over {
        let gone = match told.next().await {
            Some(Ok((kind, data))) => {
                following.hear(global, &kind, &data, output)?;
                continue;
            }
            Some(Err(error)) => format!("{error:#}"),
            None => "the service has ended".to_owned(),
        };
        note(global, "gone", &format!("{gone}; coming back"));
        told = loop {
            tokio::time::sleep(PAUSE).await;
            if following.left().is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
            match listen(&service, arguments, &following).await {
                Ok(response) => break Told::of(response),
                Err(error) if error.downcast_ref().is_some_and(Refused::is_final) => return Err(error),
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
    let left = following.left().map(|left| format!("{}ms", left.as_millis()));
    query.extend(left.as_ref().or(arguments.lifetime.as_ref()).map(|lifetime| ("lifetime", &**lifetime)));
    query.extend(following.since.iter().map(|since| ("since", &**since)));
    service.events("/live/stream", &query).await
}

/// How far somebody who follows has come.
struct Following {
    since: Option<String>,
    epoch: String,
    count: u64,
    /// When its time is over, once it has begun.
    until: Option<Instant>,
    is_over: bool,
}

impl Following {
    /// How much of its time is left.
    fn left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// The service is at this position, and what came since the last one follows, if that is known.
    fn begins(&mut self, position: String, recovered: Option<bool>) {
        self.epoch = position.rsplit_once(':').map(|(epoch, _)| epoch.to_owned()).unwrap_or_default();
        // What was missed is still to come then, and this is behind it.
        if recovered != Some(true) {
            self.since = Some(position);
        }
    }

    fn hear(&mut self, global: &Global, kind: &str, data: &str, output: &mut Output) -> Result<()> {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let value: Value = serde_json::from_str(data).unwrap_or_default();
        match kind {
            "" => {
                output.line(data)?;
                self.count -= 1;
                self.is_over |= self.count == 0;
                if let Some(offset) = text(&value, "offset") {
                    self.since = Some(format!("{}:{offset}", self.epoch));
                }
            }
            "hello" => {
                let recovered = value.get("recovered").and_then(Value::as_bool);
                if recovered == Some(false) {
                    note(global, "missed", "what was published in between is not known any more");
                }
                self.begins(text(&value, "position").unwrap_or_default(), recovered);
            }
            _ => {
                note(global, kind, &format!("{kind}: {data}"));
                self.is_over |= kind == "expired";
            }
        }
        Ok(())
    }
}

/// A length of time as it is written; `None` if it is for the service to judge.
fn length(text: &str) -> Option<Duration> {
    let written = text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    written.or_else(|| Duration::try_from_secs_f64(text.parse().ok()?).ok())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_when_all_before_it_has_come() {
        let mut following =
            Following { since: Some("e:5".into()), epoch: "e".into(), count: 9, until: None, is_over: false };
        for (recovered, since) in [(Some(true), "e:5"), (Some(false), "e:8"), (None, "e:8")] {
            following.begins("e:8".to_owned(), recovered);
            assert_eq!(following.since.as_deref(), Some(since));
        }
    }

    #[test]
    fn lengths_of_time_are_read_as_the_service_reads_them() {
        let read = ["500ms", "10s", "1m 30s", "2", "x"].map(length);
        let millis = |n| Some(Duration::from_millis(n));
        assert_eq!(read, [millis(500), millis(10_000), millis(90_000), millis(2000), None]);
    }
}
