//! What is wanted of the loop and its network, watched beside it.

use std::time::{Duration, SystemTime};

use futures::stream::{SelectAll, select_all};
use mape::goal::{Goal, Signal, State, Verdict};
use mape::prelude::*;
use serde::Serialize;

use crate::detect::Kind;
use crate::network::Outcome;
use crate::plan::Decision;

/// The element of a goal.
pub type GoalElement = Element<Outcome, Verdict>;
/// The verdicts of all goals, as they come.
pub type Verdicts = SelectAll<Subscription<Verdict>>;

const fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

fn time(outcome: &Outcome) -> SystemTime {
    outcome.decision.assessment.observation.hour.start()
}

fn flow_error(outcome: &Outcome) -> f64 {
    let assessment = &outcome.decision.assessment;
    assessment.observation.flow - assessment.forecast.flow
}

/// The goals by name. Time is that of the readings, so they are the same at every pace.
fn goals() -> [(&'static str, Goal<Outcome>); 4] {
    let tank = Signal::new("tank", |outcome: &Outcome| 100.0 * outcome.status.tank).unit("%");
    let flow = Signal::new("flow against the expected", flow_error).unit("l/s");
    let loss = || {
        Goal::is("loss", |outcome: &Outcome| {
            outcome.decision.assessment.judgement.current.is_some_and(|spell| spell.kind == Kind::Loss)
        })
    };
    let crew = Goal::is("crew sent", |outcome: &Outcome| outcome.status.crew_out);
    let calm = Goal::is("no spell", |outcome: &Outcome| {
        outcome.decision.assessment.judgement.current.is_none_or(|spell| spell.kind == Kind::Rebound)
    });
    [
        // Somebody always has water.
        ("tank", tank.above(5.0).always(hours(24))),
        // What is far too little for hours is noticed, and somebody goes.
        ("detection", loss().within(hours(4)).after(flow.below(-40.0))),
        ("answer", crew.within(hours(2)).after(loss())),
        // The town can live with a spell now and then.
        ("calm", calm.ratio(0.9, hours(24 * 28))),
    ]
}

/// Watches the goals on what comes of every hour.
pub fn watch(
    app: &App,
    outcomes: &Element<Decision, Outcome>,
) -> anyhow::Result<(Verdicts, Vec<GoalElement>)> {
    let wanted = app.create_loop("goals")?;
    let (mut verdicts, mut elements) = (Vec::new(), Vec::new());
    for (name, goal) in goals() {
        let element = wanted.goal(name, goal.time(time).stale_after(hours(12)))?;
        element.expose();
        verdicts.push(element.subscribe());
        outcomes.link(&element)?;
        elements.push(element);
    }
    Ok((select_all(verdicts), elements))
}

/// What a goal came to over the whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Result {
    pub goal: String,
    pub state: State,
    pub margin: Option<f64>,
    pub unit: String,
    #[serde(skip)]
    pub words: String,
    /// How often it went over to violated.
    pub violations: usize,
    /// Why it was violated the last time, or else why it is as it is.
    #[serde(skip)]
    pub why: String,
}

/// Takes down what the goals come to until they end, in the order of their names.
pub async fn follow(mut verdicts: Verdicts) -> Vec<Result> {
    let mut results: Vec<Result> = Vec::new();
    while let Some(verdict) = verdicts.next().await {
        let name = verdict.goal.trim_start_matches("goals.");
        let before = results.iter().position(|result| result.goal == name);
        let before = before.map(|at| results.swap_remove(at));
        results.push(taken_down(name, before, &verdict));
    }
    results.sort_by(|one, other| one.goal.cmp(&other.goal));
    results
}

fn taken_down(name: &str, before: Option<Result>, verdict: &Verdict) -> Result {
    let is_violated = verdict.state == State::Violated;
    let new = is_violated && before.as_ref().is_none_or(|before| before.state != State::Violated);
    let violations = before.as_ref().map_or(0, |before| before.violations) + usize::from(new);
    let why = match before {
        Some(before) if violations > 0 && !is_violated => before.why,
        _ => verdict.why.to_string(),
    };
    Result {
        goal: name.to_owned(),
        state: verdict.state,
        margin: verdict.margin.map(|margin| (margin * 1e3).round() / 1e3),
        unit: verdict.unit.to_string(),
        words: verdict.margin_in_words(),
        violations,
        why,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::{WATER_FLOW, rows};
    use crate::water_loop::WaterLoop;

    async fn run() -> Vec<Result> {
        let app = App::new();
        let water = WaterLoop::new(&app).unwrap();
        let (verdicts, _) = watch(&app, water.outcomes()).unwrap();
        water.feed(rows(Path::new(WATER_FLOW)).unwrap().collect(), None).unwrap();
        let (results, _) = tokio::join!(follow(verdicts), async {
            water.ended().await;
            app.shutdown(Duration::from_secs(5)).await
        });
        results
    }

    #[tokio::test]
    async fn the_goals_come_to_the_same_in_every_run() {
        let (one, other) = (run().await, run().await);
        assert_eq!(one, other);
        let states: Vec<_> = one.iter().map(|r| (r.goal.as_str(), r.state, r.violations)).collect();
        let met = State::Met;
        assert_eq!(
            states,
            [("answer", met, 0), ("calm", met, 2), ("detection", met, 0), ("tank", met, 0)],
            "{one:#?}"
        );
    }
}
