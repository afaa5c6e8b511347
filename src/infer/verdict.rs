//! What a model says of a row.

use super::classes::{Best, Classes, Scores};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The class of a row that no class is believed for.
pub const UNKNOWN: &str = "unknown";

/// What a version of a model says of a row: every row that is in order gets one. As JSON it is
/// `{"class", "score", "scores", "model", "version"}`. Cheap to make, to clone and to send: with up to eight scores it needs
/// no memory of its own.
#[derive(Clone)]
pub struct Verdict {
    judge: Arc<Judge>,
    /// Its place among the classes of the judge.
    class: Option<u32>,
    score: f64,
    scores: Scores,
}

impl Verdict {
    /// The class with the highest score; [`UNKNOWN`] if that is below the threshold, or if nothing in the row was known.
    #[must_use]
    pub fn class(&self) -> &str {
        self.judge.classes.name(self.class).unwrap_or(UNKNOWN)
    }

    /// The highest score; 0 if the model was not asked.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.score
    }

    /// The scores of all classes in their order; none if the model was not asked, because nothing in the row was known.
    #[must_use]
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The name of the model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.judge.model
    }

    /// The version that was asked.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.judge.version
    }

    /// Whether no class is believed.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.class() == UNKNOWN
    }

    fn told(&self) -> Told<'_> {
        Told {
            class: self.class().into(),
            score: self.score,
            scores: self.scores().into(),
            model: self.model().into(),
            version: self.version().into(),
        }
    }
}

#[expect(clippy::missing_fields_in_debug, reason = "the judge is shown by its names")]
impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdict")
            .field("class", &self.class())
            .field("score", &self.score)
            .field("scores", &self.scores())
            .field("model", &self.model())
            .field("version", &self.version())
            .finish()
    }
}

impl PartialEq for Verdict {
    fn eq(&self, other: &Self) -> bool {
        self.told() == other.told()
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.told().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Told { class, score, scores, model, version } = Told::deserialize(deserializer)?;
        let class = (class != UNKNOWN).then(|| class.into());
        let place = class.is_some().then_some(0);
        let classes = Arc::new(Classes::named(class.into_iter().collect()));
        let judge = Arc::new(Judge { model: model.into(), version: version.into(), classes });
        Ok(Self { judge, class: place, score, scores: scores.into_owned().into() })
    }
}

/// A verdict as it is written down.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(rename = "Verdict")]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelVerdict))]
struct Told<'a> {
    /// The class with the highest score; `unknown` if that is below the threshold, or if nothing in the row was known.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    class: Cow<'a, str>,
    /// The highest score; 0 if the model was not asked.
    score: f64,
    /// The scores of all classes in their order; none if the model was not asked, because nothing in the row was known.
    #[cfg_attr(feature = "http", schema(value_type = Vec<f64>))]
    scores: Cow<'a, [f64]>,
    /// The name of the model.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    model: Cow<'a, str>,
    /// The version that was asked.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    version: Cow<'a, str>,
}

#[cfg(feature = "http")]
impl utoipa::PartialSchema for Verdict {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Told::schema()
    }
}

#[cfg(feature = "http")]
impl utoipa::ToSchema for Verdict {
    fn name() -> Cow<'static, str> {
        Told::name()
    }
}

/// Who gives verdicts: a version of a model, by its names.
pub(super) struct Judge {
    pub(super) model: Arc<str>,
    pub(super) version: Arc<str>,
    pub(super) classes: Arc<Classes>,
}

impl Judge {
    pub(super) fn verdict(self: &Arc<Self>, answer: &[f64]) -> Verdict {
        let Best { class, score } = self.classes.best(answer);
        Verdict { judge: self.clone(), class, score, scores: self.classes.scores(answer) }
    }

    /// Of a row that the model was not asked about.
    pub(super) fn blank(self: &Arc<Self>) -> Verdict {
        Verdict { judge: self.clone(), class: None, score: 0.0, scores: Scores::default() }
    }
}
