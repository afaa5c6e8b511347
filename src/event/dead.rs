//! Dead letters.

use super::event::timestamp;
use super::{Event, EventId, GroupName, LogName};
use crate::stream::clock;
use serde_json::json;

/// An event as it goes to the dead letters: with a field that says where it was, how often it was tried, and why it is
/// there.
pub(crate) fn dead_letter(
    event: Event,
    log: &LogName,
    group: &GroupName,
    id: EventId,
    attempts: u64,
    reason: &str,
) -> Event {
    let at = timestamp(clock::now());
    event.with(
        "dead",
        json!({"log": log, "group": group, "id": id, "attempts": attempts, "reason": reason, "at": at}),
    )
}
