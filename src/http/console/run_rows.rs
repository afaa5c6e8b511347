//! Runs in a list.

use super::health::{Finding, Weight};
use super::words;
use crate::workflow::{Inspection, Listed, Phase, RunId, Search, Status, Workflows};
use futures::{StreamExt, stream};

/// How many runs are read at the same time.
const AT_ONCE: usize = 8;

/// A run in a list.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) status: Option<Status>,
    pub(super) flow: String,
    pub(super) class: &'static str,
    pub(super) words: String,
    pub(super) began: String,
    pub(super) took: String,
    pub(super) done: usize,
    pub(super) steps: usize,
    /// Why it failed, or what it waits for.
    pub(super) note: String,
}

/// The page of a run.
pub(super) fn address(id: &RunId) -> String {
    format!("/console/workflows/{}", words::encoded(id.short()))
}

/// How a run is, as the class that colours it and a word.
pub(super) fn status(inspected: Option<&Inspection>, status: Option<Status>) -> (&'static str, String) {
    let Some(status) = status else { return ("ready", "unknown".to_owned()) };
    let waits = inspected.is_some_and(|run| run.steps.iter().any(|step| step.waiting.is_some()));
    let paused = inspected.is_some_and(|run| run.paused);
    match status {
        Status::Running if paused => ("paused", "paused".to_owned()),
        Status::Running if waits => ("waiting", "waiting".to_owned()),
        Status::Running => ("active", "running".to_owned()),
        Status::Finished => ("done", "finished".to_owned()),
        Status::Failed => ("failed", "failed".to_owned()),
        Status::Terminating => ("cancelled", "terminating".to_owned()),
        Status::Terminated => ("cancelled", "terminated".to_owned()),
    }
}

/// How long a run took, or takes.
pub(super) fn took(run: &Inspection) -> String {
    let now = jiff::Timestamp::now().to_string();
    let Some(began) = &run.began else { return String::new() };
    let ended = run.ended.as_ref().filter(|_| run.status.is_over()).unwrap_or(&now);
    words::between(began, ended).map(words::long).unwrap_or_default()
}

impl Row {
    fn of(listed: &Listed, inspected: Option<&Inspection>) -> Self {
        let (id, status) = (&listed.id, inspected.map(|run| run.status).or(listed.status));
        let (class, words) = self::status(inspected, status);
        let tasks = || inspected.into_iter().flat_map(|run| &run.steps).filter(|step| step.task);
        let failure = inspected.and_then(|run| run.failures.last()).map(ToString::to_string);
        let waiting = tasks().find_map(|step| step.waiting.as_ref());
        let note = match (failure, waiting) {
            (Some(failure), _) if status == Some(Status::Failed) => failure,
            (_, Some(waiting)) if status == Some(Status::Running) => waiting.to_string(),
            _ => String::new(),
        };
        Self {
            id: id.short().to_owned(),
            address: address(id),
            status,
            flow: listed.flow.clone().unwrap_or_default(),
            class,
            words,
            began: listed.began.as_deref().map(words::time).unwrap_or_default(),
            took: inspected.map(took).unwrap_or_default(),
            done: tasks().filter(|step| matches!(step.phase, Phase::Done | Phase::Skipped)).count(),
            steps: tasks().count(),
            note: words::short(&note, 160),
        }
    }

    /// How much of it is done, of 100.
    pub(super) fn percent(&self) -> usize {
        (self.done * 100).checked_div(self.steps).unwrap_or(0)
    }
}

/// The rows of some runs.
pub(super) async fn rows(workflows: &Workflows, runs: Vec<Listed>) -> Vec<Row> {
    let read = |listed: Listed| async move {
        let inspected = workflows.inspect(&listed.id).await.ok();
        Row::of(&listed, inspected.as_ref())
    };
    stream::iter(runs).map(read).buffered(AT_ONCE).collect().await
}

/// The rows of the newest runs; why there are none.
pub(super) async fn newest(workflows: &Workflows, count: usize) -> (Vec<Row>, Option<Finding>) {
    match workflows.find(&Search { count, ..Search::default() }).await {
        Ok(found) => (rows(workflows, found.runs).await, None),
        Err(error) => {
            let (subject, address) = ("the runs".to_owned(), "/console/workflows".to_owned());
            let text = format!("cannot be read: {error}");
            (Vec::new(), Some(Finding { weight: Weight::Bad, subject, text, address }))
        }
    }
}

/// What is wrong with some runs.
pub(super) fn findings(rows: &[Row]) -> impl Iterator<Item = Finding> {
    rows.iter().filter(|row| row.status == Some(Status::Failed)).map(|row| Finding {
        weight: Weight::Bad,
        subject: row.id.clone(),
        text: format!("has failed: {}", row.note),
        address: row.address.clone(),
    })
}
