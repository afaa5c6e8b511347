//! From a text to tokens.
//!
//! Every text has tokens, and each byte is looked at a bounded number of times: where the end of a literal is missing,
//! that is remembered, so that the next one does not search the rest of the text again.

use super::diagnostic::Code;
use super::diagnostics::Sink;
use super::literal_end;
use super::token::{Notation, Token, TokenKind};

/// The tokens of a text; reports what has no end.
pub(super) fn tokens(text: &str, sink: &mut Sink) -> Vec<Token> {
    let mut lexer = Lexer {
        text,
        at: 0,
        line: 1,
        column: 1,
        tokens: Vec::with_capacity(text.len() / 3),
        missing: Vec::new(),
        no_angle_before: 0,
        sink,
    };
    while let Some(first) = lexer.rest().chars().next() {
        lexer.token(first);
    }
    lexer.tokens
}

/// Whether a name can begin so.
pub(super) fn begins_name(char: char) -> bool {
    char.is_ascii_alphabetic() || char == '_'
}

struct Lexer<'a, 's> {
    text: &'a str,
    /// Bytes that are done.
    at: usize,
    line: u32,
    column: u32,
    tokens: Vec<Token>,
    /// Ends that do not occur in the rest of the text.
    missing: Vec<&'static str>,
    /// Before here, no line has a `>` any more.
    no_angle_before: usize,
    sink: &'s mut Sink,
}

