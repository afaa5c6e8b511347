//! What tokens hold: names, labels, values, guards, texts. Each is read once, however often it is invoked.

use super::super::diagnostic::Code;
use super::super::diagnostics::Sink;
use super::super::literal::{self, Budget};
use super::super::parser::place_behind;
use super::super::token::{Token, TokenId, TokenKind};
use super::super::tree::Parameters;
use super::super::{Guard, Notation};
use foldhash::{HashMap, HashMapExt};
use serde_json::Value;
use std::sync::Arc;

/// Stands for a token that is not there, which no tree has.
const NOWHERE: Token = Token { kind: TokenKind::Unknown, closed: true, start: 0, end: 0, line: 1, column: 1 };

pub(super) struct Contents<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    budget: Budget,
    /// `{}`, which is what most parameters are.
    nothing: Arc<Value>,
    values: HashMap<TokenId, Option<Arc<Value>>>,
    guards: HashMap<TokenId, Option<Guard>>,
}

impl<'a> Contents<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        let nothing = Arc::new(Value::Object(serde_json::Map::new()));
        Self {
            text,
            tokens,
            budget: Budget::default(),
            nothing,
            values: HashMap::new(),
            guards: HashMap::new(),
        }
    }

    pub(super) fn token(&self, id: TokenId) -> &'a Token {
        self.tokens.get(id.0 as usize).unwrap_or(&NOWHERE)
    }

    pub(super) fn text_of(&self, id: TokenId) -> &'a str {
        self.token(id).text(self.text)
    }

    pub(super) fn place(&self, id: TokenId) -> (u32, u32) {
        let token = self.token(id);
        (token.line, token.column)
    }

    /// A label without its colon.
    pub(super) fn label(&self, id: TokenId) -> &'a str {
        self.text_of(id).trim_start_matches(':')
    }

    pub(super) fn uri(&self, id: TokenId) -> Arc<str> {
        self.text_of(id).trim_matches(['<', '>']).trim().into()
    }

    /// All names of tasks in the text.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        let names = self.tokens.iter().filter(|token| token.kind == TokenKind::Name);
        names.map(|token| token.text(self.text))
    }

    /// The text of a documentation.
    pub(super) fn documentation(&self, id: TokenId) -> Arc<str> {
        let text = self.text_of(id);
        let inner = if self.token(id).closed { text.get(3..text.len().saturating_sub(3)) } else { None };
        inner.unwrap_or_default().into()
    }

    pub(super) fn parameters_token(&self, parameters: Parameters) -> &'a Token {
        match parameters {
            Parameters::Empty(open, _) | Parameters::Literal(open) => self.token(open),
        }
    }

    /// `{}`
    pub(super) fn nothing(&self) -> Arc<Value> {
        self.nothing.clone()
    }

    /// The value of parameters; `{}` if they are empty or null, or cannot be read, which is reported.
    pub(super) fn parameters(&mut self, parameters: Parameters, sink: &mut Sink) -> Arc<Value> {
        let value = match parameters {
            Parameters::Empty(..) => None,
            Parameters::Literal(id) => self.value(id, sink),
        };
        value.filter(|value| !value.is_null()).unwrap_or_else(|| self.nothing())
    }

    /// The value of a literal that is a source.
    pub(super) fn source(&mut self, id: TokenId, sink: &mut Sink) -> Option<Arc<Value>> {
        let token = self.token(id);
        if token.kind == TokenKind::EmptySource {
            return Some(self.nothing());
        }
        let value = self.value(id, sink)?;
        let what = match *value {
            Value::Null => return Some(self.nothing()),
            Value::Object(_) | Value::Array(_) => return Some(value),
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
        };
        let message = format!("a source has to be a map or a list, and this is {what}");
        sink.error_at(Code::Literal, token, message).help("give it a name: `<- value: … ->`");
        None
    }

    fn value(&mut self, id: TokenId, sink: &mut Sink) -> Option<Arc<Value>> {
        if let Some(known) = self.values.get(&id) {
            return known.clone();
        }
        let token = self.token(id);
        let value = match token.kind {
            TokenKind::Parameters(notation) | TokenKind::Source(notation) if token.closed => {
                self.read(token, notation, sink).map(Arc::new)
            }
            _ => None,
        };
        self.values.insert(id, value.clone());
        value
    }

    fn read(&mut self, token: &Token, notation: Notation, sink: &mut Sink) -> Option<Value> {
        let before = token.column.saturating_sub(1) as usize;
        match literal::read(token.text(self.text), before, notation, &mut self.budget) {
            Ok(literal) => {
                if let Some(key) = literal.duplicate {
                    let message = format!("the key `{key}` is there twice; only the last value counts");
                    sink.warn_at(Code::DuplicateKey, token, message).help("take the other one away");
                }
                Some(literal.value)
            }
            Err(fault) => {
                let (range, place) = self.within(token, fault.at, fault.length);
                let error = sink.error(Code::Literal, range, place, fault.message);
                if let Some(help) = fault.help {
                    error.help(help);
                }
                None
            }
        }
    }

    /// A guard; nothing if it cannot be read, which is reported.
    pub(super) fn guard(&mut self, id: TokenId, sink: &mut Sink) -> Option<Guard> {
        if let Some(known) = self.guards.get(&id) {
            return known.clone();
        }
        let token = self.token(id);
        let text = token.text(self.text);
        let text = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        let guard = if token.closed { Some(Guard::read_at(text)) } else { None };
        let guard = guard.and_then(|guard| match guard {
            Ok(guard) => Some(guard),
            Err(fault) => {
                let message = format!("the guard is no JSON path: {}", fault.message);
                let at = token.start + 1 + u32::try_from(fault.at).unwrap_or(0);
                let error = sink.error_at(Code::Guard, token, message).point(at);
                if let Some(help) = fault.help {
                    error.help(help);
                }
                None
            }
        });
        self.guards.insert(id, guard.clone());
        guard
    }

    /// Looks at the guards and literals of a text that is not all in the tree, so that what is wrong with them is
    /// reported together with what made them unreadable.
    pub(super) fn check_what_is_unread(&mut self, readable: bool, sink: &mut Sink) {
        if readable {
            return;
        }
        let mut behind_question = false;
        for (index, token) in self.tokens.iter().enumerate().filter(|(_, token)| !token.is_trivia()) {
            let id = TokenId(u32::try_from(index).unwrap_or(u32::MAX));
            match token.kind {
                // Between other back quotes there is something else.
                TokenKind::Guard if behind_question => drop(self.guard(id, sink)),
                TokenKind::Parameters(_) | TokenKind::Source(_) => drop(self.value(id, sink)),
                _ => {}
            }
            behind_question = token.kind == TokenKind::Question;
        }
    }

    /// So many bytes of a token, at least a character, by their place in bytes of it: what to mark, and its line and
    /// column.
    fn within(&self, token: &Token, at: usize, length: usize) -> ((u32, u32), (u32, u32)) {
        let text = token.text(self.text);
        let before = text.get(..at).unwrap_or(text);
        let place = place_behind(before, (token.line, token.column));
        let start = token.start + u32::try_from(before.len()).unwrap_or(0);
        let first = text.get(before.len()..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        let length = length.max(first);
        ((start, start + u32::try_from(length).unwrap_or(1)), place)
    }
}
