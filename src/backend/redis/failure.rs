//! Why a command has no answer.

use super::verdict::Verdict;
use crate::backend::NotDone;
use redis::{ServerError, Value};
use std::sync::Arc;

/// Why a command has no answer; what matters is whether it was carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It was sent and the connection broke, or the answer took too long. It may or may not have happened.
    #[error("the connection broke before the answer came ({0})")]
    Unavailable(Arc<str>),
    /// There was no connection for so long, or the server could not do it now. It certainly has not happened.
    #[error("no connection to a server that can do it")]
    NotSent(#[source] NotDone),
    /// The server refuses. Of what it refuses nothing has happened (but see [`pipeline`](super::Client::pipeline)).
    #[error("{0}")]
    Server(Refusal),
}

/// The error that a server answered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}{}{}", .0.code(), if .0.details().is_some() { " " } else { "" }, .0.details().unwrap_or_default())]
pub(super) struct Refusal(pub(super) ServerError);

impl Refusal {
    /// The first word: `WRONGTYPE`, `OOM`, `ERR`, …
    pub(super) fn code(&self) -> &str {
        self.0.code()
    }
}

impl Failure {
    /// That nothing was done, because of this.
    pub(super) fn not_sent(why: &(impl ToString + ?Sized)) -> Self {
        Self::NotSent(NotDone(why.to_string()))
    }

    /// The first word of the server's error, if there is one.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Server(refusal) => Some(refusal.code()),
            Self::Unavailable(_) | Self::NotSent(_) => None,
        }
    }

    /// The answer of one command out of a pipeline.
    pub(super) fn check(value: Value) -> Result<Value, Self> {
        match value {
            Value::ServerError(error) => Err(Self::answered(error)),
            value => Ok(value),
        }
    }

    /// What an error that stays means.
    pub(super) fn answered(error: ServerError) -> Self {
        match Verdict::on(&error) {
            Verdict::Final => Self::Server(Refusal(error)),
            _ => Self::not_sent(&Refusal(error)),
        }
    }

    /// Whether the same command can succeed later.
    pub(super) fn is_retryable(&self) -> bool {
        !matches!(self, Self::Server(_))
    }
}
