//! The live server of `mape serve`.

use super::{Global, Usage};
use anyhow::{Context, Result};
use futures::StreamExt;
use mape::app::App;
use mape::channel::{Pattern, Topics};
use mape::live::{Error, Job, Live, Rules, Settings, running};
use mape::stream::Notification;
use mape::workflow::Workflows;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long other processes are given what was published here.
const HANDED_ON_WITHIN: Duration = Duration::from_secs(3);
/// How long it waits for what others have published before; then who comes back is told that the gap is not known.
const READY_WITHIN: Duration = Duration::from_secs(3);
/// How long is waited for room in a pipeline.
const PAUSE: Duration = Duration::from_millis(20);
/// How many runs of a flow do jobs at a time.
const AT_A_TIME: usize = 1024;

/// A live server, and what publishes the items of channels there.
pub(super) struct LiveServer {
    pub(super) live: Live,
    _channels: JoinSet<()>,
}

impl LiveServer {
    /// As the section `live` says.
    pub(super) async fn start(global: &Global, app: &App) -> Result<Self> {
        let config = global.load()?;
        let live = Live::with(
            app,
            Settings::configured(&config.live),
            Rules::configured(&config).map_err(|error| Usage::error(error.to_string()))?,
        );
        live.configured(&config).map_err(|error| Usage::error(error.to_string()))?;
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
                        // Every process on a server hears it.
                        Notification::Next(value) => publish_here(&live, channel.as_str(), value).await,
                        Notification::Error(error) => Err(anyhow::Error::from(error)),
                        Notification::Completed => Ok(()),
                    };
                    if let Err(error) = published {
                        tracing::warn!(channel = channel.as_str(), %error, "an item of a channel is not published");
                    }
                }
            });
        }
        let _ = tokio::time::timeout(READY_WITHIN, live.ready()).await;
        Ok(Self { live, _channels: channels })
    }

    /// Lets runs of the flows in a directory do jobs: those of `NAME.flow` the jobs called `flow:NAME`.
    pub(super) fn offer(&self, app: &App, workflows: &Workflows, directory: &Path) -> Result<()> {
        let files = fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
        let mut files: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "flow"));
        files.sort();
        let mut flows = None;
        for file in files {
            let Some(name) = file.file_stem().and_then(|stem| stem.to_str()) else { continue };
            let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
            if flows.is_none() {
                flows = Some(app.create_loop("flows")?);
            }
            let Some(flows) = &flows else { continue };
            let element =
                flows.execute::<Job>(name).each_unordered(AT_A_TIME, running(workflows, text)).spawn();
            match element {
                Ok(element) => self.live.job(&format!("flow:{name}"), &element)?,
                Err(error) => {
                    tracing::warn!(file = %file.display(), %error, "no jobs can be asked for by this name");
                }
            }
        }
        Ok(())
    }

    /// Lets other processes have what was published here.
    pub(super) async fn close(self) {
        self.live.close();
        let _ = tokio::time::timeout(HANDED_ON_WITHIN, self.live.flush()).await;
    }
}

/// Publishes as soon as there is room.
async fn publish_here(live: &Live, name: &str, value: Value) -> Result<()> {
    loop {
        match live.publish_here(name, value.clone()) {
            Err(Error::Full { .. }) => tokio::time::sleep(PAUSE).await,
            published => return Ok(published?),
        }
    }
}
