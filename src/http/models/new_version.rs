//! A new version of a model, as clients say it.

use super::super::Problem;
use crate::infer::{Kind, Settings};
use crate::text::Vocabulary;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// How it is loaded. What is not said is as with the version that is live; of a new model, by default.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// What the version is called; the next number unless it is said.
    #[serde(default)]
    #[param(min_length = 1, max_length = 200)]
    pub(super) version: Option<String>,
    /// What the bytes are: `onnx`, or `tensorflow` for a frozen graph; what they look like unless it is said.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^(onnx|tensorflow)$")]
    kind: Option<Kind>,
    /// The input tensor by name; the only one unless it is said.
    #[serde(default)]
    input: Option<String>,
    /// The output tensor by name; the only one unless it is said.
    #[serde(default)]
    output: Option<String>,
    /// The shape of a row, where the file leaves it open: lengths, with commas between them.
    #[serde(default)]
    #[param(pattern = "^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*$", example = "3,224,224")]
    shape: Option<String>,
    /// The names of the classes, with commas between them.
    #[serde(default)]
    classes: Option<String>,
    /// A verdict whose score is below is `unknown`.
    #[serde(default)]
    threshold: Option<f64>,
}

impl Asked {
    /// Lays it over settings.
    pub(super) fn over(self, settings: &mut Settings) -> Result<Option<String>, Problem> {
        settings.kind = self.kind.or(settings.kind);
        settings.input = self.input.or(settings.input.take());
        settings.output = self.output.or(settings.output.take());
        if let Some(shape) = self.shape {
            let lengths: Result<_, _> = shape.split(',').map(|length| length.trim().parse()).collect();
            settings.shape = Some(lengths.map_err(|_| {
                Problem::unprocessable(format!("`shape`: `{shape}` is no list of lengths, such as 3,224,224"))
            })?);
        }
        if let Some(classes) = self.classes {
            settings.classes = classes.split(',').map(|name| name.trim().to_owned()).collect();
        }
        settings.threshold = self.threshold.unwrap_or(settings.threshold);
        Ok(self.version)
    }
}

/// A file of the service's, and how it is loaded.
#[derive(Deserialize, ToSchema)]
#[schema(as = ModelFile)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    /// Its name in the directory `rest.model_files`.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) file: String,
    /// What the version is called; the next number unless it is said.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    version: Option<String>,
    /// What the file is; what its name says unless it is said.
    #[serde(default)]
    kind: Option<Kind>,
    /// The input tensor by name.
    #[serde(default)]
    input: Option<String>,
    /// The output tensor by name.
    #[serde(default)]
    output: Option<String>,
    /// The shape of a row, where the file leaves it open.
    #[serde(default)]
    shape: Option<Vec<usize>>,
    /// The names of the classes.
    #[serde(default)]
    classes: Option<Vec<String>>,
    /// A verdict whose score is below is `unknown`.
    #[serde(default)]
    threshold: Option<f64>,
    /// The words that texts are looked through for, as stems.
    #[serde(default)]
    vocabulary: Option<Vec<String>>,
    /// Whether a row of zeros alone is `unknown`.
    #[serde(default)]
    blank_is_unknown: Option<bool>,
}

impl Named {
    /// Lays it over settings.
    pub(super) fn over(self, settings: &mut Settings) -> Result<Option<String>, Problem> {
        settings.kind = self.kind.or(settings.kind);
        settings.input = self.input.or(settings.input.take());
        settings.output = self.output.or(settings.output.take());
        settings.shape = self.shape.or(settings.shape.take());
        settings.classes = self.classes.unwrap_or(std::mem::take(&mut settings.classes));
        settings.threshold = self.threshold.unwrap_or(settings.threshold);
        settings.blank_is_unknown = self.blank_is_unknown.unwrap_or(settings.blank_is_unknown);
        if let Some(words) = self.vocabulary {
            let wrong = |error| Problem::unprocessable(format!("`vocabulary`: {error}"));
            settings.vocabulary =
                Some(Vocabulary::new(words).map_err(wrong)?.at_most(settings.limits.text_bytes));
        }
        Ok(self.version)
    }
}
