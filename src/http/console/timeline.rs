//! What happened to a run, event by event.

use super::words;
use crate::flow::Graph;
use crate::workflow::{Cause, Outcome, Time};
use serde::Deserialize;
use serde_json::Value;

/// More are not shown; the archive has all.
const MOST: usize = 500;

/// Something that happened.
pub(super) struct Entry {
    pub(super) at: String,
    /// Since the run began.
    pub(super) after: String,
    pub(super) class: &'static str,
    pub(super) text: String,
    pub(super) detail: String,
}

/// The history of a run as an archive has it.
#[derive(Deserialize)]
struct Record {
    at: Time,
    causes: Vec<Cause>,
}

/// The newest entries of a history, the newest first, and how many there are in all.
pub(super) fn entries(archive: &Value, graph: &Graph) -> (Vec<Entry>, usize) {
    let records = archive.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = |record: &Value| Record::deserialize(record).ok();
    let began = records.first().and_then(read).map_or_else(Time::default, |record| record.at);
    let all: Vec<(Time, Cause)> = records
        .iter()
        .filter_map(read)
        .flat_map(|record| record.causes.into_iter().map(move |cause| (record.at, cause)))
        .collect();
    let count = all.len();
    let newest = all.iter().rev().take(MOST).map(|(at, cause)| {
        let (class, text, detail) = told(cause, graph);
        let (written, after) = (at.to_string(), at.since(began).as_secs_f64());
        Entry { at: words::time(&written), after: words::long(after), class, text, detail }
    });
    (newest.collect(), count)
}

fn told(cause: &Cause, graph: &Graph) -> (&'static str, String, String) {
    let label = |place: &crate::workflow::Place| match place.part {
        0 => graph.label(place.index()),
        part => format!("{} in part {part}", graph.label(place.index())),
    };
    let plain = |class, text: String| (class, text, String::new());
    match cause {
        Cause::Begin { input } => {
            let input = input.as_ref().map(|input| words::value(input, 400)).unwrap_or_default();
            ("active", "The run began".to_owned(), input)
        }
        Cause::Ended { place, attempt, outcome } => {
            let (label, again) =
                (label(place), if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() });
            match outcome {
                Outcome::Output(output) => {
                    ("done", format!("{label} ended{again}"), words::value(output, 400))
                }
                Outcome::Failed(failed) => {
                    ("failed", format!("{label} failed{again}"), words::short(&failed.reason, 400))
                }
            }
        }
        Cause::TimedOut { place, attempt } => {
            plain("failed", format!("{} took too long, attempt {attempt}", label(place)))
        }
        Cause::Due { place, attempt } => {
            plain("waiting", format!("{} is tried again after attempt {attempt}", label(place)))
        }
        Cause::Lost { place, .. } => {
            plain("failed", format!("whoever ran {} is gone: it is done again", label(place)))
        }
        Cause::Cancelled { place, .. } => plain("cancelled", format!("{} was cancelled", label(place))),
        Cause::Terminate => plain("cancelled", "It was told to end".to_owned()),
        Cause::Pause => plain("paused", "It was paused".to_owned()),
        Cause::Resume => plain("active", "It was resumed".to_owned()),
        Cause::Restart { from: None } => plain("active", "It was restarted".to_owned()),
        Cause::Restart { from: Some(from) } => {
            plain("active", format!("It was restarted from {}", graph.label(*from as usize)))
        }
        Cause::Found(_) => plain("active", "Another program changed it".to_owned()),
    }
}
