//! From outputs to a class.

use super::reading::File;
use super::{Error, Port, Settings};
use std::sync::Arc;

/// The classes of a model, and from which score on one is believed.
pub(super) struct Classes {
    names: Vec<Arc<str>>,
    threshold: f64,
    /// Whether there is one output, which is the score of the second of two classes.
    two: bool,
}

/// The class with the highest score.
pub(super) struct Best<'a> {
    /// Nothing if its score is below the threshold.
    pub(super) class: Option<&'a Arc<str>>,
    pub(super) score: f64,
}

impl Classes {
    pub(super) fn new(file: &File, output: &Port, settings: &Settings) -> Result<Self, Error> {
        let outputs = output.width();
        let given = settings.classes.len();
        let two = outputs == 1 && given == 2;
        if given != 0 && given != outputs && !two {
            return Err(Error::Classes { file: file.name.clone(), outputs, classes: given });
        }
        let names = if given == 0 {
            (0..outputs).map(|class| Arc::from(class.to_string())).collect()
        } else {
            settings.classes.iter().map(|class| Arc::from(class.as_str())).collect()
        };
        Ok(Self { names, threshold: settings.threshold, two })
    }

    /// The class with the highest score; of several, the first.
    pub(super) fn best(&self, answer: &[f64]) -> Best<'_> {
        let (place, score) = match answer {
            [second] if self.two && *second >= 0.5 => (1, *second),
            [second] if self.two => (0, 1.0 - second),
            _ => answer.iter().copied().enumerate().fold((0, f64::NEG_INFINITY), |best, (place, score)| {
                if score > best.1 { (place, score) } else { best }
            }),
        };
        let class = self.names.get(place).filter(|_| score >= self.threshold);
        Best { class, score }
    }

    /// All scores, in the order of the classes.
    pub(super) fn scores(&self, answer: &[f64]) -> Vec<f64> {
        match answer {
            [second] if self.two => vec![1.0 - second, *second],
            _ => answer.to_vec(),
        }
    }
}
