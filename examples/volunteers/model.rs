//! The model and its words; `examples/data/README.md` says where they come from.

use mape::infer::{Model, Models, Settings};
use mape::text::Vocabulary;

/// What the model is called.
pub const NAME: &str = "interest";

const MODEL: &[u8] = include_bytes!("../data/volunteers/interest.onnx");
const WORDS: &str = include_str!("../data/volunteers/vocabulary.json");
const CLASSES: &str = include_str!("../data/volunteers/classes.json");

/// The words that the model has numbers for. Nobody else has a list of them.
pub fn vocabulary() -> anyhow::Result<Vocabulary> {
    Ok(Vocabulary::from_json(WORDS)?)
}

/// Loads the model. A comment without a known word is `unknown`, without asking it.
pub async fn load(models: &Models, threshold: f64) -> anyhow::Result<()> {
    let classes = serde_json::from_str(CLASSES)?;
    let settings = Settings { classes, threshold, blank_is_unknown: true, ..Settings::default() };
    let model = Model::read("interest.onnx", MODEL.to_vec(), settings).await?;
    models.add(NAME, None, model)?;
    Ok(())
}
