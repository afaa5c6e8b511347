//! What runs wait for, and the people whom they ask.

use super::{run_rows, words};
use crate::workflow::{Inspected, RunId, Status, Waiting, WaitsFor, Workflows};
use futures::{StreamExt, stream};

/// How many of the newest runs are looked at.
const LOOKED_AT: usize = 200;

/// A question that a run asks a person.
pub(super) struct Question {
    pub(super) run: String,
    pub(super) address: String,
    pub(super) text: String,
    pub(super) who: String,
    pub(super) since: String,
    pub(super) until: String,
    /// Where the answer goes.
    pub(super) answer: String,
    pub(super) part: u32,
}

impl Question {
    /// What a step asks, if it asks.
    pub(super) fn of(id: &RunId, step: &Inspected) -> Option<Self> {
        let waiting = step.waiting.as_ref().filter(|waiting| waiting.waits_for == WaitsFor::Person)?;
        let text = if waiting.what.is_empty() { "May it go on?" } else { &waiting.what };
        Some(Self {
            run: id.short().to_owned(),
            address: run_rows::address(id),
            text: text.to_owned(),
            who: waiting.who.join(", "),
            since: step.started.as_deref().map(words::time).unwrap_or_default(),
            until: waiting.until.as_deref().map(words::time).unwrap_or_default(),
            answer: format!("/runs/{}/steps/{}/end", words::encoded(id.short()), step.index),
            part: step.part,
        })
    }
}

/// The questions of the newest runs, and how many of these go on.
pub(super) async fn open(workflows: &Workflows) -> (Vec<Question>, usize) {
    let runs = workflows.list(0, LOOKED_AT).await.unwrap_or_default();
    let running: Vec<RunId> =
        runs.into_iter().filter(|(_, status)| *status == Status::Running).map(|(id, _)| id).collect();
    let count = running.len();
    let ask = |id: RunId| async move {
        let steps = workflows.inspect(&id).await.map(|run| run.steps).unwrap_or_default();
        steps.iter().filter_map(|step| Question::of(&id, step)).collect::<Vec<_>>()
    };
    let questions: Vec<Vec<Question>> = stream::iter(running).map(ask).buffered(8).collect().await;
    (questions.into_iter().flatten().collect(), count)
}

/// What is waited for, in words.
pub(super) fn in_words(waiting: &Waiting) -> String {
    let what = &waiting.what;
    let words = match waiting.waits_for {
        WaitsFor::Person => format!("waits for an answer: {what}"),
        WaitsFor::Event => format!("waits for the event {what}"),
        WaitsFor::Latch => format!("waits for the latch {what}"),
        WaitsFor::Time => format!("waits for {what}"),
        WaitsFor::Callback => format!("waits to be called back by {what}"),
    };
    match &waiting.until {
        Some(until) => format!("{words} until {}", words::time(until)),
        None => words,
    }
}
