//! The words of a condition's text.

use super::{Diagnostic, Error, Syntax};
use std::ops::Range;

/// The words that join conditions.
pub(super) const JOINS: [&str; 5] = ["and", "or", "xor", "and_not", "or_not"];
/// The words that stand before an operator, and some before a key.
pub(super) const PREFIXES: [&str; 4] = ["not", "rev", "not_rev", "rev_not"];

/// A word, with where it stands in the text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    /// As it is written, with `\` before characters that mean nothing but themselves.
    Word(String),
    /// What stands in quotes.
    Quoted(String),
}

impl Token {
    /// The word, if it is one that stands there as it is.
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// The words of a part of a text.
pub(super) fn tokens(text: &str, part: Range<usize>, syntax: Syntax) -> Result<Vec<Token>, Error> {
    let start = part.start;
    let mut chars =
        text.get(part).unwrap_or_default().char_indices().map(|(at, char)| (start + at, char)).peekable();
    let mut tokens = Vec::new();
    while let Some((at, char)) = chars.next() {
        if syntax.separates(char) {
            continue;
        }
        let end = at + char.len_utf8();
        let (kind, end) = if char == syntax.open {
            (Kind::Open, end)
        } else if char == syntax.close {
            (Kind::Close, end)
        } else if matches!(char, '"' | '\'') {
            let mut quoted = String::new();
            let closed = loop {
                match chars.next() {
                    Some((at, next)) if next == char => break at + 1,
                    Some((_, next)) => quoted.push(next),
                    None => {
                        let diagnostic =
                            Diagnostic::in_text(text, &(at..end), format!("the quote {char} is not closed"));
                        return Err(diagnostic
                            .help_with(format!("write `\\{char}` for the character itself"))
                            .into());
                    }
                }
            };
            if let Some((at, next)) = chars.peek().copied()
                && !(syntax.separates(next) || [syntax.open, syntax.close, ','].contains(&next))
            {
                let diagnostic =
                    Diagnostic::in_text(text, &(at..at), format!("`{next}` follows a closing quote"));
                return Err(diagnostic
                    .help_with("put a blank between them, or `\\` before a quote in a text")
                    .into());
            }
            (Kind::Quoted(quoted), closed)
        } else {
            let (mut word, mut end) = (String::new(), end);
            let mut next = Some((at, char));
            while let Some((at, char)) = next {
                word.push(char);
                end = at + char.len_utf8();
                if char == '\\' {
                    let Some((at, escaped)) = chars.next() else {
                        let diagnostic = Diagnostic::in_text(text, &(at..end), "nothing follows `\\`");
                        return Err(diagnostic.help_with("write `\\\\` for the character itself").into());
                    };
                    word.push(escaped);
                    end = at + escaped.len_utf8();
                }
                let ends = |next: char| syntax.separates(next) || [syntax.open, syntax.close].contains(&next);
                next = chars.next_if(|(_, next)| !ends(*next));
            }
            (Kind::Word(word), end)
        };
        tokens.push(Token { kind, range: at..end });
    }
    Ok(tokens)
}

/// A word without its `\`.
pub(super) fn unescaped(raw: &str) -> String {
    let mut plain = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(char) = chars.next() {
        plain.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    plain
}

/// A word divided at a character, but where that stands behind `\`.
pub(super) fn divided(raw: &str, at: char) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (index, char) in raw.char_indices() {
        if escaped {
            escaped = false;
        } else if char == '\\' {
            escaped = true;
        } else if char == at {
            parts.extend(raw.get(start..index));
            start = index + at.len_utf8();
        }
    }
    parts.extend(raw.get(start..));
    parts
}
