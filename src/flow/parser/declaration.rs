//! `@flow` and `@task`.

use super::super::diagnostic::Code;
use super::super::token::TokenKind;
use super::super::tree::{Declaration, Kind};
use super::expected::Expected;
use super::{Parser, Read};
use crate::hint::nearest;

impl Parser<'_, '_> {
    /// Reads a declaration, of which the next token is the first; nothing if it cannot be read.
    pub(super) fn declaration(&mut self) -> Option<Declaration> {
        let read = self.try_declaration();
        if read.is_err() {
            self.recover();
        }
        read.ok().flatten()
    }

    /// Passes over one that cannot stand here; its subflow is read as if it stood for itself.
    pub(super) fn skip_declaration(&mut self) {
        self.at += 1;
        if self.take_if(TokenKind::Name).is_none() || self.parameters().is_err() {
            return self.recover();
        }
        self.take_if(TokenKind::Documentation);
        self.take_if(TokenKind::Semicolon);
    }

    fn try_declaration(&mut self) -> Read<Option<Declaration>> {
        let Some(token) = self.peek() else { return Ok(None) };
        let word = token.text(self.text);
        let kind = match word {
            "@flow" => Kind::Flow,
            "@task" => Kind::Task,
            "@" => {
                self.at += 1;
                return Err(self.unexpected(Expected::Kind));
            }
            _ => {
                let help = match nearest(word.trim_start_matches('@'), ["flow", "task"]) {
                    Some(near) => format!("did you mean `@{near}`?"),
                    None => "only `@flow` and `@task` are declared".to_owned(),
                };
                let message = format!("nothing is declared by `{}`", super::expected::shortened(word));
                self.sink.error_at(Code::Declaration, token, message).help(help);
                Kind::Unknown
            }
        };
        let Some(at) = self.take() else { return Ok(None) };
        let name = self.take_name(Expected::DeclaredName)?;
        let alias = match self.take_if(TokenKind::Equals) {
            Some(_) => Some(self.take_name(Expected::Alias)?),
            None => None,
        };
        let parameters = self.parameters()?;
        let documentation = self.take_if(TokenKind::Documentation);
        let subflow = match self.kind() {
            Some(TokenKind::Open) => Some(self.subflow()?),
            _ => None,
        };
        let semicolon = self.take_if(TokenKind::Semicolon);
        Ok(Some(Declaration { at, kind, name, alias, parameters, documentation, subflow, semicolon }))
    }
}
