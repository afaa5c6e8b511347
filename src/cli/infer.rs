//! `mape infer`

use super::{Global, Output};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

/// How many bytes a line may have.
pub(super) const LONGEST: usize = 16 << 20;

pub(super) const LONG: &str = "\
Let a model answer rows: a line of JSON each from standard input, a JSON array of its outputs each on standard output, in order, \
as they come.

A line is a row as a flat array of numbers, or {\"input\": ROW} and whatever else. With --vocabulary it may also be a text: the \
text is divided into sentences and tokens as NLTK's word_tokenize does it, each token is written small and stemmed by the \
Lancaster stemmer, and the row is 1 for each word of the vocabulary that is among these stems and 0 for the others, in the \
order of the vocabulary. The words of the vocabulary are compared as they are written, so they have to be such stems. A text \
may have 64 KiB.

A line that is no row, or that the model has no numbers for, is answered with null, so that lines of output are those of \
input; standard error says why, with the number of the line, and the exit code is 1 in the end. Empty lines are passed over. A \
line may have 16 MiB.

Rows are answered in batches: as many as --batch says, or fewer as soon as the input pauses.";

#[derive(Debug, Args)]
pub(super) struct InferArguments {
    /// The model: .onnx, or .pb, a frozen graph of TensorFlow
    pub(super) model: PathBuf,
    /// The input tensor; the only one if it is left out
    #[arg(long, value_name = "NAME")]
    pub(super) input: Option<String>,
    /// The output tensor, also one inside the model; the only one if it is left out
    #[arg(long, value_name = "NAME")]
    pub(super) output: Option<String>,
    /// At most how many rows are answered together
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) batch: u16,
    /// A JSON array with the words that texts are looked through for
    #[arg(long, value_name = "WORDS.json")]
    pub(super) vocabulary: Option<PathBuf>,
    /// The shape of a row, such as 3,224,224, where the model leaves it open
    #[arg(long, value_name = "SHAPE", value_delimiter = ',')]
    pub(super) shape: Option<Vec<usize>>,
}

#[cfg(feature = "inference")]
pub(super) async fn run(global: &Global, arguments: &InferArguments, output: &mut Output) -> Result<()> {
    super::infer_lines::run(global, arguments, output).await
}

/// Says how to get a program that can.
#[cfg(not(feature = "inference"))]
pub(super) async fn run(_global: &Global, _arguments: &InferArguments, _output: &mut Output) -> Result<()> {
    Err(super::Usage::error(
        "this program is built without models: build it with the feature `inference`, as by \
         `cargo install --path . --features inference`",
    ))
}
