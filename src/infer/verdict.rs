//! What a model says of a row.

use super::classes::{Best, Classes};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The class of a row that no class is believed for.
pub const UNKNOWN: &str = "unknown";

/// What a version of a model says of a row: every row that is in order gets one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelVerdict))]
#[non_exhaustive]
pub struct Verdict {
    /// The class with the highest score; [`UNKNOWN`] if that is below the threshold, or if nothing in the row was known.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub class: Arc<str>,
    /// The highest score; 0 if the model was not asked.
    pub score: f64,
    /// The scores of all classes in their order; none if the model was not asked, because nothing in the row was known.
    pub scores: Vec<f64>,
    /// The name of the model.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub model: Arc<str>,
    /// The version that was asked.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub version: Arc<str>,
}

impl Verdict {
    /// Whether no class is believed.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        &*self.class == UNKNOWN
    }
}

/// Who gives verdicts: a version of a model, by its names.
pub(super) struct Judge {
    pub(super) model: Arc<str>,
    pub(super) version: Arc<str>,
    unknown: Arc<str>,
}

impl Judge {
    pub(super) fn new(model: Arc<str>, version: Arc<str>) -> Self {
        Self { model, version, unknown: Arc::from(UNKNOWN) }
    }

    pub(super) fn verdict(&self, classes: &Classes, answer: &[f64]) -> Verdict {
        let Best { class, score } = classes.best(answer);
        let class = class.unwrap_or(&self.unknown).clone();
        self.with(class, score, classes.scores(answer))
    }

    /// Of a row that the model was not asked about.
    pub(super) fn blank(&self) -> Verdict {
        self.with(self.unknown.clone(), 0.0, Vec::new())
    }

    fn with(&self, class: Arc<str>, score: f64, scores: Vec<f64>) -> Verdict {
        Verdict { class, score, scores, model: self.model.clone(), version: self.version.clone() }
    }
}
