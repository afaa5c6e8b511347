//! What comes by itself: lines of a file, and messages of a WebSocket.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use mape::edge::{FileTail, WebSocketSource};
use mape::live::Live;
use mape::prelude::*;
use serde_json::Value;

use crate::journal::Journal;
use crate::services::Services;

/// Follows the file of calls as `calls`, and the WebSocket as `pulse`.
pub fn follow(app: &App, live: &Live, journal: &Journal, services: &Arc<Services>) -> anyhow::Result<()> {
    publish(app, live, "calls", FileTail::<Value>::json(journal.path()))?;
    publish(app, live, "pulse", WebSocketSource::<Value>::new(&format!("ws://{}/pulse", services.pulse))?)
}

/// Publishes the items of a source under a name; what goes wrong is logged, and the source goes on.
fn publish<E: std::fmt::Display + Send + 'static>(
    app: &App,
    live: &Live,
    name: &'static str,
    source: impl Stream<Item = Result<Value, E>> + Send + 'static,
) -> anyhow::Result<()> {
    let element = app.find_loop("dashboard")?.monitor(name).map(|item: Value| item).spawn()?;
    element.link_sink(live.results(name), LinkOptions::new())?;
    element.start()?;
    element.feed(source.filter_map(move |item| async move {
        item.inspect_err(|error| tracing::warn!(source = name, %error, "a source goes on after an error"))
            .ok()
    }));
    Ok(())
}
