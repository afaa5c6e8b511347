//! What a text says, piece by piece. A piece is known by its token, so that comments and layout are never far.

use super::token::TokenId;

/// Declarations and statements in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) items: Vec<Item>,
}

#[derive(Debug)]
pub(super) enum Item {
    Declaration(Declaration),
    Statement(Statement),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Flow,
    Task,
    /// Neither; that has been reported.
    Unknown,
}

/// `@task name = alias (…) '''…''' { … };`
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) at: TokenId,
    pub(super) kind: Kind,
    pub(super) name: TokenId,
    pub(super) alias: Option<TokenId>,
    pub(super) parameters: Option<Parameters>,
    pub(super) documentation: Option<TokenId>,
    pub(super) subflow: Option<Subflow>,
    pub(super) semicolon: Option<TokenId>,
}

/// `source → step → step → destination;`
#[derive(Debug, Default)]
pub(super) struct Statement {
    /// What it begins with, and the arrow behind.
    pub(super) source: Option<(Source, TokenId)>,
    /// Steps, each with the arrow before it; the first has one only behind a source, and that is there.
    pub(super) steps: Vec<(Option<TokenId>, Step)>,
    pub(super) destination: Option<Destination>,
    pub(super) semicolon: Option<TokenId>,
    /// Labels in what could not be read: they may be what others look for in vain.
    pub(super) unread: Vec<TokenId>,
}

#[derive(Debug)]
pub(super) enum Source {
    Label(TokenId),
    /// `<…>` with a literal, or with nothing.
    Literal(TokenId),
    Resource(Resource),
}

#[derive(Debug)]
pub(super) struct Destination {
    pub(super) arrow: TokenId,
    pub(super) merge: Option<TokenId>,
    pub(super) target: Target,
}

#[derive(Debug)]
pub(super) enum Target {
    Label(TokenId),
    Resource(Resource),
}

#[derive(Debug)]
pub(super) struct Resource {
    pub(super) uri: TokenId,
    pub(super) parameters: Option<Parameters>,
}

/// `:label > ? `guard` body :label`
#[derive(Debug)]
pub(super) struct Step {
    pub(super) input: Option<TokenId>,
    pub(super) iterate: Option<TokenId>,
    pub(super) merge: Option<TokenId>,
    /// The question mark and the expression.
    pub(super) guard: Option<(TokenId, TokenId)>,
    pub(super) body: Body,
    pub(super) output: Option<TokenId>,
}

#[derive(Debug)]
pub(super) enum Body {
    Task(Task),
    /// Two or more tasks with bars between them; the bar before each but the first.
    Group(Task, Vec<(TokenId, Task)>),
    Subflow(Subflow),
}

#[derive(Debug)]
pub(super) struct Task {
    pub(super) name: TokenId,
    pub(super) parameters: Option<Parameters>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Parameters {
    /// `( )`
    Empty(TokenId, TokenId),
    Literal(TokenId),
}

#[derive(Debug)]
pub(super) struct Subflow {
    pub(super) open: TokenId,
    pub(super) statements: Vec<Statement>,
    /// Nothing if it is missing.
    pub(super) close: Option<TokenId>,
}
