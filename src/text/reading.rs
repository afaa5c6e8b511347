//! What is made of a text before it becomes numbers.

use super::{Error, stem, tokenise};

/// What is made of a text before it becomes numbers, and how long it may be.
///
/// It has to be what was made of the texts that a model was trained with.
///
/// ```
/// use mape::text::Reading;
///
/// let text = "We're HELPING!";
/// assert_eq!(Reading::tokens().read(text)?, ["We", "'re", "HELPING", "!"]);
/// assert_eq!(Reading::words().read(text)?, ["we", "'re", "helping", "!"]);
/// assert_eq!(Reading::stems().read(text)?, ["we", "'re", "help", "!"]);
///
/// let refused = Reading::stems().at_most(10).read(text).unwrap_err().to_string();
/// assert!(refused.starts_with("reading a text: it has 14 bytes, at most 10 are read"), "{refused}");
/// # Ok::<(), mape::text::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    kind: Kind,
    most_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Tokens,
    Words,
    Stems,
}

impl Reading {
    /// The bytes that a text may have unless [`at_most`](Self::at_most) says otherwise: 64 KiB.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// The [tokens](tokenise) as they are written.
    #[must_use]
    pub const fn tokens() -> Self {
        Self { kind: Kind::Tokens, most_bytes: Self::MOST_BYTES }
    }

    /// The [tokens](tokenise) written small.
    #[must_use]
    pub const fn words() -> Self {
        Self { kind: Kind::Words, most_bytes: Self::MOST_BYTES }
    }

    /// The [stems](stem) of the [tokens](tokenise), written small.
    #[must_use]
    pub const fn stems() -> Self {
        Self { kind: Kind::Stems, most_bytes: Self::MOST_BYTES }
    }

    /// Refuses texts of more bytes.
    #[must_use]
    pub const fn at_most(self, bytes: usize) -> Self {
        Self { most_bytes: bytes, ..self }
    }

    /// The words of a text, in its order.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`].
    pub fn read(&self, text: &str) -> Result<Vec<String>, Error> {
        if text.len() > self.most_bytes {
            return Err(Error::TooLong { bytes: text.len(), most: self.most_bytes });
        }
        let mut words = tokenise(text);
        for word in &mut words {
            match self.kind {
                Kind::Tokens => {}
                Kind::Words => *word = word.to_lowercase(),
                Kind::Stems => *word = stem(word),
            }
        }
        Ok(words)
    }
}

impl Default for Reading {
    /// [`stems`](Self::stems)
    fn default() -> Self {
        Self::stems()
    }
}
