//! The loop: four elements, the links between them, and the network's feedback.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::stream;
use mape::element::Signals;
use mape::knowledge::Value;
use mape::prelude::*;
use tokio::time::interval;
use tokio_stream::wrappers::IntervalStream;

use crate::analyze::{Analyst, Assessment};
use crate::clean::{Cleaner, Observation, Sample};
use crate::data::Row;
use crate::detect::Limits;
use crate::expect::Expectation;
use crate::network::{Network, Outcome, Status};
use crate::plan::{Decision, Planner};

/// Hours before an action is planned again.
const COOLDOWN_HOURS: i64 = 6;

/// Monitor, Analyze, Plan and Execute, linked.
#[derive(Debug)]
pub struct WaterLoop {
    monitor: Element<Sample, Observation>,
    execute: Element<Decision, Outcome>,
    learnt: Value<Expectation>,
    sent: Arc<AtomicUsize>,
}

impl WaterLoop {
    /// Makes the elements of the loop and links them. Nothing flows before there is something to [`feed`](Self::feed).
    ///
    /// What the loop learns is its knowledge; it goes on from what it finds there.
    pub fn new(app: &App) -> anyhow::Result<Self> {
        let water = app.create_loop("water")?;
        let learnt = water.knowledge().value("expectation");

        let mut cleaner = Cleaner::default();
        let monitor = water.monitor("meter").try_map(move |sample: Sample| cleaner.check(sample)).spawn()?;

        let usual = Limits::default();
        let sigmas = Parameter::new("sigmas", usual.sigmas).within(1.0..=20.0);
        let persistence = Parameter::new("persistence", usual.persistence).within(0.0..=1000.0);
        let analyze = water
            .analyze("spells")
            .parameter(&sigmas)
            .parameter(&persistence)
            .handler(Analyze { analyst: Analyst::default(), learnt: learnt.clone(), sigmas, persistence })
            .spawn()?;

        let mut planner = Planner::default();
        let cooldown = Parameter::new("cooldown_hours", COOLDOWN_HOURS).within(0..=168);
        let plan = water
            .plan("answer")
            .parameter(&cooldown)
            .map(move |assessment: Assessment| planner.decide(assessment, cooldown.get()))
            .spawn()?;

        let mut network = Network::default();
        let execute =
            water.execute("network").map(move |decision: Decision| network.execute(decision)).spawn()?;

        // What passes them can be seen in the console.
        monitor.expose_fully();
        analyze.expose_fully();
        plan.expose_fully();
        execute.expose_fully();
        monitor.link(&analyze)?;
        analyze.link(&plan)?;
        plan.link(&execute)?;
        Ok(Self { monitor, execute, learnt, sent: Arc::default() })
    }

    /// Streams `rows` through the loop, at most `pace` a second.
    ///
    /// Each row waits for what came of the one before: it goes together with what the network then reports of itself.
    /// That closes the loop, and makes every run the same at every pace.
    pub fn feed(&self, rows: Vec<Row>, pace: Option<f64>) -> anyhow::Result<()> {
        let sent = self.sent.clone();
        let feedback = self.results().scan(Status::default(), |network, result| {
            if let Ok(outcome) = result {
                *network = outcome.status;
            }
            ready(Some(*network))
        });
        let beats = match pace {
            Some(pace) => {
                IntervalStream::new(interval(Duration::from_secs_f64(1.0 / pace))).map(drop).boxed()
            }
            None => stream::repeat(()).boxed(),
        };
        let samples = stream::iter(rows)
            .zip(feedback.start_with([Status::default()]))
            .zip(beats)
            .map(|((row, network), ())| Sample { row, network })
            .inspect(move |_| _ = sent.fetch_add(1, Ordering::Relaxed));
        self.monitor.feed(samples);
        Ok(self.monitor.start()?)
    }

    /// What comes of every row from now on: an outcome, or the error of the element that could not work on it.
    pub fn results(&self) -> Signals<Outcome> {
        self.execute.subscribe().signals()
    }

    /// The element at the end, for whoever is to be handed what comes of every row.
    pub fn outcomes(&self) -> &Element<Decision, Outcome> {
        &self.execute
    }

    /// Waits until the last row has come out at the end.
    pub async fn ended(&self) {
        self.execute.ended().await;
    }

    /// Rows that went in so far.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// What the loop has learnt to expect.
    pub async fn learnt(&self) -> anyhow::Result<Option<Expectation>> {
        Ok(self.learnt.get().await?)
    }
}

/// Analyze: brings together what was observed and what the loop knows.
struct Analyze {
    analyst: Analyst,
    learnt: Value<Expectation>,
    sigmas: Parameter<f64>,
    persistence: Parameter<f64>,
}

impl Handler for Analyze {
    type In = Observation;
    type Out = Assessment;

