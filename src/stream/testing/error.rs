//! What is wrong with a marble text, and the error that a marble text draws.

/// A marble text that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A bracket without its partner.
    #[error("marble text {text:?}: `{bracket}` has no partner")]
    Unbalanced {
        /// The text.
        text: String,
        /// The bracket left over.
        bracket: char,
    },
    /// Something follows the end of the stream.
    #[error("marble text {text:?}: something follows `|`; the stream has ended there")]
    AfterEnd {
        /// The text.
        text: String,
    },
    /// `{…}` holds no number of frames.
    #[error("marble text {text:?}: {{{frames}}} is not a number of frames; write {{250}}")]
    NotFrames {
        /// The text.
        text: String,
        /// What stands between the braces.
        frames: String,
    },
    /// The stream cannot give such an item.
    #[error("marble text {text:?}: a stream of characters cannot give the item `{label}`; {hint}")]
    NotAnItem {
        /// The text.
        text: String,
        /// The item's label, or `#`.
        label: String,
        /// What to write instead.
        hint: &'static str,
    },
}

/// The error item that `#` draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, thiserror::Error)]
#[error("an error drawn in a marble text")]
pub struct Failed;
