//! The picture of a flow, as it stands in a page: coloured by how far each step is.

use super::words;
use crate::flow::{Diagram, Graph};
use crate::workflow::{Inspected, Inspection, Phase};
use std::collections::HashMap;
use std::fmt::{self, Write};

/// An SVG drawing that may stand in a page as it is: all texts in it are escaped by who drew it, and what is added here is.
pub(super) struct Drawing(String);

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Drawing {}

/// How far a step is, as a class and as a word.
pub(super) fn phase(step: &Inspected) -> (&'static str, &'static str) {
    match step.phase {
        Phase::Active if step.waiting.is_some() => ("waiting", "waits"),
        Phase::Active if step.untaken.is_some() => ("untaken", "not taken"),
        Phase::Active => ("active", "runs"),
        Phase::BackingOff => ("waiting", "tries again"),
        Phase::Iterating => ("active", "items run"),
        Phase::Done => ("done", "ended"),
        Phase::Skipped => ("skipped", "skipped"),
        Phase::Failed => ("failed", "failed"),
        Phase::Cancelled => ("cancelled", "cancelled"),
        _ => ("idle", "not begun"),
    }
}

/// The drawing of a flow, or why there is none.
pub(super) fn draw(graph: &Graph, run: Option<&Inspection>, vertical: bool) -> Result<Drawing, String> {
    let drawn = Diagram::new(graph).vertical(vertical).svg().map_err(|error| error.to_string())?;
    // The page has a style of its own, also for the dark.
    let (head, rest) = drawn.split_once("<style>").unwrap_or((&drawn, ""));
    let (_, rest) = rest.split_once("</style>").unwrap_or(("", rest));
    let mut steps: HashMap<&str, &Inspected> = HashMap::new();
    let numbers: Vec<(String, &Inspected)> = run
        .into_iter()
        .flat_map(|run| &run.steps)
        .filter(|step| step.part == 0)
        .map(|step| (step.index.to_string(), step))
        .collect();
    steps.extend(numbers.iter().map(|(number, step)| (number.as_str(), *step)));
    let mut out = String::from(head);
    // No text of a flow has a quotation mark in the drawing.
    for (at, part) in rest.split("data-step=\"").enumerate() {
        if at == 0 {
            out.push_str(part);
            continue;
        }
        let number = part.split('"').next().unwrap_or_default();
        let (class, told) = match (steps.get(number), run) {
            (Some(step), _) => (phase(step).0, tooltip(step)),
            (None, Some(_)) => ("idle", String::new()),
            (None, None) => ("", String::new()),
        };
        let _ = write!(out, "data-phase=\"{class}\" data-step=\"");
        match part.split_once("<title>") {
            Some((before, behind)) if !told.is_empty() => {
                let _ = write!(out, "{before}<title>{}", escaped(&told));
                out.push_str(behind);
            }
            _ => out.push_str(part),
        }
    }
    Ok(Drawing(out))
}

/// What the mouse is told about a step, above what the drawing says.
fn tooltip(step: &Inspected) -> String {
    let mut told = format!("{}\n", phase(step).1);
    if let Some(started) = &step.started {
        let _ = writeln!(told, "began {}", words::time(started));
    }
    if let (Some(started), Some(ended)) = (&step.started, &step.ended) {
        let took = words::between(started, ended).map(words::long).unwrap_or_default();
        let _ = writeln!(told, "ended {} after {took}", words::time(ended));
    }
    if let Some(reason) = &step.reason {
        let _ = writeln!(told, "{}", words::short(reason, 300));
    }
    told + "\n"
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char if char.is_control() && char != '\n' => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}
