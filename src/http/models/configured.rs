//! Models as the configuration has them.

use crate::config::{self, Classes, Config, Error, ModelKind};
use crate::infer::{self, Kind, Limits, Models, Settings};
use crate::text::Vocabulary;
use std::path::Path;

impl Models {
    /// Loads what the section `models` names.
    ///
    /// ```
    /// use mape::config::Config;
    /// use mape::infer::Models;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::config::Error> {
    /// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models/mlp.onnx");
    /// let text = format!("models:\n  interest: {{file: {file:?}, threshold: 0.2}}\n");
    /// let config = Config::builder().text(text).without_environment().build()?;
    /// let models = Models::configured(&config).await?;
    /// assert_eq!(models.list()[0].name, "interest");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] with the line of the first one that is not in order, and why.
    ///
    /// # Cancel safety
    /// If dropped, nothing is loaded.
    pub async fn configured(config: &Config) -> Result<Self, Error> {
        let models = Self::new();
        for (name, section) in &config.models {
            let place = format!("models.{name}");
            let settings = Settings::configured(config, name)?;
            let wrong = |key: &str, error: &infer::Error| told(config, &format!("{place}.{key}"), error);
            let version = section.version.as_deref();
            let loaded = models.load(name, version, &section.file, settings.clone()).await;
            loaded.map_err(|error| wrong(key_of(&error), &error))?;
            let Some(shadow) = &section.shadow else { continue };
            let loaded = models.load(name, Some(&shadow.version), &shadow.file, settings).await;
            let tried = loaded.and_then(|version| models.shadow(name, Some(&version), shadow.tolerance));
            tried.map_err(|error| wrong("shadow", &error))?;
        }
        Ok(models)
    }
}

impl Settings {
    /// What the section `models` says of a model, with what is in the files that it names.
    ///
    /// # Errors
    /// [`Error::Invalid`]: there is no section of that name, or a file with words or classes cannot be read.
    pub fn configured(config: &Config, name: &str) -> Result<Self, Error> {
        let place = format!("models.{name}");
        let Some(section) = config.models.get(name) else {
            return Err(config.wrong("models", format!("`models` has no `{name}`")));
        };
        let classes = match &section.classes {
            Classes::Names(names) => names.clone(),
            Classes::File(file) => {
                names(file).map_err(|error| told(config, &format!("{place}.classes"), &error))?
            }
        };
        let vocabulary = match &section.vocabulary {
            Some(file) => Some(
                Vocabulary::open(file)
                    .map(|words| words.at_most(section.limits.text_bytes))
                    .map_err(|error| told(config, &format!("{place}.vocabulary"), &error))?,
            ),
            None => None,
        };
        Ok(Self {
            kind: section.kind.map(|kind| match kind {
                ModelKind::Onnx => Kind::Onnx,
                ModelKind::Tensorflow => Kind::Tensorflow,
            }),
            input: section.input.clone(),
            output: section.output.clone(),
            shape: section.shape.clone(),
            vocabulary,
            classes,
            threshold: section.threshold,
            blank_is_unknown: section.blank_is_unknown,
            warm_up: section.warm_up,
            limits: limits(&section.limits),
        })
    }
}

fn limits(limits: &config::ModelLimits) -> Limits {
    Limits {
        file_bytes: limits.file_bytes as u64,
        rows: limits.rows,
        batch_bytes: limits.batch_bytes as u64,
        run_bytes: limits.run_bytes as u64,
        text_bytes: limits.text_bytes,
        batch_time: limits.batch_time,
        late: limits.late,
        load_time: limits.load_time,
    }
}

/// Which key is to be changed.
fn key_of(error: &infer::Error) -> &'static str {
    match error {
        infer::Error::Tensor { role: "input", .. } | infer::Error::Several { role: "input", .. } => "input",
        infer::Error::Tensor { .. } | infer::Error::Several { .. } => "output",
        infer::Error::Classes { .. } => "classes",
        infer::Error::Vocabulary { .. } => "vocabulary",
        infer::Error::Shape { .. } => "shape",
        infer::Error::Slow { .. } => "limits.load_time",
        infer::Error::Memory { .. } => "limits.run_bytes",
        _ => "file",
    }
}

fn told(config: &Config, place: &str, error: &impl std::error::Error) -> Error {
    let mut because = format!("`{place}`: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        because = format!("{because}: {error}");
        cause = error.source();
    }
    config.wrong(place, because)
}

/// Why there are no names.
#[derive(Debug, thiserror::Error)]
enum NoNames {
    #[error("the file {file} with the names of classes cannot be read")]
    Read { file: String, source: std::io::Error },
    #[error("the file {file} is no JSON array of texts")]
    Json { file: String, source: serde_json::Error },
}

fn names(file: &Path) -> Result<Vec<String>, NoNames> {
    let name = || file.display().to_string();
    let json = std::fs::read(file).map_err(|source| NoNames::Read { file: name(), source })?;
    serde_json::from_slice(&json).map_err(|source| NoNames::Json { file: name(), source })
}
