//! What the loop measures, plans, does and is wanted to reach, written to InfluxDB if the configuration names a server.
//!
//! ```text
//! MAPE_INFLUXDB__URL=http://localhost:8086 MAPE_INFLUXDB__BUCKET=water cargo run --example water_network
//! ```
//!
//! | measurement | tags | fields |
//! |---|---|---|
//! | `flow` | | `measured`, `expected`, `spread` (l/s), `missing_hours` |
//! | `spell` | `kind` | `deviation` (l/s), `persistence`; an hour while it lasts |
//! | `plan` | `action`, `done` | `persistence` of the spell that it answers |
//! | `goal` | `goal`, `unit` | `state` (0 violated, 1 met; none while unknown), `margin`, `why` |
//! | `network` | | `tank` (0 to 1), `hours_left`, `closed_sectors`, `crew_out`, `pressure_lowered`, `dry_hours` |
//!
//! Times are those of the readings.

use futures::{SinkExt, stream};
use mape::edge::influxdb::{FieldValue, InfluxSettings, Point};
use mape::edge::{InfluxServer, InfluxSink, InfluxStats};
use mape::goal::{State, Verdict};
use mape::prelude::*;

use crate::goals::GoalElement;
use crate::hour::Hour;
use crate::network::Outcome;
use crate::water_loop::WaterLoop;

/// Where points go.
#[derive(Debug)]
pub struct Metering {
    server: InfluxServer,
    settings: InfluxSettings,
    stats: Vec<InfluxStats>,
}

impl Metering {
    /// As the section `influxdb` says; none if it has no `url`.
    pub fn configured(settings: InfluxSettings) -> anyhow::Result<Option<Self>> {
        let server = settings.server()?;
        Ok(server.map(|server| Self { server, settings, stats: Vec::new() }))
    }

    /// Writes what comes out of the loop from now on.
    pub fn follow(&mut self, water: &WaterLoop) -> anyhow::Result<()> {
        let sink = self.begin(InfluxSink::raw(&self.server));
        // Several points may come of one outcome.
        let sink = sink.with_flat_map(|outcome: Outcome| stream::iter(points(&outcome).into_iter().map(Ok)));
        Ok(water.outcomes().link_sink(sink, LinkOptions::new())?)
    }

    /// Writes the verdicts of these goals from now on.
    pub fn follow_goals(&mut self, goals: &[GoalElement]) -> anyhow::Result<()> {
        for goal in goals {
            let sink = InfluxSink::<Verdict>::new(&self.server)
                .measurement("goal")
                .tags(|verdict| [("goal", verdict.goal.to_string()), ("unit", verdict.unit.to_string())])
                .fields(|verdict| {
                    let state = match verdict.state {
                        State::Violated => FieldValue::from(0),
                        State::Met => 1.into(),
                        State::Unknown => FieldValue::Null,
                    };
                    let margin = verdict.margin.filter(|margin| margin.is_finite());
                    [("state", state), ("margin", margin.into()), ("why", verdict.why.to_string().into())]
                })
                .time(|verdict| verdict.at);
            goal.link_sink(self.begin(sink), LinkOptions::new())?;
        }
        Ok(())
    }

    /// A sink with the configured batches, whose points are counted.
    fn begin<T>(&mut self, sink: InfluxSink<T>) -> InfluxSink<T> {
        let sink = self.settings.apply(sink);
        self.stats.push(sink.stats());
        sink
    }

    /// What has become of the points, in a line.
    pub fn summary(&self) -> String {
        let sum = |count: fn(&InfluxStats) -> u64| self.stats.iter().map(count).sum::<u64>();
        let (written, refused) = (sum(InfluxStats::written), sum(InfluxStats::refused));
        let lost = sum(InfluxStats::dropped) + sum(|stats| stats.queued() as u64);
        let place = self.server.place();
        let why = self.stats.iter().find_map(InfluxStats::last_error);
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        format!("{written} points written to {place}, {refused} refused, {lost} lost{why}")
    }
}

/// The points of an hour.
fn points(outcome: &Outcome) -> Vec<Point> {
    let assessment = &outcome.decision.assessment;
    let (observation, forecast) = (assessment.observation, assessment.forecast);
    let at = |hour: Hour, measurement: &str| Point::new(measurement).at(hour.start());
    let now = |measurement: &str| at(observation.hour, measurement);
    let status = outcome.status;
    let closed = i64::try_from(status.closed.iter().count()).unwrap_or(i64::MAX);
    let mut points = vec![
        now("flow")
            .field("measured", observation.flow)
            .field("expected", forecast.flow)
            .field("spread", forecast.spread)
            .field("missing_hours", observation.missing),
        now("network")
            .field("tank", status.tank)
            // While it fills, there is no end to them.
            .field("hours_left", Some(status.hours_left).filter(|hours| hours.is_finite()))
            .field("closed_sectors", closed)
            .field("crew_out", status.crew_out)
            .field("pressure_lowered", status.pressure_lowered)
            .field("dry_hours", status.dry_hours),
    ];
    points.extend(assessment.judgement.current.map(|spell| {
        now("spell")
            .tag("kind", format!("{:?}", spell.kind).to_lowercase())
            .field("deviation", spell.deviation)
            .field("persistence", spell.persistence)
    }));
    points.extend(outcome.decision.plans.iter().zip(&outcome.carried_out).map(|(plan, done)| {
        at(plan.hour, "plan")
            .tag("action", plan.action.to_string())
            .tag("done", done.is_ok())
            .field("persistence", plan.spell.persistence)
    }));
    points
}
