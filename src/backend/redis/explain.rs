//! What a failure means for knowledge.

use super::commands::Wire;
use super::failure::Failure;
use super::replies::{data, integer, kind};
use crate::knowledge::{Data, Error, Key, Kind};
use redis::Value;

/// A refusal in a script's own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub(super) String);

/// That the store was not reached, or refuses.
pub(super) fn failed(key: &Key, failure: Failure) -> Error {
    let (key, retryable) = (key.clone(), failure.is_retryable());
    let source = Box::new(failure);
    if retryable { Error::Unavailable { key, source } } else { Error::Refused { key, source } }
}

pub(super) fn refused(key: &Key, reason: impl Into<String>) -> Error {
    Error::Refused { key: key.clone(), source: Box::new(Refused(reason.into())) }
}

/// That a key holds a kind of which it was not asked.
pub(super) fn wrong_kind(key: &Key, asked: Option<Kind>, held: &str) -> Option<Error> {
    let (asked, held) = (asked?, kind(held)?);
    (asked != held).then(|| Error::WrongKind { key: key.clone(), asked, held })
}

/// Why a command failed on a key of the right kind, if the server's words are known; `held` answers [`Wire::held`].
pub(super) fn because(key: &Key, wire: &Wire, words: &str, held: Value) -> Option<Error> {
    let key = key.clone();
    let number = |at: usize| wire.args.get(at)?.as_str()?.parse().ok();
    let by = usize::from(wire.name == "HINCRBY");
    Some(match wire.name {
        "INCRBY" | "HINCRBY" if words.contains("not an integer") => {
            Error::NotANumber { key, held: data(held).unwrap_or_else(|_| Data::from("")) }
        }
        "INCRBY" | "HINCRBY" if words.contains("overflow") => {
            Error::Overflow { key, held: integer(&held)?, by: number(by)? }
        }
        "ZINCRBY" if words.contains("not a number") => Error::NotAScore { key },
        "LSET" if words.contains("no such key") || words.contains("out of range") => {
            let len = integer(&held).and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
            Error::NoSuchIndex { key, index: number(0)?, len }
        }
        _ => return None,
    })
}
