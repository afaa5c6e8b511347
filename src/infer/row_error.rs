//! What can be wrong with a row.

/// Why a row has no answer. The other rows of its batch have theirs.
///
/// Rows and columns count from 0. The row is its place in the batch as it was given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// The row is empty.
    #[error("row {row} is empty, and {wanted} numbers are a row")]
    Empty {
        /// Its place in the batch.
        row: usize,
        /// How many numbers a row has.
        wanted: usize,
    },
    /// The row has more or fewer numbers than the model takes.
    #[error("row {row} has {found} numbers, and {wanted} are a row")]
    Width {
        /// Its place in the batch.
        row: usize,
        /// How many numbers it has.
        found: usize,
        /// How many numbers a row has.
        wanted: usize,
    },
    /// A number is NaN or infinite.
    #[error("row {row} has {value} in column {column}: a row is made of finite numbers")]
    NotFinite {
        /// Its place in the batch.
        row: usize,
        /// The place in the row.
        column: usize,
        /// What is there.
        value: f64,
    },
    /// A number is none of the type that the model takes.
    #[error("row {row} has {value} in column {column}, which is no number of type {wanted}")]
    Type {
        /// Its place in the batch.
        row: usize,
        /// The place in the row.
        column: usize,
        /// What is there.
        value: f64,
        /// What the model takes.
        wanted: super::ElementType,
    },
    /// A text is longer than it may be.
    #[error(
        "the text of row {row} has {bytes} bytes, and may have {limit}: shorten it, or allow more by the limit `text_bytes`"
    )]
    Long {
        /// Its place in the batch.
        row: usize,
        /// How many bytes the text has.
        bytes: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A text came for a model that has no words.
    #[error("row {row} is a text, and the model has no vocabulary: give it one, or rows of numbers")]
    Text {
        /// Its place in the batch.
        row: usize,
    },
    /// What the model answers to the row is NaN or infinite.
    #[error("the model answers row {row} with {value} in output {column}")]
    Answer {
        /// Its place in the batch.
        row: usize,
        /// The place in the output.
        column: usize,
        /// What is there.
        value: f64,
    },
}

impl RowError {
    /// The same where it is known which row is meant, as `it has 43 numbers, and 44 are a row`.
    #[must_use]
    pub fn reason(&self) -> String {
        self.to_string().replacen(&format!("row {}", self.row()), "it", 1)
    }

    /// The place of the row in the batch that was given.
    #[must_use]
    pub fn row(&self) -> usize {
        match self {
            Self::Empty { row, .. }
            | Self::Width { row, .. }
            | Self::NotFinite { row, .. }
            | Self::Type { row, .. }
            | Self::Long { row, .. }
            | Self::Text { row }
            | Self::Answer { row, .. } => *row,
        }
    }
}
