//! An error as it is shown: what failed, where, why, and what to do.

use anyhow::Error;
use mape::config::{self, Problem};
use serde_json::json;
use std::fmt::Write;

/// For people.
pub(super) fn text(error: &Error) -> String {
    let problems = problems(error);
    if problems.is_empty() {
        let mut text = format!("error: {error}");
        for cause in error.chain().skip(1).map(ToString::to_string) {
            // Many an error says itself what it comes from.
            if !text.contains(&cause) {
                let _ = write!(text, "\n  because: {cause}");
            }
        }
        return text;
    }
    let mut text = String::from("error: the configuration cannot be used");
    for problem in problems {
        // Writing to a text cannot fail.
        let _ = write!(text, "\n  {}: {}", problem.origin, problem.message);
        if let Some(help) = &problem.help {
            let _ = write!(text, "\n    help: {help}");
        }
    }
    text
}

/// For programs: one line.
pub(super) fn json(error: &Error) -> String {
    let causes: Vec<_> = error.chain().skip(1).map(ToString::to_string).collect();
    json!({"error": {"message": error.to_string(), "causes": causes, "problems": problems(error)}})
        .to_string()
}

fn problems(error: &Error) -> &[Problem] {
    error.downcast_ref::<config::Error>().map_or(&[], config::Error::problems)
}
