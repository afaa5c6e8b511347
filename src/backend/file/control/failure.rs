//! Errors on their way through the socket.

use crate::backend::NotDone;
use crate::event::{GroupName, LogName};
use crate::knowledge::{Data, Key, Kind, Transaction};
use crate::{channel, event, knowledge};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::sync::Arc;

/// An error as the owner had it; it comes back as the same variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Failure {
    WrongKind(Key, Kind, Kind),
    NotANumber(Key, Data),
    Overflow(Key, i64, i64),
    NoSuchIndex(Key, i64, usize),
    NotAScore(Key),
    /// The client still has the transaction.
    Conflict(usize, Key),
    NoGroup(LogName, GroupName),
    NoLog(LogName),
    /// It may have happened; why it is not known.
    Unavailable(String),
    /// It has not happened, because the owner ended before.
    NotDone(String),
    /// Why it is not done.
    Refused(String),
}

/// What the owner says.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Told(pub(super) String);

impl From<knowledge::Error> for Failure {
    fn from(error: knowledge::Error) -> Self {
        use knowledge::Error as E;
        match error {
            E::WrongKind { key, asked, held } => Self::WrongKind(key, asked, held),
            E::NotANumber { key, held } => Self::NotANumber(key, held),
            E::Overflow { key, held, by } => Self::Overflow(key, held, by),
            E::NoSuchIndex { key, index, len } => Self::NoSuchIndex(key, index, len),
            E::NotAScore { key } => Self::NotAScore(key),
            E::Conflict(conflict) => Self::Conflict(conflict.condition, conflict.key),
            E::Unavailable { source, .. } => Self::Unavailable(chain(&*source)),
            E::Refused { source, .. } => Self::Refused(chain(&*source)),
            other => Self::Refused(chain(&other)),
        }
    }
}

impl From<channel::Error> for Failure {
    fn from(error: channel::Error) -> Self {
        match error {
            channel::Error::Unavailable { source, .. } => Self::Unavailable(chain(&*source)),
            channel::Error::Refused { source, .. } => Self::Refused(chain(&*source)),
            other => Self::Refused(chain(&other)),
        }
    }
}

impl From<event::Error> for Failure {
    fn from(error: event::Error) -> Self {
        match error {
            event::Error::NoGroup { log, group } => Self::NoGroup(log, group),
            event::Error::NoLog { log } => Self::NoLog(log),
            event::Error::Unavailable { source, .. } => Self::Unavailable(chain(&*source)),
            event::Error::Refused { source, .. } => Self::Refused(chain(&*source)),
            other => Self::Refused(chain(&other)),
        }
    }
}

impl Failure {
    pub(super) fn with_key(self, key: &Key) -> knowledge::Error {
        use knowledge::Error as E;
        match self {
            Self::WrongKind(key, asked, held) => E::WrongKind { key, asked, held },
            Self::NotANumber(key, held) => E::NotANumber { key, held },
            Self::Overflow(key, held, by) => E::Overflow { key, held, by },
            Self::NoSuchIndex(key, index, len) => E::NoSuchIndex { key, index, len },
            Self::NotAScore(key) => E::NotAScore { key },
            Self::Unavailable(why) => E::Unavailable { key: key.clone(), source: Box::new(Told(why)) },
            Self::NotDone(why) => E::Unavailable { key: key.clone(), source: Box::new(NotDone(why)) },
            other => E::Refused { key: key.clone(), source: Box::new(Told(other.text())) },
        }
    }

    /// Of a transaction, whose first key names it if nothing else does.
    pub(super) fn with_transaction(self, transaction: Transaction) -> knowledge::Error {
        if let Self::Conflict(condition, _) = self {
            return transaction.conflict(condition);
        }
        let key = transaction.steps().first().map_or_else(|| Key::from(""), |(key, _)| key.clone());
        self.with_key(&key)
    }

    pub(super) fn with_topic(self, topic: String) -> channel::Error {
        match self {
            Self::Unavailable(why) => channel::Error::Unavailable { topic, source: Arc::new(Told(why)) },
            Self::NotDone(why) => channel::Error::Unavailable { topic, source: Arc::new(NotDone(why)) },
            other => channel::Error::Refused { topic, source: Arc::new(Told(other.text())) },
        }
    }

    pub(super) fn with_log(self, log: &LogName) -> event::Error {
        match self {
            Self::NoGroup(log, group) => event::Error::NoGroup { log, group },
            Self::NoLog(log) => event::Error::NoLog { log },
            Self::Unavailable(why) => {
                event::Error::Unavailable { log: log.clone(), source: Arc::new(Told(why)) }
            }
            Self::NotDone(why) => {
                event::Error::Unavailable { log: log.clone(), source: Arc::new(NotDone(why)) }
            }
            other => event::Error::Refused { log: log.clone(), source: Arc::new(Told(other.text())) },
        }
    }

    fn text(self) -> String {
        match self {
            Self::Refused(why) => why,
            other => format!("the owner answered {other:?}"),
        }
    }
}

/// An error and what it says of its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