    async fn on_item(&mut self, observation: Observation, out: &Emitter<Assessment>) -> Result<(), BoxError> {
        let limits = Limits { sigmas: self.sigmas.get(), persistence: self.persistence.get() };
        let mut expectation =
            self.learnt.get().await?.unwrap_or_else(|| Expectation::starting_at(observation.flow));
        let assessment = self.analyst.assess(observation, &mut expectation, limits);
        self.learnt.set(&expectation).await?;
        out.emit(assessment).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use mape::backend::Backend;
    use tokio::time::Instant;

    use super::*;
    use crate::data::{Malformed, Reading, WATER_FLOW, rows};
    use crate::hour::Hour;
    use crate::summary::Summary;

    fn new_loop(app: &App) -> WaterLoop {
        WaterLoop::new(app).unwrap()
    }

    fn real_rows() -> Vec<Row> {
        rows(Path::new(WATER_FLOW)).unwrap().collect()
    }

    /// `count` hours of the same flow.
    fn calm_rows(count: i64) -> Vec<Row> {
        let start = Hour::parse("2022-04-01T00:00:00+02:00").unwrap();
        (0..count).map(|hours| Ok(Reading { line: 0, hour: start.plus(hours), flow: 100.0 })).collect()
    }

    /// Everything that comes of `rows`.
    async fn run(water: &WaterLoop, rows: Vec<Row>, pace: Option<f64>) -> Summary {
        let mut results = water.results();
        water.feed(rows, pace).unwrap();
        let mut summary = Summary::default();
        while let Some(result) = results.next().await {
            match result {
                Ok(outcome) => summary.record(outcome),
                Err(error) => summary.refuse(error.to_string()),
            }
        }
        summary.end(water.sent())
    }

    #[tokio::test]
    async fn the_real_readings_go_round_without_loss_and_every_plan_is_carried_out() {
        let app = App::new();
        let summary = run(&new_loop(&app), real_rows(), None).await;
        assert_eq!((summary.sent, summary.missing, summary.lost()), (1268, 111, 0));
        assert_eq!((summary.spells.len(), summary.plans.len(), summary.executed), (4, 14, 14));
        let network = summary.last.unwrap().status;
        assert_eq!(network.dry_hours, 0, "the plans kept the tank from running dry");
        assert!(network.dry_hours_unmanaged > 0, "and it would have without them");
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_is_kept_and_changes_nothing_but_the_time() {
        let start = Instant::now();
        let paced = run(&new_loop(&App::new()), real_rows(), Some(10.0)).await;
        assert_eq!(start.elapsed().as_millis(), 126_700);
        let unpaced = run(&new_loop(&App::new()), real_rows(), None).await;
        let [paced, unpaced] = [paced, unpaced].map(|summary| summary.json(Duration::ZERO).unwrap());
        assert_eq!(paced, unpaced);
    }

    #[tokio::test]
    async fn a_malformed_row_is_told_and_the_next_one_goes_through() {
        let mut rows = calm_rows(3);
        rows.insert(1, Err(Malformed { line: 3, reason: "no flow".to_owned() }));
        let summary = run(&new_loop(&App::new()), rows, None).await;
        assert_eq!(summary.refused, ["water.meter: failed: line 3: no flow"]);
        assert_eq!((summary.sent, summary.flows.len(), summary.lost()), (4, 3, 0));
    }

    #[tokio::test]
    async fn the_limits_can_be_changed_from_outside() {
        let app = App::new();
        let water = new_loop(&app);
        let spells = app.get("water.spells").unwrap();
        assert!(spells.set_parameter("sigmas", 0.1).is_err(), "everything would be a spell");
        spells.set_parameter("persistence", 20.0).unwrap();
        let summary = run(&water, real_rows(), None).await;
        assert_eq!(summary.spells.len(), 3, "the small peak no longer counts");
    }

    #[tokio::test]
    async fn what_one_loop_learnt_the_next_one_knows() {
        let (backend, calm) = (Backend::memory(), calm_rows(24 * 7));
        let first = App::with_backend(backend.clone());
        run(&new_loop(&first), calm.clone(), None).await;
        let second = App::with_backend(backend);
        let water = new_loop(&second);
        run(&water, calm, None).await;
        assert_eq!(water.learnt().await.unwrap().unwrap().hours_seen(), 24 * 14);
    }

    #[tokio::test]
    async fn nothing_is_wrong_with_the_wiring() {
        let app = App::new();
        let water = new_loop(&app);
        let _results = water.results();
        water.feed(calm_rows(1), None).unwrap();
        assert_eq!(app.check(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn an_early_end_loses_no_row() {
        let app = App::new();
        let water = new_loop(&app);
        let results = water.results();
        water.feed(calm_rows(100), Some(1.0)).unwrap();
        let end = tokio::time::sleep(Duration::from_millis(41_500));
        assert!(app.run_until(end, Duration::from_secs(1)).await.is_clean());
        let through = results.filter(|result| ready(result.is_ok())).count().await;
        assert_eq!((water.sent(), through), (42, 42));
    }
}
