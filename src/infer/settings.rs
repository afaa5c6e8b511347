//! How a model is loaded and read.

use super::{Error, Kind};
use crate::text::Vocabulary;
use std::time::Duration;

/// How a model is loaded, and what its outputs mean.
///
/// The defaults fit a model with one input and one output, both with the batch as their first dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What the file is; by default what its name says.
    pub kind: Option<Kind>,
    /// The input tensor by name; by default the only one.
    pub input: Option<String>,
    /// The output tensor by name; by default the only one. Any tensor inside the model may be named.
    pub output: Option<String>,
    /// The shape of a row, without the batch, where the file leaves it open.
    pub shape: Option<Vec<usize>>,
    /// The names of the classes, one for each output of a row, in their order. A row with one output `p` has two: `p` is
    /// the score of the second. Without names, classes are called `0`, `1`, ….
    pub classes: Vec<String>,
    /// A verdict whose score is below is [unknown](super::UNKNOWN). Scores are the outputs as the model gives them.
    /// Default: 0.
    pub threshold: f64,
    /// The words that a text is turned into a row by, as many as the model has inputs: so a row can be a
    /// [text](super::Input::Text). A text without any of these words is unknown, and the model is not asked.
    pub vocabulary: Option<Vocabulary>,
    /// Whether a row of zeros alone is unknown, without asking the model: for bags of words, where it means that no word
    /// was known. Default: no.
    pub blank_is_unknown: bool,
    /// How often a model is tried before it is put to use, with rows of its own making; 0 is not at all. Default: 2.
    pub warm_up: usize,
    /// What it may take.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kind: None,
            input: None,
            output: None,
            shape: None,
            classes: Vec::new(),
            threshold: 0.0,
            vocabulary: None,
            blank_is_unknown: false,
            warm_up: 2,
            limits: Limits::default(),
        }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |what: &str| Err(Error::Setting { what: what.to_owned() });
        if !self.threshold.is_finite() {
            return wrong("the threshold of a model is a finite number");
        }
        if self.shape.as_ref().is_some_and(|shape| shape.contains(&0)) {
            return wrong("the shape of a row has no dimension of length 0");
        }
        let Limits { rows, batch_time, load_time, .. } = self.limits;
        if rows == 0 || batch_time.is_zero() || load_time.is_zero() {
            return wrong("the limits of a model for rows, time of a batch and time to load are above 0");
        }
        Ok(())
    }
}

/// What a model may take of memory and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of its file. Default: 256 MiB.
    pub file_bytes: u64,
    /// Rows of a batch. Default: 4096.
    pub rows: usize,
    /// Bytes of the numbers of a full batch, what goes in and what comes out together; checked when the model is loaded.
    /// Default: 256 MiB.
    pub batch_bytes: u64,
    /// Bytes that a run of a full batch may hold at once, with all tensors inside the model but the numbers in its file;
    /// found out from their shapes when the model is loaded. What is in loops and branches of the model, lengths that depend on
    /// the numbers of a row, and what an operation needs only for itself are not in it. Default: 1 GiB.
    pub run_bytes: u64,
    /// Bytes of a text that becomes a row. Default: 16 KiB; a vocabulary may have a smaller bound of its own.
    pub text_bytes: usize,
    /// Time for a batch, from when its turn comes; a batch also waits as long for its turn. Default: 10 s.
    ///
    /// This is time of the real clock: where tokio's is paused, in tests, a model runs as long as it runs, and is never late.
    pub batch_time: Duration,
    /// How many late runs may still be under way while the next batch begins. Default: 1.
    pub late: usize,
    /// Time to read the file, prepare the model and try it. Default: 60 s.
    pub load_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 256 << 20,
            rows: 4096,
            batch_bytes: 256 << 20,
            run_bytes: 1 << 30,
            text_bytes: 16 << 10,
            batch_time: Duration::from_secs(10),
            late: 1,
            load_time: Duration::from_mins(1),
        }
    }
}
