//! What a node has published goes into the log of all.

use super::metered;
use super::node::Node;
use crate::event::Retention;
use crate::stream::Backoff;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use tracing::{debug, info, warn};

/// Appends what waits, a batch at a time, for ever.
pub(in crate::live) async fn publish(node: Arc<Node>) {
    let keep = node.hub.settings().shared_history;
    let mut untrimmed = 0;
    loop {
        let events = node.outgoing.take(&node.id).await;
        let count = events.len() as u64;
        let mut failures = 0;
        // Entries that are there twice, since an answer was lost, are known by their numbers.
        while let Err(error) = node.log.append_all(events.clone()).await {
            if failures == 0 {
                let error = &error as &dyn std::error::Error;
                warn!(error, "parts can't be shared with other nodes; it is tried again");
            }
            node.outgoing.away(true);
            sleep(pause(failures)).await;
            failures += 1;
        }
        if failures > 0 {
            info!("parts are shared with other nodes again");
        }
        node.outgoing.away(false);
        node.meter.add(metered::SHARED, count);
        node.meter.set(metered::WAITING, node.outgoing.waiting() as f64);
        untrimmed += count;
        if untrimmed > keep / 10 + 100 {
            untrimmed = 0;
            if let Err(error) = node.log.trim(Retention::Entries(keep)).await {
                debug!(%error, "the log of parts can't be trimmed now");
            }
        }
    }
}

/// How long to wait before a backend that is away is asked again.
pub(super) fn pause(failures: u32) -> Duration {
    Backoff::exponential(Duration::from_millis(50), Duration::from_secs(1)).wait(failures).unwrap_or_default()
}
