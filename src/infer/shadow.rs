//! A version that is tried beside the live one.

use super::Verdict;
use super::lane::Failure;
use super::metered::{AGREED, DISAGREED, SKIPPED};
use super::running::Answers;
use super::version::{ListedShadow, Version};
use crate::stream::meter::Meter;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::broadcast;
use tract_onnx::prelude::{DatumType, Tensor};

/// A row that the shadow judges differently from the live version.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelDisagreement))]
#[non_exhaustive]
pub struct Disagreement {
    /// The row as the model was shown it.
    pub input: Vec<f64>,
    /// What the live version says. This is what went out.
    pub live: Verdict,
    /// What the shadow says.
    pub shadow: Verdict,
    /// How much the score differs most.
    pub difference: f64,
}

/// The version that is tried, and what came of it.
pub(super) struct Shadow {
    pub(super) version: Arc<Version>,
    pub(super) tolerance: Option<f64>,
    meter: Arc<Meter>,
    out: broadcast::Sender<Disagreement>,
    agreed: AtomicU64,
    disagreed: AtomicU64,
    skipped: AtomicU64,
}

/// A batch that the live version has judged.
pub(super) struct Judged {
    pub(super) live: Arc<Version>,
    pub(super) input: Arc<Tensor>,
    pub(super) answers: Answers,
}

/// Counts rows that the shadow says nothing of.
struct Unheard(Option<Arc<Shadow>>, usize);

impl Unheard {
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Unheard {
    fn drop(&mut self) {
        if let Some(shadow) = &self.0 {
            shadow.skip(self.1);
        }
    }
}

impl Shadow {
    pub(super) fn new(
        version: Arc<Version>,
        tolerance: Option<f64>,
        meter: Arc<Meter>,
        out: broadcast::Sender<Disagreement>,
    ) -> Self {
        let zero = || AtomicU64::new(0);
        Self { version, tolerance, meter, out, agreed: zero(), disagreed: zero(), skipped: zero() }
    }

    /// Judges a batch, too, if it is not busy with another; nobody waits for that.
    pub(super) fn show(self: &Arc<Self>, judged: Judged) {
        let rows = judged.answers.rows().count();
        let (this, input) = (self.clone(), judged.input.clone());
        let unheard = Unheard(Some(this.clone()), rows);
        let then = Box::new(move |ended| {
            unheard.forget();
            this.compare(&judged, rows, ended);
        });
        let model = self.version.model.inner();
        model.lane.run_if_free(input, rows, model.settings.limits.batch_time, then);
    }

    fn skip(&self, rows: usize) {
        self.skipped.fetch_add(rows as u64, Relaxed);
        self.meter.add(SKIPPED, rows as u64);
    }

    fn compare(&self, judged: &Judged, rows: usize, ended: Result<Answers, Failure>) {
        let answers = match ended {
            Ok(answers) => answers,
            Err(failure) => {
                let (model, version) = (&*self.version.judge.model, &**self.version.name());
                tracing::warn!(model, version, rows, why = failure.why(), "the shadow fails at a batch");
                return self.skip(rows);
            }
        };
        let (live, shadow) = (&judged.live.judge.classes, &self.version.judge.classes);
        let (mut agreed, mut disagreed) = (0, 0);
        for (row, (ours, theirs)) in judged.answers.rows().zip(answers.rows()).enumerate() {
            let difference = ours
                .iter()
                .zip(theirs)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, |most: f64, one| if one.is_nan() { f64::INFINITY } else { most.max(one) });
            let (a, b) = (live.name(live.best(ours).class), shadow.name(shadow.best(theirs).class));
            if a == b && difference.is_finite() && self.tolerance.is_none_or(|most| difference <= most) {
                agreed += 1;
                continue;
            }
            disagreed += 1;
            if self.out.receiver_count() > 0 {
                let disagreement = Disagreement {
                    input: numbers(&judged.input, row),
                    live: judged.live.judge.verdict(ours),
                    shadow: self.version.judge.verdict(theirs),
                    difference,
                };
                // If the last one has just stopped listening, nobody misses it.
                let _heard = self.out.send(disagreement);
            }
        }
        self.agreed.fetch_add(agreed, Relaxed);
        self.disagreed.fetch_add(disagreed, Relaxed);
        self.meter.add(AGREED, agreed);
        self.meter.add(DISAGREED, disagreed);
    }

    pub(super) fn listed(&self) -> ListedShadow {
        ListedShadow {
            version: self.version.name().to_string(),
            tolerance: self.tolerance,
            agreed: self.agreed.load(Relaxed),
            disagreed: self.disagreed.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
        }
    }
}

/// The numbers of one row.
fn numbers(input: &Tensor, row: usize) -> Vec<f64> {
    let read = || {
        let row = input.slice(0, row, row + 1)?;
        let row = row.cast_to_dt(DatumType::F64)?;
        Ok::<_, tract_onnx::prelude::TractError>(row.try_as_plain_ram()?.as_slice::<f64>()?.to_vec())
    };
    read().unwrap_or_default()
}
