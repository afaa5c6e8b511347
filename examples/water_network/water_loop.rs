//! The loop: four elements, the links between them, and the network's feedback.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::stream;
use mape::element::Signals;
use mape::prelude::*;
use tokio::time::interval;
use tokio_stream::wrappers::IntervalStream;

use crate::analyze::{Analyst, Assessment};
use crate::clean::{Cleaner, Observation, Refused, Sample};
use crate::data::Row;
use crate::detect::Limits;
use crate::network::{Network, Outcome, Status};
use crate::plan::{Decision, Planner};

/// Hours before an action is planned again.
const COOLDOWN_HOURS: i64 = 6;

/// Monitor, Analyze, Plan and Execute, linked.
#[derive(Debug)]
pub struct WaterLoop {
    monitor: Element<Sample, Observation>,
    execute: Element<Decision, Outcome>,
    sent: Arc<AtomicUsize>,
}

impl WaterLoop {
    /// Makes the elements of the loop and links them. Nothing flows before there is something to [`feed`](Self::feed).
    pub fn new(app: &App) -> anyhow::Result<Self> {
        let water = app.create_loop("water")?;

        let mut cleaner = Cleaner::default();
        let monitor = water
            .monitor("meter")
            .each(move |sample: Sample, out| {
                out.emit(cleaner.check(sample)?);
                Ok::<(), Refused>(())
            })
            .spawn()?;

        let mut analyst = Analyst::default();
        let usual = Limits::default();
        let sigmas = Parameter::new("sigmas", usual.sigmas).within(1.0..=20.0);
        let persistence = Parameter::new("persistence", usual.persistence).within(0.0..=1000.0);
        let analyze = water
            .analyze("spells")
            .parameter(&sigmas)
            .parameter(&persistence)
            .map(move |observation: Observation| {
                analyst.assess(observation, Limits { sigmas: sigmas.get(), persistence: persistence.get() })
            })
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

        monitor.link(&analyze)?;
        analyze.link(&plan)?;
        plan.link(&execute)?;
        Ok(Self { monitor, execute, sent: Arc::default() })
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
        let samples = stream::iter(rows)
            .zip(feedback.start_with([Status::default()]))
            .map(|(row, network)| Sample { row, network })
            .inspect(move |_| _ = sent.fetch_add(1, Ordering::Relaxed));
        match pace {
            None => self.monitor.feed(samples),
            Some(pace) => {
                let beat = IntervalStream::new(interval(Duration::from_secs_f64(1.0 / pace)));
                self.monitor.feed(beat.zip(samples).map(|(_, sample)| sample));
            }
        }
        Ok(self.monitor.start()?)
    }

    /// What comes of every row from now on: an outcome, or the error of the element that could not work on it.
    pub fn results(&self) -> Signals<Outcome> {
        self.execute.subscribe().signals()
    }

    /// Waits until the last row has come out at the end.
    pub async fn ended(&self) {
        self.execute.wait_for_state(|state| !state.is_active()).await;
    }

    /// Rows that went in so far.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}
