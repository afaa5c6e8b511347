//! How the text of a condition is written, where that differs from the usual.

/// How the text of a condition is written, where that differs from the usual.
///
/// ```
/// # use mape::condition::{Condition, Syntax};
/// let syntax = Syntax::new().brackets('(', ')');
/// let condition = Condition::parse_with("(a eq 1 or b eq 2) and c", syntax)?;
/// assert_eq!(condition.to_string(), "[a eq 1 or b eq 2] and c");
/// # Ok::<(), mape::condition::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    pub(super) separator: Option<char>,
    pub(super) open: char,
    pub(super) close: char,
    pub(super) converts: bool,
}

impl Syntax {
    /// The usual: words are separated by blanks, brackets are square, words that look like numbers are numbers.
    #[must_use]
    pub const fn new() -> Self {
        Self { separator: None, open: '[', close: ']', converts: true }
    }

    /// Another character between words, in place of blanks, tabs and ends of lines.
    #[must_use]
    #[doc(alias = "sep")]
    pub const fn separator(mut self, separator: char) -> Self {
        self.separator = Some(separator);
        self
    }

    /// Other brackets than `[` and `]`.
    #[must_use]
    #[doc(alias = "brkts")]
    pub const fn brackets(mut self, open: char, close: char) -> Self {
        self.open = open;
        self.close = close;
        self
    }

    /// Whether words that look like a number, `true`, `false` or `None` are taken as such; otherwise all is text.
    #[must_use]
    #[doc(alias = "autoconv")]
    pub const fn convert(mut self, converts: bool) -> Self {
        self.converts = converts;
        self
    }

    pub(super) fn separates(self, char: char) -> bool {
        self.separator.map_or_else(|| char.is_whitespace(), |separator| separator == char)
    }
}

impl Default for Syntax {
    fn default() -> Self {
        Self::new()
    }
}
