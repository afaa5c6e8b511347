//! Reading the text form.

use super::lexer::{self, Kind, PREFIXES, Token, divided, unescaped};
use super::literal::convert;
use super::operator::Operator;
use super::path::Path;
use super::tree::{self, Atom, Join, LONGEST_TEXT, Node, Room, Subject};
use super::{Diagnostic, Error, Syntax};
use serde_json::Value;
use std::iter::Peekable;
use std::ops::Range;
use std::vec;

/// Reads a condition that is a part of a text.
pub(super) fn read(text: &str, part: Range<usize>, syntax: Syntax) -> Result<Node, Error> {
    short_enough(text)?;
    let mut part = part;
    let trimmed = text.get(part.clone()).unwrap_or_default().trim_start();
    if trimmed.starts_with("deep:") {
        // Paths always are.
        part.start = part.end - trimmed.len() + "deep:".len();
    }
    let end = part.end;
    let tokens = lexer::tokens(text, part, syntax)?.into_iter().peekable();
    let mut reader = Reader { text, end, syntax, tokens, room: Room::new() };
    reader.chain(0, None)
}

/// That a text is not too long.
pub(super) fn short_enough(text: &str) -> Result<(), Error> {
    if text.len() > LONGEST_TEXT {
        let message = format!("the text is longer than {LONGEST_TEXT} bytes");
        return Err(Diagnostic::in_text(text, &(0..0), message).into());
    }
    Ok(())
}

/// What a key that is written stands for.
pub(super) fn subject(raw: &str, room: &mut Room) -> Result<Subject, String> {
    if let Some(name) = raw.strip_prefix(':') {
        return Ok(Subject::Named(unescaped(name).into(), usize::MAX));
    }
    if ["env:", "dt:", "utc:"].iter().any(|start| raw.starts_with(start)) {
        return Err(format!("`{raw}`: a condition knows no environment and no clock, only the data"));
    }
    let path = Path::parse(raw)?;
    room.path(&path)?;
    Ok(Subject::Path(path))
}

struct Reader<'t> {
    text: &'t str,
    /// Where the condition ends in the text.
    end: usize,
    syntax: Syntax,
    tokens: Peekable<vec::IntoIter<Token>>,
    room: Room,
}

