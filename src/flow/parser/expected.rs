//! What was expected, what was found in its place, and what to do about it.

use super::super::token::{Token, TokenKind};
use super::{Parser, Unreadable};

/// What a text could have gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Statement,
    Arrow,
    ArrowAfterSource,
    StepAfterArrow,
    StepOrDestination,
    StepAfterLabel,
    AfterIterate,
    AfterMerge,
    AfterGuard,
    Guard,
    TaskAfterBar,
    ParenClose,
    Kind,
    DeclaredName,
    Alias,
}

impl Expected {
    fn words(self) -> &'static str {
        match self {
            Self::Statement => "expected a statement: a task, a subflow `{ … }`, a label or a source",
            Self::Arrow => "expected `→`",
            Self::ArrowAfterSource => "expected `→` behind what the statement begins with",
            Self::StepAfterArrow => "expected a task or a subflow `{ … }` behind `→`",
            Self::StepOrDestination => "expected a task, a subflow `{ … }`, a label or a resource behind `→`",
            Self::StepAfterLabel => "expected a task or a subflow `{ … }` behind the label",
            Self::AfterIterate => "expected the task or subflow that `*` repeats",
            Self::AfterMerge => "expected the task or subflow that `>` merges for",
            Self::AfterGuard => "expected the task or subflow that the guard is for",
            Self::Guard => "expected the guard in back quotes behind `?`",
            Self::TaskAfterBar => "expected a task behind `|`",
            Self::ParenClose => "expected `)`",
            Self::Kind => "expected `task` or `flow` directly behind `@`",
            Self::DeclaredName => "expected the name that is declared",
            Self::Alias => "expected the name of a task behind `=`",
        }
    }
}

impl Parser<'_, '_> {
    /// Reports that something else was expected in place of the next token.
    pub(super) fn unexpected(&mut self, expected: Expected) -> Unreadable {
        let found = self.peek().map_or("the end of the text".to_owned(), |token| found(token, self.text));
        let help = self.help(expected);
        let error = self.error(format!("{}, found {found}", expected.words()));
        if let Some(help) = help {
            error.help(help);
        }
        Unreadable
    }

