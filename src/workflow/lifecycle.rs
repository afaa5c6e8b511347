//! Those who list runs, beside programs of other kinds that do.

use super::adopting::OURS;
use super::turner::LEASE;
use super::{Error, RunId, Status, Workflows, history, keys, wire};
use crate::app::Loop;
use crate::event::{Delivery, Event};
use crate::knowledge::{self, HashCommand, KeyCommand, Reply, SetCommand, Transaction, ValueCommand};
use futures::StreamExt;
use serde_json::Value;
use std::future;

/// What a run is marked with whose listing is left to this group.
pub(super) const UNLISTED: &str = "unlisted";
/// What it is about.
const KINDS: [&str; 4] = ["start-workflow", "end-workflow", "failed-workflow", "terminated-workflow"];

/// Adds a member of the group `lifecycle` to the loop of an engine.
pub(super) async fn spawn(own: &Loop, workflows: &Workflows, engine: &str) -> Result<(), Error> {
    let group = workflows.log().group(&workflows.names().lifecycle).consumer(format!("{OURS}{engine}"));
    // However many of its engines were killed, what a run has come to is listed.
    let group = group.receipts().lease(LEASE).attempts(u64::MAX);
    let events = group.select(KINDS).source::<Value>().await?;
    let events = events.filter_map(|event| {
        future::ready(
            event.inspect_err(|error| tracing::warn!(%error, "an event about a run cannot be read")).ok(),
        )
    });
    let workflows = workflows.clone();
    let list = own.execute::<Delivery<Value>>("lifecycle").act_async(move |delivery: Delivery<Value>| {
        let workflows = workflows.clone();
        async move {
            if let Err(error) = list(&workflows, &delivery).await {
                tracing::warn!(%error, "a run could not be listed; it is tried again");
                delivery.give_back(None);
            }
        }
    });
    list.spawn()?.feed(events);
    Ok(())
}

/// Lists a run that begins, or takes one off the list of those in progress, as one with the receipt.
async fn list(workflows: &Workflows, delivery: &Delivery<Value>) -> Result<(), Error> {
    let Some(id) = history::text(delivery, "workflow").map(RunId::from) else {
        delivery.acknowledge();
        return Ok(());
    };
    let (names, store) = (workflows.names(), workflows.store());
    let (steps, state) = (keys::steps(&id), keys::state(&id));
    let reading = Transaction::new()
        .run(steps.clone(), HashCommand::Len)
        .run(steps.clone(), HashCommand::Has(UNLISTED.into()))
        .run(names.in_progress.clone(), SetCommand::Has(id.full().into()))
        .run(state.clone(), ValueCommand::Get)
        .run(keys::definition(&id), KeyCommand::Exists);
    let mut replies = store.commit(reading).await?.replies.into_iter();
    let mut next = || replies.next().unwrap_or(Reply::Nil);
    let is_ours = next().count(&steps)? > 0;
    let is_unlisted = next().flag(&steps)?;
    let is_in_progress = next().flag(&names.in_progress)?;
    let word = next().non_nil().map(|reply| reply.data(&state)).transpose()?;
    // It may have been deleted since.
    let is_there = next().flag(&keys::definition(&id))?;
    let status = word.as_ref().and_then(wire::status);
    let is_over = status.is_none_or(Status::is_over);
    let full = id.full();
    let change = Transaction::new().expect_pending(delivery.consumer(), delivery.id());
    let kind = history::text(delivery, "kind");
    // Ours is over when we say so; but others may have had the last word, and left the state to this group.
    let is_to_be_finished = kind.as_deref() == Some("end-workflow")
        && status == Some(Status::Running)
        && (!is_ours || is_ended_by_others(workflows, &id).await?);
    let change = match kind.as_deref() {
        Some("start-workflow") if is_there && (is_unlisted || !(is_ours || is_in_progress)) => {
            let change = if is_unlisted { change.hdel(steps, UNLISTED) } else { change };
            let change = change.lpush(names.all.clone(), full);
            if is_over { change } else { change.sadd(names.in_progress.clone(), full) }
        }
        Some("start-workflow") => change,
        Some("end-workflow") if is_to_be_finished => change
            .expect_value(state.clone(), Status::Running.word())
            .srem(names.in_progress.clone(), full)
            .set(state, Status::Finished.word()),
        // It may have been restarted since.
        _ if is_over => change.srem(names.in_progress.clone(), full),
        _ => change,
    };
    let change = change.append(&names.log, Event::receipt(delivery.id(), "processed")).acknowledge(
        &names.log,
        &names.lifecycle,
        delivery.id(),
    );
    match store.commit(change).await {
        // Or another has it.
        Ok(_) | Err(knowledge::Error::Conflict(_)) => delivery.settled(),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Whether others have changed a run of ours since we did, and nothing is in work but its end, which they tell first.
async fn is_ended_by_others(workflows: &Workflows, id: &RunId) -> Result<bool, Error> {
    let loaded = workflows.load(id).await?;
    let end = loaded.definition.graph().end();
    let running = loaded.state.running(&loaded.definition);
    Ok(loaded.found.is_some() && running.iter().all(|(place, ..)| place.index() == end))
}