impl<'a> Lexer<'a, '_> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes one token, which begins with `first`.
    fn token(&mut self, first: char) {
        let rest = self.rest();
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let second = after.chars().next();
        match first {
            _ if is_space(first) => self.push(TokenKind::Space, length(rest, is_space)),
            '#' => self.push(TokenKind::Comment, rest.find('\n').unwrap_or(rest.len())),
            '→' => self.push(TokenKind::Arrow, first.len_utf8()),
            '-' if second == Some('>') => self.push(TokenKind::Arrow, 2),
            '>' => self.push(TokenKind::Merge, 1),
            '*' => self.push(TokenKind::Iterate, 1),
            '|' => self.push(TokenKind::Bar, 1),
            '?' => self.push(TokenKind::Question, 1),
            ';' => self.push(TokenKind::Semicolon, 1),
            '=' => self.push(TokenKind::Equals, 1),
            '{' => self.push(TokenKind::Open, 1),
            '}' => self.push(TokenKind::Close, 1),
            ')' => self.push(TokenKind::ParenClose, 1),
            '(' => match notation(second) {
                Some(notation) => self.literal(TokenKind::Parameters(notation), notation, ')'),
                None => self.push(TokenKind::ParenOpen, 1),
            },
            '<' => self.angle(after),
            '`' => self.quoted(TokenKind::Guard, "`"),
            '\'' if after.starts_with("''") => self.quoted(TokenKind::Documentation, "'''"),
            '"' if after.starts_with("\"\"") => self.quoted(TokenKind::Documentation, "\"\"\""),
            ':' if second.is_some_and(begins_name) => self.push(TokenKind::Label, 1 + name(after)),
            '@' => self.push(TokenKind::Declare, 1 + name(after)),
            _ if begins_name(first) => self.push(TokenKind::Name, name(rest)),
            _ if first.is_alphanumeric() => self.push(TokenKind::Unknown, word(rest)),
            _ => self.push(TokenKind::Unknown, first.len_utf8()),
        }
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        self.push_as(kind, length, true);
    }

    fn push_as(&mut self, kind: TokenKind, length: usize, closed: bool) {
        let end = (self.at + length).min(self.text.len());
        let token = self.text.get(self.at..end).unwrap_or_default();
        self.tokens.push(Token {
            kind,
            closed,
            start: offset(self.at),
            end: offset(end),
            line: self.line,
            column: self.column,
        });
        for char in token.chars() {
            if char == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.at = end;
    }

    /// A token without its end, which opens with so many characters; it reaches to the end of the line.
    fn unclosed(&mut self, kind: TokenKind, opening: usize, length: usize, message: &str, help: &str) {
        let at = offset(self.at + opening);
        let column = self.column + u32::try_from(opening).unwrap_or(0);
        self.sink.error(Code::Unclosed, (at, at + 1), (self.line, column), message).help(help);
        self.push_as(kind, length, false);
    }

    /// From the beginning of the rest to the end of its line, behind at least `least` bytes.
    fn line_end(&self, least: usize) -> usize {
        let rest = self.rest();
        let line = rest.get(least..).and_then(|rest| rest.find('\n')).map_or(rest.len(), |end| end + least);
        rest.get(..line).unwrap_or_default().trim_end().len().max(least)
    }

    /// The length of the rest up to and with the first `end` behind `from`.
    fn find(&mut self, from: usize, end: &'static str) -> Option<usize> {
        if self.missing.contains(&end) {
            return None;
        }
        let found = self.rest().get(from..).and_then(|rest| rest.find(end));
        if found.is_none() {
            self.missing.push(end);
        }
        found.map(|at| from + at + end.len())
    }

    fn quoted(&mut self, kind: TokenKind, quote: &'static str) {
        let opening = quote.len();
        if let Some(length) = self.find(opening, quote) {
            return self.push(kind, length);
        }
        let what = if kind == TokenKind::Guard { "guard" } else { "documentation" };
        let length = self.line_end(opening);
        let message = format!("the {what} has no end: {quote} is missing");
        self.unclosed(kind, opening, length, &message, &format!("close the {what} with {quote}"));
    }

    fn literal(&mut self, kind: TokenKind, notation: Notation, close: char) {
        let end = match (notation, close) {
            (Notation::Yaml, ')') => "-)",
            (Notation::Yaml, _) => "->",
            (Notation::JsonObject, ')') => "})",
            (Notation::JsonObject, _) => "}>",
            (Notation::JsonArray, ')') => "])",
            (Notation::JsonArray, _) => "]>",
        };
        let (from, unclosed) = match notation {
            Notation::Yaml => (2, None),
            // The end is that of the value; if the text is no value, the first end behind the place where it fails.
            _ => match literal_end::of_json(self.rest().get(1..).unwrap_or_default()) {
                Ok(length) if self.rest().get(1 + length..).is_some_and(|rest| rest.starts_with(close)) => {
                    return self.push(kind, length + 2);
                }
                Ok(at) | Err(at) => {
                    // A bracket that closes the literal, but not the value, is most likely meant as its end.
                    let closes = self.rest().get(1 + at..).is_some_and(|rest| rest.starts_with(close));
                    (1 + at, closes.then_some(2 + at))
                }
            },
        };
        if let Some(length) = self.find(from, end) {
            return self.push(kind, length);
        }
        let length = unclosed.unwrap_or_else(|| self.line_end(2));
        let message = format!("the literal has no end: `{end}` is missing");
        let help = format!("close it with `{end}`, without a space between the two characters");
        self.unclosed(kind, 2, length, &message, &help);
    }

    /// What begins with `<`.
    fn angle(&mut self, after: &str) {
        if let Some(notation) = notation(after.chars().next()) {
            return self.literal(TokenKind::Source(notation), notation, '>');
        }
        let blank = length(after, is_space);
        if after.get(blank..).is_some_and(|rest| rest.starts_with('>')) {
            return self.push(TokenKind::EmptySource, blank + 2);
        }
        if self.at >= self.no_angle_before {
            let line = after.find('\n').unwrap_or(after.len());
            if let Some(end) = after.get(..line).and_then(|line| line.find('>')) {
                return self.push(TokenKind::Uri, end + 2);
            }
            self.no_angle_before = self.at + 1 + line;
        }
        let length = 1 + after.find(is_space).unwrap_or(after.len());
        let help = "a resource is written `<uri>`, in one line; a literal `<{…}>`, `<[…]>` or `<- … ->`";
        self.unclosed(TokenKind::Uri, 1, length, "the resource has no end: `>` is missing", help);
    }
}

fn is_space(char: char) -> bool {
    char.is_whitespace() || char == '\u{feff}'
}

/// How many bytes of the beginning are such characters.
fn length(text: &str, is: fn(char) -> bool) -> usize {
    text.find(|char| !is(char)).unwrap_or(text.len())
}

fn notation(char: Option<char>) -> Option<Notation> {
    match char? {
        '-' => Some(Notation::Yaml),
        '{' => Some(Notation::JsonObject),
        '[' => Some(Notation::JsonArray),
        _ => None,
    }
}

/// The length of the name that a text begins with. A hyphen before `>` belongs to the arrow.
fn name(text: &str) -> usize {
    if text.starts_with(begins_name) { word(text) } else { 0 }
}

fn word(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let belongs = char.is_alphanumeric() || matches!(char, '_' | '-' | ':');
        if !belongs || (char == '-' && chars.peek().is_some_and(|(_, next)| *next == '>')) {
            return at;
        }
    }
    text.len()
}

fn offset(at: usize) -> u32 {
    // A text is shorter than that: `Workflow::parse` sees to it.
    u32::try_from(at).unwrap_or(u32::MAX)
}
