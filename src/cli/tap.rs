//! `mape tap`

use super::arguments::PortOption;
use super::events::Events;
use super::service::{Service, ServiceArguments, element};
use super::{Global, Output, note};
use anyhow::{Context, Error, Result};
use clap::Args;
use futures::StreamExt;

#[derive(Debug, Args)]
pub(super) struct TapArguments {
    /// The element: loop.element or level.loop.element
    path: String,
    /// The port: in or out
    #[arg(long, value_name = "PORT", default_value = "out", value_parser = PortOption::side)]
    port: PortOption,
    /// End after this many items
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    #[command(flatten)]
    service: ServiceArguments,
}

pub(super) async fn run(global: &Global, arguments: &TapArguments, output: &mut Output) -> Result<()> {
    let TapArguments { path, port, count, .. } = arguments;
    let element = element(path)?;
    let service = Service::of(global, &arguments.service)?;
    let events =
        service.events(&format!("{element}/stream"), &[("port", port.of_element().as_str())]).await?;
    note(global, "listening", &format!("listening to what passes {path} on {}", service.shown()));
    let (mut parts, mut text) = (events.bytes_stream(), Events::default());
    let mut left = count.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(part) = parts.next().await else {
            note(global, "ended", "the element or the service has ended");
            break;
        };
        let part = part.map_err(|error| Error::from(error.without_url()));
        text.push(&part.context("the service went away")?);
        while left > 0
            && let Some((kind, data)) = text.next()
        {
            if kind.is_empty() {
                output.line(&data)?;
                left -= 1;
            } else {
                note(global, &kind, &format!("{kind}: {data}"));
            }
        }
    }
    Ok(())
}
