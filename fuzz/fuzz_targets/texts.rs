//! Any text: its sentences are parts of it, its tokens have no white space, and its numbers are finite.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mape::text::{FeatureHasher, Reading, sentences, tokenise};

fuzz_target!(|text: &str| {
    assert!(sentences(text).iter().all(|sentence| text.contains(sentence)));
    assert!(tokenise(text).iter().all(|token| !token.is_empty() && !token.contains(char::is_whitespace)));
    let _ = Reading::stems().read(text);
    let Ok(bag) = FeatureHasher::new(64).and_then(|hasher| hasher.normalised().bag(text)) else { return };
    assert!(bag.numbers().iter().all(|number| number.is_finite()));
});
