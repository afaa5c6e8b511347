//! From outputs to a class.

use super::reading::File;
use super::{Error, Port, Settings};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// The classes of a model, and from which score on one is believed.
pub(super) struct Classes {
    names: Vec<Arc<str>>,
    threshold: f64,
    /// Whether there is one output, which is the score of the second of two classes.
    two: bool,
}

/// The scores of a row: few need no memory of their own, and most networks that judge texts and signals have few classes.
pub(super) type Scores = SmallVec<[f64; 8]>;

/// The class with the highest score.
pub(super) struct Best {
    /// Its place; nothing if its score is below the threshold.
    pub(super) class: Option<u32>,
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

    /// Classes by their names, of verdicts that were written down.
    pub(super) fn named(names: Vec<Arc<str>>) -> Self {
        Self { names, threshold: f64::NEG_INFINITY, two: false }
    }

    /// What the class is called at that place.
    pub(super) fn name(&self, place: Option<u32>) -> Option<&str> {
        let place = usize::try_from(place?).ok()?;
        self.names.get(place).map(|name| &**name)
    }

    /// The class with the highest score; of several, the first.
    pub(super) fn best(&self, answer: &[f64]) -> Best {
        let (place, score) = match answer {
            [second] if self.two && *second >= 0.5 => (1, *second),
            [second] if self.two => (0, 1.0 - second),
            _ => answer.iter().copied().enumerate().fold((0, f64::NEG_INFINITY), |best, (place, score)| {
                if score > best.1 { (place, score) } else { best }
            }),
        };
        let class = u32::try_from(place).ok().filter(|_| score >= self.threshold && place < self.names.len());
        Best { class, score }
    }

    /// All scores, in the order of the classes.
    pub(super) fn scores(&self, answer: &[f64]) -> Scores {
        match answer {
            [second] if self.two => smallvec![1.0 - second, *second],
            _ => SmallVec::from_slice(answer),
        }
    }
}
