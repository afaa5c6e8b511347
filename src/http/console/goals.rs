//! Goals as pages show them.

use super::health::{Finding, Weight};
use super::words;
use crate::app::GoalStatus;
use crate::goal::{State, Verdict};

/// A goal in a table.
pub(super) struct Row {
    pub(super) name: String,
    /// The page of its element, if that is in this app.
    pub(super) address: Option<String>,
    pub(super) state: &'static str,
    pub(super) margin: String,
    pub(super) since: String,
    pub(super) why: String,
    pub(super) formula: String,
}

impl Row {
    pub(super) fn of(status: &GoalStatus) -> Self {
        let verdict = &status.verdict;
        Self {
            name: verdict.goal.to_string(),
            address: status.here.then(|| address(&verdict.goal)),
            state: verdict.state.as_str(),
            margin: verdict.margin_in_words(),
            since: since(verdict),
            why: verdict.why.to_string(),
            formula: verdict.formula.to_string(),
        }
    }

    /// All of them, those that are violated first.
    pub(super) fn all(goals: &[GoalStatus]) -> Vec<Self> {
        let mut sorted: Vec<_> = goals.iter().collect();
        sorted.sort_by_key(|status| match status.verdict.state {
            State::Violated => 0,
            State::Unknown => 1,
            State::Met => 2,
        });
        sorted.into_iter().map(Self::of).collect()
    }
}

/// Those that are violated.
pub(super) fn findings(goals: &[GoalStatus]) -> impl Iterator<Item = Finding> {
    let violated = goals.iter().filter(|status| status.verdict.state == State::Violated);
    violated.map(|status| Finding {
        weight: Weight::Bad,
        subject: status.verdict.goal.to_string(),
        text: format!("is violated: {}", status.verdict.why),
        address: if status.here { address(&status.verdict.goal) } else { "#goals".to_owned() },
    })
}

fn address(path: &str) -> String {
    let (owner, element) = path.split_once('.').unwrap_or((path, ""));
    format!("/console/loops/{}/{}", words::encoded(owner), words::encoded(element))
}

fn since(verdict: &Verdict) -> String {
    jiff::Timestamp::try_from(verdict.since).map(|time| words::time(&time.to_string())).unwrap_or_default()
}
