//! Text to numbers: as NLTK and scikit-learn make them, within bounds, on any text.

mod bags;
mod hashes;
mod tokens;

/// A file of what others make of texts.
pub(crate) fn data(name: &str) -> String {
    let path = format!("{}/tests/data/text/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}
