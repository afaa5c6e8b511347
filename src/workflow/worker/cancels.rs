//! Events that cancel attempts.

use super::super::{Invocation, Place, RunId};
use crate::event::{Event, EventId, Group, Log};
use foldhash::fast::RandomState;
use futures::{Stream, StreamExt, future};
use serde::Deserialize;
use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;

/// The kind of such an event.
const KIND: &str = "cancel-task";

/// An attempt whose end is no longer wanted.
#[derive(Clone, Debug)]
pub(super) struct Cancel {
    pub(super) at: EventId,
    attempt: Attempt,
}

type Attempt = (RunId, Place, u32);

#[derive(Deserialize)]
struct Words {
    workflow: RunId,
    index: u32,
    #[serde(default)]
    part: u32,
    attempt: Option<NonZeroU32>,
}

impl Cancel {
    fn read(at: EventId, event: &Event) -> Option<Self> {
        let words: Words = event
            .read()
            .inspect_err(
                |error| tracing::warn!(id = %at, %error, "an event that cancels a task cannot be read"),
            )
            .ok()?;
        let place = Place { node: words.index, part: words.part };
        Some(Self { at, attempt: (words.workflow, place, words.attempt.map_or(1, NonZeroU32::get)) })
    }

    /// Whether it means what was begun by the event `id`.
    pub(super) fn means(&self, id: EventId, invocation: &Invocation) -> bool {
        let (run, place, attempt) = &self.attempt;
        id < self.at
            && *attempt == invocation.attempt()
            && *place == invocation.place()
            && run == invocation.workflow()
    }
}

/// The cancels of a log, from before everything that the group has not done.
pub(super) async fn follow(
    log: &Log,
    group: &Group,
) -> Result<impl Stream<Item = Cancel> + Send + use<>, crate::event::Error> {
    let undelivered = group.info().await?.map_or(EventId::MIN, |info| info.last_delivered);
    let unfinished = group.pending(1).await?.first().map(|pending| pending.id);
    let after = unfinished.map_or(undelivered, |first| first.min(undelivered));
    let name = log.name().clone();
    Ok(log.follow(after).filter_map(move |entry| {
        let cancel = match entry {
            Ok(entry) => {
                entry.event.ok().filter(|event| event.is(KIND)).and_then(|e| Cancel::read(entry.id, &e))
            }
            Err(error) => {
                tracing::warn!(log = %name, %error, "a worker hears no more of what is cancelled");
                None
            }
        };
        future::ready(cancel)
    }))
}

/// How many are remembered.
const REMEMBERED: usize = 1024;

/// Cancels of what is not in hand: it may come yet, from the log or from a worker that died.
///
/// The oldest is forgotten when there are too many; the attempt is made in vain then, and its end changes nothing.
#[derive(Default)]
pub(super) struct Cancels {
    at: HashMap<Attempt, EventId, RandomState>,
    order: VecDeque<Attempt>,
}

impl Cancels {
    pub(super) fn remember(&mut self, cancel: Cancel) {
        if self.at.insert(cancel.attempt.clone(), cancel.at).is_none() {
            self.order.push_back(cancel.attempt);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.at.remove(&oldest);
        }
    }

    /// Whether what is begun by the event `id` was cancelled before it came.
    pub(super) fn has(&self, id: EventId, invocation: &Invocation) -> bool {
        if self.at.is_empty() {
            return false;
        }
        let attempt = (invocation.workflow().clone(), invocation.place(), invocation.attempt());
        self.at.get(&attempt).is_some_and(|at| id < *at)
    }
}
