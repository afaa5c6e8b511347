//! Why a text has no numbers.

use std::path::PathBuf;

/// Why a text has no numbers, or there is no vocabulary. Only reading a file may go better next time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is longer than its reader allows.
    #[error(
        "reading a text: it has {bytes} bytes, at most {most} are read: shorten it, or raise the bound (`Reading::at_most`)"
    )]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// A vocabulary without words.
    #[error("making a vocabulary: it has no words, so all texts would be the same: give it some")]
    NoWords,
    /// A word of a vocabulary is empty.
    #[error("making a vocabulary: word {place} is empty, which no text has: take it out, and train again")]
    EmptyWord {
        /// Which of the words, counted from 0.
        place: usize,
    },
    /// A vocabulary has a word twice.
    #[error(
        "making a vocabulary: `{word}` is word {first} and word {second}; one of them would be 0 for ever: take one out, and train again"
    )]
    Twice {
        /// The word.
        word: String,
        /// Its first place, counted from 0.
        first: usize,
        /// Its second.
        second: usize,
    },
    /// A vocabulary that is no JSON array of strings.
    #[error("reading a vocabulary: it is no JSON array of strings")]
    NoList(#[source] serde_json::Error),
    /// The file of a vocabulary cannot be read.
    #[error("reading the vocabulary `{}`", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file of a vocabulary holds none.
    #[error("the file `{}` holds no vocabulary", path.display())]
    InFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        error: Box<Error>,
    },
    /// Features were to be hashed to no numbers.
    #[error("hashing features to {asked} numbers: ask for 1 to {most}")]
    Numbers {
        /// How many were asked for.
        asked: usize,
        /// The most that there can be.
        most: usize,
    },
}
