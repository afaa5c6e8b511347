//! What can go wrong with a model as a whole.

use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why a model is not loaded or not put to use, or why a batch has no answers.
///
/// What is wrong with single rows is a [`RowError`](super::RowError); the other rows of the batch have their answers.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file can't be read.
    #[error("the model {file} can't be read")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The file is larger than a model may be.
    #[error("the model {file} has {bytes} bytes and may have {limit}: allow more by the limit `file_bytes`")]
    Large {
        /// The file.
        file: String,
        /// How many bytes it has.
        bytes: u64,
        /// How many it may have.
        limit: u64,
    },
    /// Nothing says what kind of model is in the file.
    #[error(
        "{file} does not say what kind of model it is: name it .onnx (ONNX) or .pb (a frozen graph of TensorFlow), or \
         say its kind"
    )]
    Kind {
        /// The file.
        file: String,
    },
    /// What is in the file is no model that can be run.
    #[error("{file} is not loaded as {kind}: {why}")]
    Invalid {
        /// The file.
        file: String,
        /// As what it was read.
        kind: super::Kind,
        /// What was found.
        why: String,
    },
    /// The model is made of operations that are not known here.
    #[error(
        "{file} has operations that can't be run here: {}; export the model with others in their place",
        operations.join(", ")
    )]
    Operations {
        /// The file.
        file: String,
        /// Their names.
        operations: Vec<String>,
    },
    /// The model has no tensor of that name.
    #[error("{file} has no {role} called `{name}`{hint}; it has {}", list(known))]
    Tensor {
        /// The file.
        file: String,
        /// `input` or `output`.
        role: &'static str,
        /// What was asked for.
        name: String,
        /// ` (did you mean …?)`, or nothing.
        hint: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The model has several inputs or outputs, and none is named.
    #[error("{file} has {} {role}s: name one of {}", known.len(), list(known))]
    Several {
        /// The file.
        file: String,
        /// `input` or `output`.
        role: &'static str,
        /// What there is.
        known: Vec<String>,
    },
    /// The output depends on inputs that a row does not give.
    #[error(
        "the output `{output}` of {file} also needs the inputs {}, and a row feeds one: freeze them into the model, or \
         name another output",
        list(inputs)
    )]
    Unfed {
        /// The file.
        file: String,
        /// The output.
        output: String,
        /// What else it needs.
        inputs: Vec<String>,
    },
    /// An input or output is not made of rows of numbers.
    #[error("the {role} `{name}` of {file} is {found}: {wanted}")]
    Shape {
        /// The file.
        file: String,
        /// `input` or `output`.
        role: &'static str,
        /// Its name.
        name: String,
        /// Its type and shape.
        found: String,
        /// What it would have to be.
        wanted: String,
    },
    /// There are not as many names of classes as outputs.
    #[error("{file} has {outputs} outputs a row, but {classes} names of classes: give a name for each")]
    Classes {
        /// The file.
        file: String,
        /// How many outputs a row has.
        outputs: usize,
        /// How many names there are.
        classes: usize,
    },
    /// There are not as many words as inputs.
    #[error(
        "{file} takes {inputs} numbers a row, but the vocabulary has {words} words: give it the one it was trained with"
    )]
    Vocabulary {
        /// The file.
        file: String,
        /// How many numbers a row has.
        inputs: usize,
        /// How many words there are.
        words: usize,
    },
    /// A setting is none that makes sense.
    #[error("{what}")]
    Setting {
        /// Which, and what it may be.
        what: String,
    },
    /// The model would take more memory than it may, for the largest batch or for what does not depend on its rows.
    #[error(
        "{file} would hold {bytes} bytes at `{tensor}` with a batch of {rows} rows, and may hold {limit}: make the batches \
         smaller, or allow more by the limit `run_bytes`"
    )]
    Memory {
        /// The file.
        file: String,
        /// The tensor that is too much.
        tensor: String,
        /// How many rows the largest batch has.
        rows: usize,
        /// About how many bytes would be held once that tensor is there.
        bytes: u64,
        /// How many may be.
        limit: u64,
    },
    /// Loading took longer than it may.
    #[error("loading {file} takes longer than {limit:?}: allow more by the limit `load_time`")]
    Slow {
        /// The file.
        file: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The model failed when it was tried, before it was put to use.
    #[error("{file} is not put to use: when it was tried with {rows} rows, {why}")]
    WarmUp {
        /// The file.
        file: String,
        /// With how many rows it was tried.
        rows: usize,
        /// What happened.
        why: String,
    },

    /// There is no model of that name.
    #[error("there is no model called `{name}`{hint}; there are {}", list(known))]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// ` (did you mean …?)`, or nothing.
        hint: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The model has no version of that name.
    #[error("the model `{name}` has no version `{version}`; it has {}", list(known))]
    UnknownVersion {
        /// The model.
        name: String,
        /// What was asked for.
        version: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The model has a version of that name already.
    #[error("the model `{name}` has a version `{version}` already: retire it, or take another name")]
    VersionTaken {
        /// The model.
        name: String,
        /// The version.
        version: String,
    },
    /// A new version takes or gives something else than those that are there.
    #[error("`{version}` can't be a version of the model `{name}`: {}", differences.join("; "))]
    Differs {
        /// The model.
        name: String,
        /// The version.
        version: String,
        /// What differs.
        differences: Vec<String>,
    },
    /// A name is none.
    #[error("a model or version needs a name of 1 to 200 bytes without `/`, not `{name}`")]
    Name {
        /// What was given.
        name: String,
    },
    /// As many models or versions are there as may be.
    #[error("{limit} {what} are there, and no more may be: remove one first")]
    Many {
        /// `models`, or `versions of` one.
        what: String,
        /// How many there may be.
        limit: usize,
    },
    /// A version is in use.
    #[error("the version `{version}` of the model `{name}` is {role}: put another in its place first")]
    InUse {
        /// The model.
        name: String,
        /// The version.
        version: String,
        /// `live` or `the shadow`.
        role: &'static str,
    },
    /// No version was live before, so there is no way back.
    #[error("there is no way back: no other version of the model `{name}` was live before")]
    NoWayBack {
        /// The model.
        name: String,
    },

    /// A batch has more rows than a batch may have. Smaller ones go through.
    #[error("a batch of {rows} rows for {model}, which takes {limit}: make the batches smaller")]
    Batch {
        /// The model.
        model: String,
        /// How many rows were given.
        rows: usize,
        /// How many a batch may have.
        limit: usize,
    },
    /// The model took longer for a batch than it may. The run goes on where it is, and what comes of it is discarded.
    #[error(
        "{model} took longer than {limit:?} for a batch of {rows} rows: make the batches smaller, or allow more by the limit \
         `batch_time`"
    )]
    Late {
        /// The model.
        model: String,
        /// How many rows the batch had.
        rows: usize,
        /// How long a batch may take.
        limit: Duration,
    },
    /// The model is busy with other batches, or with late ones, and takes no more for now.
    #[error(
        "{model} is busy with {with}, and takes no batch for now: send less at once, or allow more by the limits `late` or \
         `batch_time`"
    )]
    Busy {
        /// The model.
        model: String,
        /// With what.
        with: &'static str,
    },
    /// The model panicked at a batch; the next begins afresh.
    #[error("{model} panicked at a batch of {rows} rows: {why}")]
    Panicked {
        /// The model.
        model: String,
        /// How many rows the batch had.
        rows: usize,
        /// What it said.
        why: String,
    },
    /// The model failed at a batch.
    #[error("{model} failed at a batch of {rows} rows: {why}")]
    Run {
        /// The model.
        model: String,
        /// How many rows the batch had.
        rows: usize,
        /// What it said.
        why: String,
    },
    /// The system gives no thread to run a model on.
    #[error("no thread to run {model} on")]
    Thread {
        /// The model.
        model: String,
        /// Why.
        source: Arc<io::Error>,
    },
}

impl Error {
    /// Whether the same batch may go through at another time, as it is or divided: the model was late, busy, failed or
    /// panicked.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Batch { .. }
                | Self::Late { .. }
                | Self::Busy { .. }
                | Self::Panicked { .. }
                | Self::Run { .. }
                | Self::Thread { .. }
        )
    }
}

/// Names for people: `a`, `b` and `c`; of many the first ones.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(SHOWN);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
