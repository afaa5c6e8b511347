//! Tokens one after the other, with their comments.

use super::super::token::{Token, TokenId, TokenKind};
use super::INDENT;

/// What stands before a token unless a comment does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    None,
    Blank,
    /// A new line, indented so far.
    Line(usize),
}

pub(super) struct Printer<'a> {
    text: &'a str,
    tokens: &'a [Token],
    out: String,
    /// Characters of the last line.
    column: usize,
    /// How far the last line is indented.
    indent: usize,
    /// How far the statement is indented.
    statement: usize,
    /// Tokens that are done, with their comments.
    done: usize,
    /// The last token opened a subflow.
    opened: bool,
    /// How many comments there are before each token.
    comments: Vec<u32>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        let mut count = 0;
        let comments = tokens.iter().map(|token| {
            count += u32::from(token.kind == TokenKind::Comment);
            count
        });
        Self {
            text,
            tokens,
            out: String::with_capacity(text.len() + text.len() / 8),
            column: 0,
            indent: 0,
            statement: 0,
            done: 0,
            opened: false,
            comments: comments.collect(),
        }
    }

    /// Characters of the last line.
    pub(super) fn column(&self) -> usize {
        self.column
    }

    /// How far the last line is indented.
    pub(super) fn indent(&self) -> usize {
        self.indent
    }

    /// How far a line is indented that goes on with a statement.
    pub(super) fn continued(&self) -> usize {
        self.statement + INDENT
    }

    /// A statement begins that is indented so far.
    pub(super) fn begin(&mut self, indent: usize) {
        self.statement = indent;
    }

    /// How far the statement is indented, to be given back to [`end`](Self::end).
    pub(super) fn statement(&self) -> usize {
        self.statement
    }

    /// The statement that was begun before goes on.
    pub(super) fn end(&mut self, statement: usize) {
        self.statement = statement;
    }

    /// How long a token is; nothing if it has several lines.
    pub(super) fn width(&self, id: TokenId) -> Option<usize> {
        let shown = self.shown(self.tokens.get(id.0 as usize)?);
        if shown.contains('\n') { None } else { Some(shown.chars().count()) }
    }

    /// Whether a new line follows a token.
    pub(super) fn breaks_behind(&self, id: TokenId) -> bool {
        let next = self.tokens.get(id.0 as usize + 1);
        next.is_some_and(|next| next.kind == TokenKind::Space && next.text(self.text).contains('\n'))
    }

    /// Whether a comment stands between two tokens.
    pub(super) fn has_comment(&self, from: TokenId, to: TokenId) -> bool {
        self.comments.get(from.0 as usize) != self.comments.get(to.0 as usize)
    }

    pub(super) fn token(&mut self, id: TokenId, gap: Gap) {
        let comments = match gap {
            Gap::Line(indent) => indent,
            _ => self.continued(),
        };
        self.print(id, gap, comments);
    }

    /// A token that closes a subflow, the comments before which are indented so far.
    pub(super) fn closing(&mut self, id: TokenId, gap: Gap, comments: usize) {
        self.print(id, gap, comments);
    }

    /// The last token before another one that is neither a blank nor a comment, which must not be done yet.
    pub(super) fn token_before(&mut self, id: TokenId, gap: Gap) {
        let before = self.tokens.get(self.done..id.0 as usize).unwrap_or_default();
        let at = before.iter().rposition(|token| !token.is_trivia());
        if let Some(at) = at.and_then(|at| u32::try_from(self.done + at).ok()) {
            self.token(TokenId(at), gap);
        }
    }

    /// The text, with the comments behind the last token.
    pub(super) fn finish(mut self) -> String {
        self.comments_before(self.tokens.len(), 0, true);
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }

    fn print(&mut self, id: TokenId, gap: Gap, comments: usize) {
        let at = id.0 as usize;
        let Some(token) = self.tokens.get(at) else { return };
        let between = matches!(gap, Gap::Line(_));
        let (newlines, commented) = self.comments_before(at, comments, between);
        let first = self.out.is_empty();
        match gap {
            _ if first => {}
            Gap::Line(indent) => {
                // Statements may be set apart, but not from the brackets around them.
                self.line(indent, newlines > 1 && !self.opened && token.kind != TokenKind::Close);
            }
            _ if commented => self.line(comments, false),
            Gap::Blank => self.write(" "),
            Gap::None => {}
        }
        self.write(self.shown(token));
        self.opened = token.kind == TokenKind::Open;
        self.done = at + 1;
    }

    /// Prints the comments before a token that are not done yet. Gives how many ends of lines stand behind the last of
    /// them, and whether there was one.
    fn comments_before(&mut self, at: usize, indent: usize, between: bool) -> (usize, bool) {
        let mut newlines = 0;
        let mut commented = false;
        for token in self.tokens.get(self.done..at).unwrap_or_default() {
            let text = token.text(self.text);
            if token.kind != TokenKind::Comment {
                newlines += text.matches('\n').count();
                continue;
            }
            if self.out.is_empty() {
                // The text begins with it.
            } else if newlines == 0 {
                self.write(" ");
            } else {
                self.line(indent, between && newlines > 1 && !self.opened);
            }
            self.write(text.trim_end());
            self.opened = false;
            newlines = 0;
            commented = true;
        }
        (newlines, commented)
    }

    fn line(&mut self, indent: usize, apart: bool) {
        self.out.push_str(if apart { "\n\n" } else { "\n" });
        self.column = indent;
        self.indent = indent;
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn write(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rsplit_once('\n') {
            Some((_, last)) => self.column = last.chars().count(),
            None => self.column += text.chars().count(),
        }
    }

    /// A token as it is printed.
    fn shown(&self, token: &Token) -> &'a str {
        match token.kind {
            TokenKind::Arrow => "→",
            TokenKind::EmptySource => "<>",
            _ => token.text(self.text),
        }
    }
}
