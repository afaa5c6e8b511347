//! What is wrong with a request about runs.

use super::super::{Context, Problem};
use crate::flow;
use crate::workflow::{Error, RunId, Workflows};
use axum::http::StatusCode;
use serde_json::{Value, json};

impl Context {
    /// The runs that are served.
    pub(super) fn runs(&self) -> Result<&Workflows, Problem> {
        self.workflows.as_ref().ok_or_else(|| Problem::not_found("there are no runs here"))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let says = with_causes(&error);
        match error {
            Error::NoRun { .. } | Error::NoSchedule { .. } | Error::Token => Self::not_found(says),
            Error::Exists { .. }
            | Error::ScheduleExists { .. }
            | Error::Unchanged { .. }
            | Error::NotOver { .. }
            | Error::Foreign { .. } => Self::conflict(says),
            Error::Flow(flow::Error::Invalid(diagnostics)) => {
                let list: Vec<Value> = diagnostics.iter().map(|one| json!(one)).collect();
                Self::unprocessable(says).with("diagnostics", list)
            }
            Error::Flow(_)
            | Error::UnknownTask { .. }
            | Error::Policy(_)
            | Error::Parameters { .. }
            | Error::Input { .. }
            | Error::Archive { .. }
            | Error::Answer { .. }
            | Error::Schedule { .. } => Self::unprocessable(says),
            // The keys that belong to a run are no runs.
            Error::Damaged { id, .. } if is_inner(&id) => {
                Self::not_found(format!("there is no run {id}; GET /runs has all of them"))
            }
            Error::Knowledge(crate::knowledge::Error::WrongKind { .. }) => {
                Self::not_found("there is no such run; GET /runs has all of them")
            }
            Error::Knowledge(_) | Error::Event(_) | Error::EngineGone => {
                Self::unavailable(says).retry_after(1)
            }
            other @ (Error::Damaged { .. } | Error::Spawn(_) | Error::Link(_) | Error::App(_)) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, other)
            }
        }
    }
}

/// An error with all that it comes from.
fn with_causes(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Whether an id is the name of a key that belongs to a run.
fn is_inner(id: &RunId) -> bool {
    id.short().contains(':')
}

/// The id that somebody gives a new run.
pub(super) fn new_id(text: &str) -> Result<RunId, String> {
    const LONGEST: usize = 200;
    /// Paths have these words where others have an id.
    const WORDS: [&str; 3] = ["start", "restore", "terminate"];
    let id = RunId::from(text);
    let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let short = id.short();
    if short.is_empty() || short.len() > LONGEST || !short.chars().all(is_plain) || short.starts_with('.') {
        return Err(format!(
            "an id is made of letters, digits, `-`, `_` and `.`, {LONGEST} bytes at most, and `{short}` is not"
        ));
    }
    if WORDS.contains(&short) {
        return Err(format!("`{short}` cannot be an id, for it stands for something else in paths"));
    }
    Ok(id)
}