impl Reader<'_> {
    /// Conditions that are joined, up to the end or the bracket that closes the one at `open`.
    fn chain(&mut self, depth: usize, open: Option<&Range<usize>>) -> Result<Node, Error> {
        let first = self.operand(depth, open)?;
        let mut rest = Vec::new();
        loop {
            let token = match (self.tokens.next(), open) {
                (None, None) => break,
                (None, Some(open)) => {
                    return Err(self.wrong(open, "this bracket is not closed").into());
                }
                (Some(token), Some(_)) if token.kind == Kind::Close => break,
                (Some(token), _) => token,
            };
            let Some(join) = token.word().and_then(Join::parse) else {
                return Err(self.not_joined(&token).into());
            };
            // `and not` is one word: it denies all that follows.
            let join = match join.negated() {
                Some(negated) if self.tokens.next_if(|next| next.word() == Some("not")).is_some() => negated,
                _ => join,
            };
            let operand = self.operand(depth, open)?;
            rest.push((join, operand));
        }
        Ok(Node::chain(first, rest))
    }

    fn operand(&mut self, depth: usize, open: Option<&Range<usize>>) -> Result<Node, Error> {
        let Some(token) = self.tokens.next() else {
            let end = self.end..self.end;
            let diagnostic = match open {
                Some(open) => self.wrong(open, "this bracket is not closed"),
                None => self.wrong(&end, "a key is expected here").help_with("such as `name eq Joe`"),
            };
            return Err(diagnostic.into());
        };
        let limited = |reader: &Self, result: Result<(), String>| {
            result.map_err(|message| Error::from(reader.wrong(&token.range, message)))
        };
        let part = self.room.part();
        limited(self, part)?;
        limited(self, tree::depth(depth))?;
        match &token.kind {
            Kind::Open => self.chain(depth + 1, Some(&token.range)),
            Kind::Close => Err(self.wrong(&token.range, "a key is expected before this bracket").into()),
            Kind::Word(word) if word == "not" => Ok(self.operand(depth + 1, open)?.not()),
            Kind::Word(word) if Join::parse(word).is_some() => {
                let message = format!("a key is expected before `{word}`");
                let help = format!("a key called so stands in quotes: \"{word}\"");
                Err(self.wrong(&token.range, message).help_with(help).into())
            }
            Kind::Word(raw) => {
                let subject = subject(raw, &mut self.room);
                self.atom(subject.map_err(|message| Error::from(self.wrong(&token.range, message)))?)
            }
            Kind::Quoted(name) => self.atom(Subject::Path(Path::single(name))),
        }
    }

    /// What follows a key.
    fn atom(&mut self, subject: Subject) -> Result<Node, Error> {
        let mut atom = Atom::truthy(subject);
        let ends = |token: &Token| {
            token.kind == Kind::Close || token.word().is_some_and(|word| Join::parse(word).is_some())
        };
        if self.tokens.peek().is_none_or(ends) {
            return Ok(Node::Atom(atom));
        }
        let mut prefixes = 0;
        while let Some(token) = self
            .tokens
            .next_if(|next| prefixes < 2 && next.word().is_some_and(|word| PREFIXES.contains(&word)))
        {
            prefixes += 1;
            atom.negated |= token.word().is_some_and(|word| word.contains("not"));
            atom.reversed |= token.word().is_some_and(|word| word.contains("rev"));
        }
        let Some(token) = self.tokens.next() else {
            let end = self.end..self.end;
            return Err(self.wrong(&end, "an operator is expected here").help_with("such as `eq`").into());
        };
        atom.operator = match token.word().map(|word| (word, Operator::parse(word))) {
            Some((_, Some(operator))) => operator,
            Some((word, None)) => {
                let message = format!("there is no operator `{word}`");
                return Err(self.wrong(&token.range, message).help_with(Operator::help(word)).into());
            }
            None => return Err(self.wrong(&token.range, "an operator is expected here").into()),
        };
        if atom.operator.takes_a_value() {
            atom.literal = self.value(atom.operator)?;
            atom.weight = u32::try_from(super::value::size(&atom.literal)).unwrap_or(u32::MAX);
        } else {
            self.tokens.next_if(|token| !ends(token) && token.kind != Kind::Open);
        }
        Ok(Node::Atom(atom))
    }

    fn value(&mut self, operator: Operator) -> Result<Value, Error> {
        let token = self.tokens.next();
        match token.as_ref().map(|token| (&token.kind, token)) {
            Some((Kind::Quoted(text), _)) => Ok(Value::String(text.clone())),
            Some((Kind::Word(word), _)) if Join::parse(word).is_none() => Ok(self.literal(word)),
            Some((Kind::Open, token)) => self.list(1, &token.range),
            found => {
                let end = self.end..self.end;
                let range = found.map_or(&end, |(_, token)| &token.range);
                let message = format!("a value is expected here, for `{}`", operator.name());
                Err(self
                    .wrong(range, message)
                    .help_with("words such as `and` stand in quotes as a value")
                    .into())
            }
        }
    }

    /// The values up to the bracket that closes the one at `open`.
    fn list(&mut self, depth: usize, open: &Range<usize>) -> Result<Value, Error> {
        tree::depth(depth).map_err(|message| self.wrong(open, message))?;
        let mut items = Vec::new();
        loop {
            let Some(token) = self.tokens.next() else {
                return Err(self.wrong(open, "this bracket is not closed").into());
            };
            let before = items.len();
            match &token.kind {
                Kind::Close => return Ok(Value::Array(items)),
                Kind::Open => items.push(self.list(depth + 1, &token.range)?),
                Kind::Quoted(text) => items.push(Value::String(text.clone())),
                Kind::Word(word) => {
                    let parts = divided(word, ',').into_iter().filter(|part| !part.is_empty());
                    items.extend(parts.map(|part| self.literal(part)));
                }
            }
            let added = items.len() - before;
            self.room.values(added).map_err(|message| self.wrong(&token.range, message))?;
        }
    }

    fn literal(&self, raw: &str) -> Value {
        let word = unescaped(raw);
        if self.syntax.converts { convert(&word) } else { Value::String(word) }
    }

    fn not_joined(&self, token: &Token) -> Diagnostic {
        match &token.kind {
            Kind::Close => self
                .wrong(&token.range, "this bracket closes nothing")
                .help_with("write `\\` before one that is meant itself"),
            _ => self
                .wrong(&token.range, "`and`, `or` or `xor` is expected here")
                .help_with("a text with blanks stands in quotes"),
        }
    }

    fn wrong(&self, range: &Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::in_text(self.text, range, message)
    }
}
