//! What goals come to.

use super::snapshot::{Collected, Known};
use super::{FamilyKind, Sample, Value};
use crate::app::App;

/// Of [`STATE`].
pub(super) const LABELS: [&str; 2] = ["goal", "state"];
pub(super) const STATE: Known =
    Known(FamilyKind::Gauge, "mape_goal_state", "", "1 for the state that the goal is in.");

/// Margins and violations have meters; a state is a label.
pub(super) fn collect(app: &App, into: &mut Collected) {
    let samples = app.goals().into_iter().map(|status| {
        let values = [status.verdict.goal.to_string(), status.verdict.state.to_string()];
        Sample { labels: LABELS.into_iter().zip(values).collect(), value: Value::Number(1.0) }
    });
    into.known(&STATE).samples.extend(samples);
}
