//! From tokens to a tree: recursive descent that goes on after an error.
//!
//! What cannot be read is reported once and left out, up to a place where most likely something new begins: behind a
//! `;`, at a bracket or declaration, or at a line that begins as a statement does.

mod declaration;
mod expected;
mod step;

use super::diagnostic::Code;
use super::diagnostics::{Noted, Sink};
use super::token::{Token, TokenId, TokenKind};
use super::tree::{Destination, Item, Source, Statement, Subflow, Target, Tree};
use expected::Expected;

/// How deep subflows may be nested, in the text and by what declared subflows expand to.
pub(super) const MAX_NESTING: usize = 100;

/// Reads all tokens of a text.
pub(super) fn parse(text: &str, tokens: &[Token], sink: &mut Sink) -> Tree {
    let significant = tokens.iter().enumerate().filter(|(_, token)| !token.is_trivia());
    let significant =
        significant.map(|(index, _)| TokenId(u32::try_from(index).unwrap_or(u32::MAX))).collect();
    Parser { text, tokens, significant, at: 0, depth: 0, sink }.tree()
}

/// An error was reported, and the rest of the statement cannot be read.
struct Unreadable;

type Read<T> = Result<T, Unreadable>;

struct Parser<'a, 's> {
    text: &'a str,
    tokens: &'a [Token],
    /// The tokens that are neither blanks nor comments.
    significant: Vec<TokenId>,
    /// How many of those are done.
    at: usize,
    depth: usize,
    sink: &'s mut Sink,
}

