//! `mape tap`

use super::arguments::PortOption;
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

/// Server-sent events as their text comes in.
#[derive(Default)]
struct Events {
    text: Vec<u8>,
}

impl Events {
    fn push(&mut self, part: &[u8]) {
        self.text.extend_from_slice(part);
    }

    /// The next event that is whole: its kind, which an item has none of, and its data.
    fn next(&mut self) -> Option<(String, String)> {
        loop {
            let end = self.text.windows(2).position(|pair| pair == b"\n\n")?;
            let event: Vec<u8> = self.text.drain(..end + 2).collect();
            let event = String::from_utf8_lossy(&event).into_owned();
            let field =
                |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            // Others are signs of life.
            if let Some(data) = field("data:") {
                return Some((field("event:").unwrap_or_default().to_owned(), data.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_however_their_text_is_cut() {
        let text = b":\n\ndata: 1\n\nevent: missed\ndata: {\"missed\":2}\n\n:\n\ndata: \"three\"\n\n";
        for size in 1..text.len() {
            let (mut events, mut found) = (Events::default(), Vec::new());
            for part in text.chunks(size) {
                events.push(part);
                found.extend(std::iter::from_fn(|| events.next()));
            }
            let found: Vec<_> = found.iter().map(|(kind, data)| (kind.as_str(), data.as_str())).collect();
            assert_eq!(found, [("", "1"), ("missed", "{\"missed\":2}"), ("", "\"three\"")]);
        }
    }
}
