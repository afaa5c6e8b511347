//! What goals come to.

use super::snapshot::{Collected, Known};
use super::{FamilyKind, Sample, Value};
use crate::app::App;

pub(super) const STATE: Known =
    Known(FamilyKind::Gauge, "mape_goal_state", "", "1 for the state that the goal is in.");

/// Margins and violations have meters; a state is a label.
pub(super) fn collect(app: &App, into: &mut Collected) {
    let samples = app.goals().into_iter().map(|status| {
        let (goal, state) = (status.verdict.goal.to_string(), status.verdict.state.to_string());
        Sample { labels: vec![("goal", goal), ("state", state)], value: Value::Number(1.0) }
    });
    into.known(&STATE).samples.extend(samples);
}
