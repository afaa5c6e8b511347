//! The condition of a step.

use super::cursor::Fault;
use super::evaluate::{MOST_STEPS, Run};
use super::query::Query;
use super::{dialect, rfc};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// The condition of a step: a JSON path that is asked of the step's input, and is true if it matches anything.
///
/// Cheap to clone. Two guards are equal if their texts are.
///
/// ```
/// use mape::flow::Guard;
/// use serde_json::json;
///
/// let guard = Guard::parse("$[?(@.status=0 or @.retry)]")?;
/// assert!(guard.holds(&json!({"status": 0}))?);
/// assert!(!guard.holds(&json!({"status": 1}))?);
///
/// let any_large = Guard::parse("$.items[?@.n > 10 && @.kind == 'box']")?; // RFC 9535
/// assert!(any_large.holds(&json!({"items": [{"n": 12, "kind": "box"}]}))?);
/// # Ok::<(), mape::flow::GuardError>(())
/// ```
#[derive(Clone)]
pub struct Guard {
    text: Arc<str>,
    language: GuardLanguage,
    query: Arc<Query>,
}

/// What a guard is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GuardLanguage {
    /// That of littleflow, which is that of the Python package `jsonpath2`.
    Littleflow,
    /// RFC 9535.
    Rfc9535,
}

/// Why a text is no guard, or a guard gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The text is in neither language. Trying again does not help.
    #[error("the guard `{text}` is no JSON path: {message}, at character {column}{}", .help.map(|help| format!("; {help}")).unwrap_or_default())]
    NoPath {
        /// The text.
        text: String,
        /// What is wrong.
        message: String,
        /// The character where it is wrong; the first is 1.
        column: usize,
        /// What to do.
        help: Option<&'static str>,
    },
    /// The guard would look at too many values of this input. With a smaller one it may answer.
    #[error(
        "the guard `{text}` looked at {MOST_STEPS} values of the input without an end; ask for less, such as a path without `..`"
    )]
    TooCostly {
        /// The text.
        text: String,
    },
}

/// Where a text is no guard, and why.
pub(in super::super) struct NoGuard {
    /// In bytes of the text.
    pub(in super::super) at: usize,
    pub(in super::super) message: String,
    pub(in super::super) help: Option<String>,
}

impl Guard {
    /// Reads a guard, which in a flow stands in back quotes.
    pub fn parse(text: &str) -> Result<Self, GuardError> {
        Self::read(text).map_err(|fault| GuardError::NoPath {
            text: text.to_owned(),
            column: 1 + text.get(..fault.at).unwrap_or(text).chars().count(),
            message: fault.message,
            help: fault.help,
        })
    }

    /// As [`parse`](Self::parse), with the place in bytes.
    pub(in super::super) fn read_at(text: &str) -> Result<Self, NoGuard> {
        Self::read(text).map_err(|Fault { at, message, help }| {
            let written = text.replace("==", "=");
            let help = match help {
                Some(help) if help == AMBIGUOUS => {
                    format!(
                        "write `{written}`; or `rfc:{text}` for RFC 9535, where a filter is about the members"
                    )
                }
                Some(help) => help.to_owned(),
                None => return NoGuard { at, message, help: None },
            };
            NoGuard { at, message, help: Some(help) }
        })
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let guard = |language, query| Self { text: text.into(), language, query: Arc::new(query) };
        if let Some(rest) = text.strip_prefix("rfc:") {
            let query = rfc::parse(rest).map_err(|fault| Fault { at: fault.at + 4, ..fault })?;
            return Ok(guard(GuardLanguage::Rfc9535, query));
        }
        let fault = match dialect::parse(text) {
            Ok(query) => return Ok(guard(GuardLanguage::Littleflow, query)),
            Err(fault) => fault,
        };
        match rfc::parse(text) {
            Ok(_) if dialect::parse(&text.replace("==", "=")).is_ok() => {
                let at = text.find("==").unwrap_or(0);
                let message = "`==` in a filter in parentheses can be meant in two ways".to_owned();
                Err(Fault { at, message, help: Some(AMBIGUOUS) })
            }
            Ok(query) => Ok(guard(GuardLanguage::Rfc9535, query)),
            Err(rfc) if looks_like_rfc(text) => Err(rfc),
            Err(_) => Err(fault),
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it is written in.
    #[must_use]
    pub fn language(&self) -> GuardLanguage {
        self.language
    }

    /// Whether an input fulfils it.
    ///
    /// # Errors
    ///
    /// [`GuardError::TooCostly`] if that takes too much work.
    pub fn holds(&self, input: &Value) -> Result<bool, GuardError> {
        let run = Run::new(input, self.language == GuardLanguage::Rfc9535);
        run.matches(&self.query).map_err(|_| GuardError::TooCostly { text: self.text.to_string() })
    }
}

const AMBIGUOUS: &str =
    "write `=`; or put `rfc:` before it for RFC 9535, where a filter is about the members";

/// Whether a text that is in neither language was most likely meant as RFC 9535.
fn looks_like_rfc(text: &str) -> bool {
    let bare_filter = |rest: &str| {
        let rest = rest.trim_start();
        rest.starts_with('!') || (!rest.starts_with('(') && rest.contains("=="))
    };
    ["&&", "||", "'"].iter().any(|sign| text.contains(sign)) || text.split('?').skip(1).any(bare_filter)
}

impl PartialEq for Guard {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Guard {}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({:?})", self.text)
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
