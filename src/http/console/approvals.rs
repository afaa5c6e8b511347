//! What runs wait for, and the people whom they ask.

use super::{run_rows, words};
use crate::workflow::{Inspected, RunId, WaitsFor, Workflows};
use futures::{StreamExt, stream};

/// How many runs are looked at.
const LOOKED_AT: usize = 500;

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
}

impl Question {
    /// What a step asks, if it asks.
    pub(super) fn of(id: &RunId, step: &Inspected) -> Option<Self> {
        let waiting = step.waiting.as_ref().filter(|waiting| waiting.waits_for == WaitsFor::Person)?;
        let text = if waiting.what.is_empty() { "May it go on?" } else { &waiting.what };
        let place = match step.part {
            0 => step.index.to_string(),
            part => format!("{}.{part}", step.index),
        };
        Some(Self {
            run: id.short().to_owned(),
            address: run_rows::address(id),
            text: text.to_owned(),
            who: waiting.who.join(", "),
            since: step.started.as_deref().map(words::time).unwrap_or_default(),
            until: waiting.until.as_deref().map(words::time).unwrap_or_default(),
            answer: format!("/runs/{}/steps/{place}/end", words::encoded(id.short())),
        })
    }
}

/// The questions of runs that go on, and how many of these there are.
pub(super) async fn open(workflows: &Workflows) -> (Vec<Question>, usize) {
    let running = workflows.in_progress().await.unwrap_or_default();
    let count = running.len();
    let ask = |id: RunId| async move {
        let steps = workflows.inspect(&id).await.map(|run| run.steps).unwrap_or_default();
        steps.iter().filter_map(|step| Question::of(&id, step)).collect::<Vec<_>>()
    };
    let asked = stream::iter(running.into_iter().take(LOOKED_AT)).map(ask).buffered(8);
    let asked: Vec<Vec<Question>> = asked.collect().await;
    let mut questions: Vec<Question> = asked.into_iter().flatten().collect();
    questions.sort_by(|one, other| (&one.since, &one.answer).cmp(&(&other.since, &other.answer)));
    (questions, count)
}
