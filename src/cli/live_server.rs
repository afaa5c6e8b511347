//! The live server of `mape serve`.

use super::{Global, Usage};
use anyhow::Result;
use futures::StreamExt;
use mape::app::App;
use mape::channel::{Pattern, Topics};
use mape::config::Config;
use mape::live::{Live, Rules, Settings};
use mape::stream::Notification;
use serde_json::Value;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long other processes are given what was published here.
const HANDED_ON_WITHIN: Duration = Duration::from_secs(3);

/// A live server, and what publishes the items of channels there.
pub(super) struct LiveServer {
    pub(super) live: Live,
    _channels: JoinSet<()>,
}

impl LiveServer {
    /// As the section `live` says.
    pub(super) async fn start(global: &Global, app: &App) -> Result<Self> {
        let config = global.load()?;
        let live = Live::with(app, Settings::configured(&config.live), rules(&config)?);
        let mut channels = JoinSet::new();
        if !config.live.channels.is_empty() {
            let topics = Topics::patterns(config.live.channels.iter().map(|pattern| Pattern::new(pattern)));
            let source = app.channels().source::<Value>(topics).await?;
            let live = live.clone();
            channels.spawn(async move {
                let mut received = Box::pin(source.received());
                while let Some(one) = received.next().await {
                    let Some(channel) = one.channel else { continue };
                    // What backends tell each other is nobody's result.
                    if channel.as_str().starts_with("mape:") || channel.as_str().starts_with("__key") {
                        continue;
                    }
                    let published = match one.notification {
                        Notification::Next(value) => live.publish(channel.as_str(), value).map_err(Into::into),
                        Notification::Error(error) => Err(anyhow::Error::from(error)),
                        Notification::Completed => Ok(()),
                    };
                    if let Err(error) = published {
                        tracing::warn!(channel = channel.as_str(), %error, "an item of a channel is not published");
                    }
                }
            });
        }
        Ok(Self { live, _channels: channels })
    }

    /// Lets other processes have what was published here.
    pub(super) async fn close(self) {
        self.live.close();
        let _ = tokio::time::timeout(HANDED_ON_WITHIN, self.live.flush()).await;
    }
}

fn rules(config: &Config) -> Result<Rules> {
    serde_path_to_error::deserialize(Value::Array(config.live.rules.clone()))
        .map_err(|error| Usage::error(format!("live.rules: {error}")))
}
