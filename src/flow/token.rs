//! The smallest pieces of a text.

use std::ops::Range;

/// A piece of a text: a name, an arrow, white space, a comment, a whole literal.
///
/// The tokens of a text follow one another without a gap, so that all of them together are the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub(super) kind: TokenKind,
    /// False for a literal, guard, documentation or URI whose end is missing.
    pub(super) closed: bool,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// Blanks and ends of lines.
    Space,
    /// `# …` to the end of the line.
    Comment,
    /// The name of a task.
    Name,
    /// `:name`
    Label,
    /// `→` or `->`
    Arrow,
    /// `>`
    Merge,
    /// `*`
    Iterate,
    /// `|`
    Bar,
    /// `?`
    Question,
    /// An expression in back quotes.
    Guard,
    /// `;`
    Semicolon,
    /// `=`
    Equals,
    /// `{`
    Open,
    /// `}`
    Close,
    /// `@task`, `@flow`, or what stands there in their place.
    Declare,
    /// `(` of the empty parameters `( )`.
    ParenOpen,
    /// `)` of the empty parameters `( )`.
    ParenClose,
    /// A literal of parameters: `({…})`, `([…])` or `(-…-)`.
    Parameters(Notation),
    /// A literal as a source: `<{…}>`, `<[…]>` or `<-…->`.
    Source(Notation),
    /// `<>`
    EmptySource,
    /// `<uri>`
    Uri,
    /// `'''…'''` or `"""…"""`
    Documentation,
    /// What belongs to no token.
    Unknown,
}

/// How a literal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notation {
    /// Between hyphens.
    Yaml,
    /// Between curly brackets, which belong to the value.
    JsonObject,
    /// Between square brackets, which belong to the value.
    JsonArray,
}

/// The place of a token among all of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TokenId(pub(super) u32);

impl Token {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Where it stands in the text, in bytes.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The line it begins in; the first is 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The character of its line that it begins with; the first is 1.
    #[must_use]
    pub fn column(&self) -> u32 {
        self.column
    }

    /// Its own part of the text it was read from.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.range()).unwrap_or_default()
    }

    /// Whether it only separates others.
    pub(super) fn is_trivia(&self) -> bool {
        matches!(self.kind, TokenKind::Space | TokenKind::Comment)
    }
}