    fn help(&self, expected: Expected) -> Option<&'static str> {
        let token = self.peek();
        let text = token.map(|token| token.text(self.text)).unwrap_or_default();
        if let Some(help) = self.help_for_place(expected, text) {
            return Some(help);
        }
        Some(match token?.kind {
            TokenKind::Unknown | TokenKind::Equals => self.help_for_sign(text),
            TokenKind::Bar => "`|` stands between tasks, each with its parameters: `A | B`",
            TokenKind::Guard => "a guard is written with a question mark: ? `…`",
            TokenKind::Source(_) | TokenKind::EmptySource => {
                "a literal can only begin a statement; put `;` before it to begin a new one"
            }
            TokenKind::Uri => {
                "a resource stands at the beginning or at the end of a statement, with a step between: \
                               `A → <uri>`"
            }
            TokenKind::Parameters(_) | TokenKind::ParenOpen => {
                "parameters stand directly behind the name of a task, once"
            }
            TokenKind::Documentation => "documentation belongs to `@task` and `@flow`",
            TokenKind::Merge => "`>` stands once, behind the label and before the guard: `:x > ? `…` A`",
            TokenKind::Iterate => "`*` stands once, behind the label and before the guard, without `>`",
            TokenKind::Arrow => "take one of the two arrows away, or put a task between them",
            TokenKind::Question => "a guard stands directly before a task or subflow, once",
            _ => return None,
        })
    }

    /// Help that lies in what was expected.
    fn help_for_place(&self, expected: Expected, found: &str) -> Option<&'static str> {
        let before = self.last().map(|last| (last.kind, last.text(self.text)));
        Some(match expected {
            Expected::ParenClose => {
                "parameters are written `(- a: 1 -)` as YAML, `({\"a\": 1})` or `([1, 2])` as JSON, `()` without any"
            }
            Expected::Guard => "put the expression in back quotes: ? `$.a`",
            Expected::ArrowAfterSource => "put `→` and a task behind it: `<…> → A`",
            Expected::Statement | Expected::StepAfterArrow | Expected::StepOrDestination
                if found == "(" && !matches!(before, Some((TokenKind::ParenClose | TokenKind::Name, _))) =>
            {
                "tasks stand without parentheses; a subflow is written `{ … }`"
            }
            Expected::AfterMerge if found.starts_with(':') => {
                "`>` stands before a label behind an arrow only: `A → > :end`"
            }
            Expected::TaskAfterBar if found == "{" => {
                "`|` joins tasks only; write `{ A { B } }` to have a subflow beside a task"
            }
            Expected::TaskAfterBar if found == "?" => {
                "a guard is for the whole group, and stands before it: ? `…` A | B"
            }
            Expected::StepAfterLabel if matches!(before, Some((_, ":end"))) => {
                "`:end` ends a statement: put `→` before it"
            }
            Expected::StepAfterLabel
                if matches!(found, "" | ";" | "}") && matches!(before, Some((TokenKind::Label, _))) =>
            {
                let arrow = self.at.checked_sub(2).and_then(|at| self.significant.get(at));
                let joins = arrow.is_some_and(|id| matches!(self.text_of(*id), "→" | "->"));
                if joins {
                    "a label leads to a step, not to a label: put a task between, `:x → A → :y`, or use one label for both"
                } else {
                    "a label leads to a step: begin a statement with `:x → A`, or end one with `A → :x`"
                }
            }
            Expected::Statement if found == "→" || found == "->" => match before {
                Some((TokenKind::Label | TokenKind::Uri, _)) => {
                    "a label or resource behind `→` ends the statement; begin the next one with it: `:x → B`"
                }
                Some((TokenKind::Close, _)) => {
                    "a declaration is no step; invoke what it declares by its name"
                }
                _ => "a statement begins with a task, a subflow, a label or a source",
            },
            Expected::Statement if found == "|" && matches!(before, Some((TokenKind::Close, _))) => {
                "`|` joins tasks only; write `{ { A } B }` to have a subflow beside a task"
            }
            _ => return None,
        })
    }

    /// Whether the next token is an arrow in other languages, or for other eyes.
    pub(super) fn is_meant_as_arrow(&self) -> bool {
        let text = |by| self.ahead(by).map(|token| token.text(self.text));
        match text(0) {
            Some(
                "⇒" | "⟹" | "⟶" | "⇨" | "⇾" | "↦" | "➔" | "➙" | "➛" | "➜" | "➝" | "➞" | "➡" | "›" | "»" | "—"
                | "–" | "-",
            ) => true,
            Some("=") => text(1) == Some(">"),
            _ => false,
        }
    }

    /// Help for what is no token.
    fn help_for_sign(&self, sign: &str) -> &'static str {
        match sign {
            _ if self.is_meant_as_arrow() => "an arrow is written `→` or `->`",
            "=" => "only `@task name = other` gives a task another name",
            ":" => "a label is written `:name`, without a space",
            "[" => "a subflow is written `{ … }`",
            "$" => "a guard is written ? `$…`, in back quotes",
            "−" => "`−` is no hyphen: names have `-`, and an arrow is written `→` or `->`",
            "\"" | "'" | "“" | "”" | "„" | "‘" | "’" | "‚" | "«" => {
                "names are written without quotes"
            }
            "," => "statements are separated by blanks or `;`, tasks of a group by `|`",
            "/" | "\\" if matches!(self.ahead(1).map(|token| token.text(self.text)), Some("/" | "*")) => {
                "a comment begins with `#`"
            }
            _ if sign.starts_with(|char: char| char.is_alphanumeric()) => {
                "a name begins with a letter from a to z or with `_`"
            }
            _ => "a name has letters, digits, `_`, `-` and `:`",
        }
    }
}

/// A token in words.
fn found(token: &Token, text: &str) -> String {
    let word = shortened(token.text(text));
    match token.kind {
        TokenKind::Name => format!("the name `{word}`"),
        TokenKind::Label => format!("the label `{word}`"),
        TokenKind::Guard => "a guard".to_owned(),
        TokenKind::Documentation => "documentation".to_owned(),
        TokenKind::Parameters(_) => "parameters".to_owned(),
        TokenKind::Source(_) | TokenKind::EmptySource => "a literal".to_owned(),
        TokenKind::Uri => format!("the resource `{word}`"),
        _ => format!("`{word}`"),
    }
}

/// A text in a message.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    let line = text.lines().next().unwrap_or_default();
    if line.len() == text.len() && text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    line.chars().take(LONGEST).chain(['…']).collect()
}
