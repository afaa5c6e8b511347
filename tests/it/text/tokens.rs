//! Sentences, tokens and stems: thousands of them against NLTK, and texts that mean harm.

use super::data;
use mape::text::{Reading, sentences, stem, tokenise, tokenise_sentence};
use proptest::prelude::*;
use serde_json::Value;

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// A text, its sentences with their tokens, and its tokens as one sentence if they are others.
type Vector = (String, Vec<(String, Value)>, Value);

#[test]
fn sentences_and_tokens_are_those_of_nltk() {
    let vectors: Vec<Vector> = serde_json::from_str(&data("tokens.json")).unwrap();
    assert!(vectors.len() > 1_000, "{} texts", vectors.len());
    let mut tokens = 0;
    for (text, found, whole) in &vectors {
        let expected: Vec<&str> = found.iter().map(|(sentence, _)| sentence.as_str()).collect();
        assert_eq!(sentences(text), expected, "{text:?}");
        for (sentence, expected) in found {
            assert_eq!(tokenise_sentence(sentence), words(expected), "{sentence:?}");
        }
        let together: Vec<&str> = found.iter().flat_map(|(_, found)| words(found)).collect();
        assert_eq!(tokenise(text), together, "{text:?}");
        let expected = if whole.is_null() { together.clone() } else { words(whole) };
        assert_eq!(tokenise_sentence(text), expected, "{text:?} as one sentence");
        tokens += together.len();
    }
    assert!(tokens > 10_000, "{tokens} tokens");
}

#[test]
fn stems_are_those_of_nltk() {
    let vectors = data("stems.txt");
    let mut words = 0;
    for line in vectors.split_terminator('\n') {
        let (word, expected) = line.split_once('\t').unwrap();
        assert_eq!(stem(word), expected, "{word:?}");
        words += 1;
    }
    assert!(words > 5_000, "{words} words");
}

#[test]
fn a_text_over_the_bound_is_refused_and_one_at_the_bound_is_not() {
    let most = Reading::MOST_BYTES;
    let fits = " ".repeat(most);
    assert!(Reading::stems().read(&fits).unwrap().is_empty());
    let error = Reading::stems().read(&format!("{fits}!")).unwrap_err().to_string();
    assert_eq!(
        error,
        "reading a text: it has 65537 bytes, at most 65536 are read: shorten it, or raise the bound (`Reading::at_most`)"
    );
    assert!(Reading::stems().at_most(most + 1).read(&format!("{fits}!")).is_ok());
}

/// Every rule takes a time that grows with the text; one that grew with its square would be felt here.
#[test]
fn texts_that_mean_harm_are_read_like_others() {
    let shapes = [
        "a", ".", "'", "\"", "`", "a.", ". ", "?\"", "a'b", " 'tis", "cannot", "wanna ", "(", "--", ".\n",
        " ", ":,", "n't ", "Mr. ", "5. ", ". . ", "e\u{301}", "ing",
    ];
    for shape in shapes {
        let text = shape.repeat(16_000 / shape.len());
        let words = Reading::stems().read(&text).unwrap();
        let letters: usize = words.iter().map(String::len).sum();
        // Two quotes are longer than the one they stand for; stems are shorter.
        assert!(letters <= 2 * text.len(), "{shape:?}");
        assert_eq!(tokenise(&format!("{text}x.) ")).last().map(String::as_str), Some(")"), "{shape:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_nothing_is_white_space(text in "(?s)\\PC{0,40}|[a-c.?!'\"` ,:;\\n(\\-)]{0,60}|.{0,40}") {
        for sentence in sentences(&text) {
            prop_assert!(text.contains(sentence));
        }
        for token in tokenise(&text) {
            prop_assert!(!token.is_empty() && !token.contains(char::is_whitespace), "{:?}", token);
        }
        prop_assert!(stem(&text).chars().count() <= text.to_lowercase().chars().count());
    }
}