impl<'a> Parser<'a, '_> {
    fn tree(mut self) -> Tree {
        let mut items = Vec::new();
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Declare => items.extend(self.declaration().map(Item::Declaration)),
                TokenKind::Close => {
                    let help = "take it away, or open a subflow before it";
                    self.error("this `}` closes nothing").help(help);
                    self.at += 1;
                }
                _ => items.push(Item::Statement(self.statement())),
            }
        }
        Tree { items }
    }

    // --- tokens -------------------------------------------------------------------------------------------------

    fn ahead(&self, by: usize) -> Option<&'a Token> {
        let id = self.significant.get(self.at + by)?;
        self.tokens.get(id.0 as usize)
    }

    fn peek(&self) -> Option<&'a Token> {
        self.ahead(0)
    }

    fn kind(&self) -> Option<TokenKind> {
        self.peek().map(|token| token.kind)
    }

    /// The token before.
    fn last(&self) -> Option<&'a Token> {
        let id = self.significant.get(self.at.checked_sub(1)?)?;
        self.tokens.get(id.0 as usize)
    }

    /// Takes the next token, whatever it is.
    fn take(&mut self) -> Option<TokenId> {
        let id = self.significant.get(self.at).copied()?;
        self.at += 1;
        Some(id)
    }

    fn take_if(&mut self, kind: TokenKind) -> Option<TokenId> {
        if self.kind() == Some(kind) { self.take() } else { None }
    }

    // --- errors -------------------------------------------------------------------------------------------------

    /// An error at the next token, or at the end of the text.
    fn error(&mut self, message: impl Into<String>) -> Noted<'_> {
        match self.peek() {
            Some(token) => self.sink.error_at(Code::Syntax, token, message),
            None => self.error_at_end(Code::Syntax, message),
        }
    }

    fn error_at_end(&mut self, code: Code, message: impl Into<String>) -> Noted<'_> {
        let end = self.tokens.last().map_or(0, |last| last.end);
        let (line, column) = end_of(self.text, self.tokens);
        self.sink.error(code, (end, end), (line, column), message)
    }

    /// Goes to where something new may begin.
    fn recover(&mut self) {
        let line = self.last().or(self.peek()).map_or(0, |token| token.line);
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Semicolon => {
                    self.at += 1;
                    break;
                }
                TokenKind::Close | TokenKind::Open | TokenKind::Declare => break,
                kind if token.line > line && (begins_statement(kind) || kind == TokenKind::Unknown) => break,
                _ => self.at += 1,
            }
        }
    }

    // --- statements ---------------------------------------------------------------------------------------------

    /// Reads one statement, as much of it as can be read; at least one token is taken.
    fn statement(&mut self) -> Statement {
        let mut statement = Statement::default();
        let begun = self.at;
        if self.try_statement(&mut statement).is_err() {
            let nothing_read = self.at == begun;
            let first = if nothing_read { self.take() } else { None };
            // What follows a lone comma can be read.
            if first.is_none_or(|id| self.text_of(id) != ",") {
                self.recover();
            }
            let passed = self.significant.get(begun..self.at).unwrap_or_default().iter().copied();
            statement.unread = passed.filter(|id| self.text_of(*id).starts_with(':')).collect();
        }
        statement
    }

    fn text_of(&self, id: TokenId) -> &'a str {
        self.tokens.get(id.0 as usize).map(|token| token.text(self.text)).unwrap_or_default()
    }

    fn try_statement(&mut self, statement: &mut Statement) -> Read<()> {
        while self.kind() == Some(TokenKind::Semicolon) {
            self.error("there is nothing before this `;`").help("take it away: `;` only ends a statement");
            self.at += 1;
            if matches!(self.kind(), None | Some(TokenKind::Close | TokenKind::Declare)) {
                return Ok(());
            }
        }
        if let Some(source) = self.source()? {
            let Some(arrow) = self.take_if(TokenKind::Arrow) else {
                return Err(self.unexpected(Expected::ArrowAfterSource));
            };
            statement.source = Some((source, arrow));
            statement.steps.push((None, self.step(Expected::StepAfterArrow)?));
        } else {
            statement.steps.push((None, self.step(Expected::Statement)?));
        }
        while let Some(arrow) = self.arrow() {
            if let Some((merge, target)) = self.target() {
                statement.destination = Some(Destination { arrow, merge, target: target? });
                break;
            }
            let step = self.step(Expected::StepOrDestination)?;
            statement.steps.push((Some(arrow), step));
        }
        if statement.destination.is_none() {
            self.warn_of_merge();
        }
        statement.semicolon = self.take_if(TokenKind::Semicolon);
        Ok(())
    }

    /// Warns of `A > B`, which are two statements, though it looks as if one led to the other.
    fn warn_of_merge(&mut self) {
        let (Some(last), Some(merge), Some(next)) = (self.last(), self.peek(), self.ahead(1)) else { return };
        let ends = matches!(
            last.kind,
            TokenKind::Name | TokenKind::Parameters(_) | TokenKind::ParenClose | TokenKind::Close
        );
        let begins = matches!(next.kind, TokenKind::Name | TokenKind::Open);
        let between = self.text.get(last.end as usize..next.start as usize).unwrap_or_default();
        if merge.kind == TokenKind::Merge && ends && begins && !between.contains('\n') {
            let message =
                "`>` begins a statement of its own here, which does not wait for what stands before it";
            let help = "write `→` if the one leads to the other, and `;` before `>` if it does not";
            self.sink.warn_at(Code::MisleadingLayout, merge, message).help(help);
        }
    }

    /// An arrow; also what was meant as one, and several for one, which is reported.
    fn arrow(&mut self) -> Option<TokenId> {
        let arrow = match self.take_if(TokenKind::Arrow) {
            Some(arrow) => arrow,
            None if self.is_meant_as_arrow() => {
                self.unexpected(Expected::Arrow);
                let arrow = self.take()?;
                self.take_if(TokenKind::Merge);
                arrow
            }
            None => return None,
        };
        while self.kind() == Some(TokenKind::Arrow) {
            self.unexpected(Expected::StepOrDestination);
            self.at += 1;
        }
        Some(arrow)
    }

    /// What a statement begins with if that is no step.
    fn source(&mut self) -> Read<Option<Source>> {
        Ok(match self.kind() {
            Some(TokenKind::Label) if self.ahead(1).is_some_and(|next| next.kind == TokenKind::Arrow) => {
                self.take().map(Source::Label)
            }
            Some(TokenKind::Source(_) | TokenKind::EmptySource) => self.take().map(Source::Literal),
            Some(TokenKind::Uri) => Some(Source::Resource(self.resource()?)),
            _ => None,
        })
    }

    /// Behind an arrow: the end of a statement, if that is what follows.
    fn target(&mut self) -> Option<(Option<TokenId>, Read<Target>)> {
        let merged = usize::from(self.kind() == Some(TokenKind::Merge));
        let is_label = match self.ahead(merged)?.kind {
            TokenKind::Uri => false,
            // A label that a step follows is the step's own, unless it is to be merged into.
            TokenKind::Label => {
                let next = self.ahead(merged + 1).map(|next| next.kind);
                if merged == 0 && next.is_some_and(begins_body) {
                    return None;
                }
                true
            }
            _ => return None,
        };
        let merge = if merged == 1 { self.take() } else { None };
        if is_label {
            self.take().map(|label| (merge, Ok(Target::Label(label))))
        } else {
            Some((merge, self.resource().map(Target::Resource)))
        }
    }

    /// `{ statement … }`, of which the next token is the first.
    fn subflow(&mut self) -> Read<Subflow> {
        let open_token = self.peek();
        let Some(open) = self.take() else { return Err(self.unexpected(Expected::Statement)) };
        if self.depth >= MAX_NESTING {
            return Err(self.too_deep(open_token));
        }
        self.depth += 1;
        let mut statements = Vec::new();
        if self.kind() == Some(TokenKind::Close) {
            self.error("this subflow is empty").help("a subflow has at least one task");
        }
        let close = loop {
            match self.kind() {
                Some(TokenKind::Close) => break self.take(),
                Some(TokenKind::Declare) => {
                    let help = "declare it outside of all `{ }`; a declaration holds for the whole text";
                    self.error("a declaration cannot stand in a subflow").help(help);
                    self.skip_declaration();
                }
                Some(_) => statements.push(self.statement()),
                None => {
                    let (line, column) = open_token.map_or((1, 1), |open| (open.line, open.column));
                    let help = format!("the `{{` at {line}:{column} has no end");
                    self.error_at_end(Code::Unclosed, "`}` is missing").help(help);
                    break None;
                }
            }
        };
        self.depth -= 1;
        Ok(Subflow { open, statements, close })
    }

    /// Goes behind the bracket that closes what is nested too deep.
    fn too_deep(&mut self, open: Option<&Token>) -> Unreadable {
        if let Some(open) = open {
            let message = format!("subflows are nested more than {MAX_NESTING} deep");
            self.sink
                .error_at(Code::Limit, open, message)
                .help("declare the inner ones with `@task name { … }`");
        }
        let mut depth = 1;
        while depth > 0 {
            match self.kind() {
                Some(TokenKind::Open) => depth += 1,
                Some(TokenKind::Close) => depth -= 1,
                Some(_) => {}
                None => break,
            }
            self.at += 1;
        }
        Unreadable
    }
}

/// Where the text ends, as a line and a column.
pub(super) fn end_of(text: &str, tokens: &[Token]) -> (u32, u32) {
    let Some(last) = tokens.last() else { return (1, 1) };
    place_behind(last.text(text), (last.line, last.column))
}

/// Where a text ends that begins at a place.
pub(super) fn place_behind(text: &str, begin: (u32, u32)) -> (u32, u32) {
    text.chars()
        .fold(begin, |(line, column), char| if char == '\n' { (line + 1, 1) } else { (line, column + 1) })
}

/// Whether a statement can begin so.
fn begins_statement(kind: TokenKind) -> bool {
    begins_body(kind)
        || matches!(
            kind,
            TokenKind::Label
                | TokenKind::Source(_)
                | TokenKind::EmptySource
                | TokenKind::Uri
                | TokenKind::Declare
        )
}

/// Whether the part of a step that follows a label can begin so.
fn begins_body(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Name | TokenKind::Open | TokenKind::Question | TokenKind::Iterate | TokenKind::Merge
    )
}
