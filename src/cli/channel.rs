//! `mape channel`

use super::arguments::ChannelCommand;
use super::{Global, Output, Usage, backend, note};
use anyhow::Result;
use futures::StreamExt;
use jiff::Timestamp;
use mape::channel::{ChannelName, Pattern, Received, Topics};
use mape::stream::Notification;
use serde_json::{Value as Json, json};

pub(super) async fn run(global: &Global, command: &ChannelCommand, output: &mut Output) -> Result<()> {
    match command {
        ChannelCommand::Publish { name, value, bare } => publish(global, name, value, *bare, output).await,
        ChannelCommand::Subscribe { patterns, count, bare } => {
            subscribe(global, patterns, *count, *bare, output).await
        }
    }
}

async fn publish(global: &Global, name: &str, value: &str, bare: bool, output: &mut Output) -> Result<()> {
    let value: Json = Usage::json("the item", value)?;
    let backend = backend::shared(global).await?;
    let name = ChannelName::from(name);
    let reached = backend.channels().publish_once(&name, &value, bare).await?;
    backend.close().await;
    let heard = if reached == 1 { "1 subscription".to_owned() } else { format!("{reached} subscriptions") };
    output.write(format!("published on {name} to {heard}"), &json!({"channel": name, "reached": reached}))
}

async fn subscribe(
    global: &Global,
    patterns: &[String],
    count: Option<u64>,
    bare: bool,
    output: &mut Output,
) -> Result<()> {
    let backend = backend::shared(global).await?;
    let topics = Topics::patterns(patterns.iter().map(|pattern| Pattern::new(pattern)));
    let source = backend.channels().source::<Json>(topics).await?;
    note(global, "listening", &format!("listening to {} on {}", patterns.join(", "), backend.url()));
    let mut items = std::pin::pin!(if bare { source.bare() } else { source }.received());
    let mut left = count.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(received) = items.next().await else { break };
        left -= u64::from(show(global, received, output)?);
    }
    backend.close().await;
    Ok(())
}

/// Shows what came; whether it was an item.
fn show(global: &Global, received: Received<Json>, output: &mut Output) -> Result<bool> {
    let Received { channel, origin, notification, .. } = received;
    let name = channel.as_ref().map_or("", ChannelName::as_str);
    match notification {
        Notification::Next(value) => {
            let at = origin.as_ref().and_then(|origin| Timestamp::try_from(origin.at?).ok());
            let line = json!({
                "channel": channel,
                "value": value,
                "src": origin.as_ref().map(|origin| &origin.src),
                "seq": origin.as_ref().map(|origin| origin.seq),
                "at": at.map(|at| format!("{at:.6}")),
            });
            output.write(format!("{name}  {value}"), &line)?;
            return Ok(true);
        }
        Notification::Error(error) => note(global, "error", &error.to_string()),
        Notification::Completed => note(global, "completed", &format!("{name}: a publisher has ended")),
    }
    Ok(false)
}
