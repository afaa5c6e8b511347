//! Steps: tasks, groups and subflows with what stands around them.

use super::super::token::{TokenId, TokenKind};
use super::super::tree::{Body, Parameters, Resource, Step, Task};
use super::expected::Expected;
use super::{Parser, Read};

impl Parser<'_, '_> {
    /// Reads a step; `expected` is what is missing if there is none.
    pub(super) fn step(&mut self, expected: Expected) -> Read<Step> {
        let mut expected = expected;
        let input = self.take_if(TokenKind::Label);
        if input.is_some() {
            expected = Expected::StepAfterLabel;
        }
        let iterate = self.take_if(TokenKind::Iterate);
        let merge = if iterate.is_none() { self.take_if(TokenKind::Merge) } else { None };
        if iterate.is_some() {
            expected = Expected::AfterIterate;
        } else if merge.is_some() {
            expected = Expected::AfterMerge;
        }
        let guard = match self.take_if(TokenKind::Question) {
            Some(question) => {
                let Some(guard) = self.take_if(TokenKind::Guard) else {
                    return Err(self.unexpected(Expected::Guard));
                };
                expected = Expected::AfterGuard;
                Some((question, guard))
            }
            None => None,
        };
        let body = match self.kind() {
            Some(TokenKind::Open) => Body::Subflow(self.subflow()?),
            _ => self.tasks(expected)?,
        };
        let output = self.take_if(TokenKind::Label);
        Ok(Step { input, iterate, merge, guard, body, output })
    }

    fn tasks(&mut self, expected: Expected) -> Read<Body> {
        let first = self.task(expected)?;
        let mut others = Vec::new();
        while let Some(bar) = self.take_if(TokenKind::Bar) {
            others.push((bar, self.task(Expected::TaskAfterBar)?));
        }
        Ok(if others.is_empty() { Body::Task(first) } else { Body::Group(first, others) })
    }

    fn task(&mut self, expected: Expected) -> Read<Task> {
        let Some(name) = self.take_if(TokenKind::Name) else { return Err(self.unexpected(expected)) };
        Ok(Task { name, parameters: self.parameters()? })
    }

    /// The parameters that follow, if any do.
    pub(super) fn parameters(&mut self) -> Read<Option<Parameters>> {
        if let Some(TokenKind::Parameters(_)) = self.kind() {
            return Ok(self.take().map(Parameters::Literal));
        }
        let Some(open) = self.take_if(TokenKind::ParenOpen) else { return Ok(None) };
        if let Some(close) = self.take_if(TokenKind::ParenClose) {
            return Ok(Some(Parameters::Empty(open, close)));
        }
        let error = self.unexpected(Expected::ParenClose);
        self.skip_parentheses();
        Err(error)
    }

    /// `<uri>(…)`, of which the next token is the first.
    pub(super) fn resource(&mut self) -> Read<Resource> {
        let Some(uri) = self.take_if(TokenKind::Uri) else {
            return Err(self.unexpected(Expected::Statement));
        };
        Ok(Resource { uri, parameters: self.parameters()? })
    }

    /// Goes behind the `)` that most likely belongs to a `(`, if there is one nearby.
    fn skip_parentheses(&mut self) {
        const NEARBY: usize = 100;
        let closes = |by: &usize| self.ahead(*by).is_some_and(|token| token.kind == TokenKind::ParenClose);
        if let Some(by) = (0..NEARBY).find(closes) {
            self.at += by + 1;
        }
    }

    pub(super) fn take_name(&mut self, expected: Expected) -> Read<TokenId> {
        self.take_if(TokenKind::Name).ok_or_else(|| self.unexpected(expected))
    }
}
