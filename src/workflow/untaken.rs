//! Tasks that were announced to workers, and that none of them has.

use super::{Error, Inspected, Inspection, Phase, Place, Workflows};
use crate::event::{Entry, EventId, Log};
use std::collections::HashMap;
use std::time::Duration;

/// How far the clock of an engine may be from that of the log, in milliseconds.
const CLOCKS_APART: u64 = 10_000;
/// How many events are looked through for that of a step.
const LOOKED_THROUGH: usize = 10_000;

impl Workflows {
    /// What is to be said of the steps of a run that were to run for longer than `after`, and that neither an engine nor a
    /// worker has in hand.
    ///
    /// # Errors
    ///
    /// What the backend says.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn untaken(&self, run: &Inspection, after: Duration) -> Result<HashMap<Place, String>, Error> {
        let mut untaken = announced(&self.log(), run, after).await?;
        let own = run.steps.iter().filter_map(|step| {
            let since = step.untaken.filter(|untaken| *untaken >= after)?;
            Some((place(step), format!("nobody has taken it for {} s", since.as_secs())))
        });
        untaken.extend(own);
        Ok(untaken)
    }
}

fn place(step: &Inspected) -> Place {
    Place { node: step.index, part: step.part }
}

async fn announced(all: &Log, run: &Inspection, after: Duration) -> Result<HashMap<Place, String>, Error> {
    let mut untaken = HashMap::new();
    let now = jiff::Timestamp::try_from(super::Time::now().system_time()).unwrap_or_default();
    for step in run.steps.iter().filter(|step| is_announced(step)) {
        let Some(started) = step.started.as_ref().and_then(|at| at.parse::<jiff::Timestamp>().ok()) else {
            continue;
        };
        let since = Duration::try_from(now.duration_since(started)).unwrap_or_default();
        if since < after {
            continue;
        }
        let from = u64::try_from(started.as_millisecond()).unwrap_or_default().saturating_sub(CLOCKS_APART);
        let events = all.range(EventId::new(from, 0), EventId::MAX, LOOKED_THROUGH).await?;
        // What is not there was answered: whoever takes receipts has taken it out.
        let Some(event) = events.iter().find(|entry| is_start_of(entry, run, step)) else { continue };
        if let Some(why) = nobody_has(all, event.id).await? {
            untaken.insert(place(step), format!("nobody has taken it for {} s: {why}", since.as_secs()));
        }
    }
    Ok(untaken)
}

/// Whether workers may have been told of it: what waits is not theirs.
fn is_announced(step: &Inspected) -> bool {
    step.task && step.phase == Phase::Active && step.untaken.is_none() && step.waiting.is_none()
}

fn is_start_of(entry: &Entry, run: &Inspection, step: &Inspected) -> bool {
    let Ok(event) = &entry.event else { return false };
    let number = |name: &str, absent: u64| event.get(name).map_or(Some(absent), |number| number.as_u64());
    event.kind().as_deref() == Some("start-task")
        && event.get("workflow").is_some_and(|id| id.as_str() == Some(run.id.full()))
        && event.get("index").is_some_and(|index| index.as_u64() == Some(step.index.into()))
        && number("part", 0) == Some(step.part.into())
        && number("attempt", 1) == Some(step.attempt.into())
}

/// Why no group has an event in hand, if none has.
async fn nobody_has(log: &Log, id: EventId) -> Result<Option<String>, Error> {
    let mut behind = Vec::new();
    for group in log.info().await?.groups {
        if group.last_delivered < id {
            behind.push(group.name.to_string());
            continue;
        }
        let first = log.event_log().pending(log.name(), &group.name, id, 1).await?;
        if first.first().is_some_and(|pending| pending.id == id) {
            return Ok(None);
        }
    }
    Ok(Some(if behind.is_empty() {
        "all groups have acknowledged it, so none has this task, or whoever has it answers later".to_owned()
    } else {
        format!("no worker of {} is there, or they have enough to do", behind.join(", "))
    }))
}
