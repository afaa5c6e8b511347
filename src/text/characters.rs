//! The classes of characters that the rules ask for, which are Python's.

use regex::Regex;
use std::sync::LazyLock;

/// `\w` of the module `regex`, which NLTK uses nearly everywhere.
pub(super) fn is_word(character: char) -> bool {
    static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\w"));
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    WORD.is_match(character.encode_utf8(&mut [0; 4]))
}

/// `\w` of the module `re`: letters, numbers and `_`, but no marks.
pub(super) fn is_letter_or_number(character: char) -> bool {
    static EITHER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[\p{L}\p{N}]"));
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    EITHER.is_match(character.encode_utf8(&mut [0; 4]))
}

/// `str.isalpha`
pub(super) fn is_letter(character: char) -> bool {
    static LETTER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\p{L}"));
    if character.is_ascii() {
        return character.is_ascii_alphabetic();
    }
    LETTER.is_match(character.encode_utf8(&mut [0; 4]))
}

/// `str.isspace`, and what `str.split` divides at.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// Whether a word is a number, in Punkt's sense.
pub(super) fn is_number(word: &str) -> bool {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^-?[.,]?\d[\d,.-]*$"));
    NUMBER.is_match(word)
}

/// A pattern of this module.
#[expect(clippy::expect_used, reason = "the patterns are written here, and tests use them all")]
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of the module")
}
