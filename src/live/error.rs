//! What can be refused.

use crate::condition;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a client does not get what it asked for. Nothing was begun or changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody does jobs of that name.
    #[error("there are no jobs called `{name}`{hint}; there are {}", list(.known))]
    UnknownKind {
        /// What was asked for.
        name: String,
        /// ` (did you mean …?)`, or nothing.
        hint: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Jobs of that name are done by something else already.
    #[error("jobs called `{name}` are done by {by} already: take another name")]
    KindTaken {
        /// The name.
        name: String,
        /// The path of the element.
        by: String,
    },
    /// A name is empty, or too long.
    #[error("{what} needs a name of 1 to 200 bytes, not one of {length}")]
    Name {
        /// What has the name.
        what: &'static str,
        /// How long it is.
        length: usize,
    },
    /// As many jobs are under way as may be.
    #[error("{limit} jobs are under way, and no more may be: ask again when some have ended")]
    Busy {
        /// How many may be.
        limit: usize,
    },
    /// As many jobs of a client are under way as may be.
    #[error("{limit} jobs of this client are under way, and no more may be: ask again when some have ended")]
    Jobs {
        /// How many may be.
        limit: usize,
    },
    /// A client states more interests than it may.
    #[error("a client may state {limit} interests: withdraw one, or join several by `or`")]
    Interests {
        /// How many it may state.
        limit: usize,
    },
    /// An interest has more patterns of names than it may.
    #[error(
        "an interest has {limit} patterns of names at most: write fewer, with `*`, or state several interests"
    )]
    Patterns {
        /// How many it may have.
        limit: usize,
    },
    /// As many names are listened to as may be known.
    #[error(
        "{limit} names are listened to, and no more may be: name what is wanted by a pattern, such as `cars*`"
    )]
    Names {
        /// How many may be.
        limit: usize,
    },
    /// What a member shows of itself is too long.
    #[error(
        "what a member of a group shows of itself has {limit} bytes as JSON at most, not {length}: show less"
    )]
    Info {
        /// How long it may be.
        limit: usize,
        /// How long it is.
        length: usize,
    },
    /// A condition can't be read.
    #[error(transparent)]
    Condition(Arc<condition::Error>),
    /// The [security](super::Security) says no.
    #[error("{who} may not {what}")]
    Forbidden {
        /// Who asked.
        who: String,
        /// For what.
        what: String,
    },
    /// The client has gone, or was closed.
    #[error("the client is gone")]
    Gone,
    /// A pipeline of results holds as much as it may.
    #[error(
        "the pipeline that `{name}` is published through holds {limit} parts, and no more may be: publish later"
    )]
    Full {
        /// What was to be published.
        name: String,
        /// How many it may hold.
        limit: usize,
    },
    /// A declaration of pipelines is wrong; the one before stays in force.
    #[error("the declared pipelines can't be put in force: {0}")]
    Pipelines(super::InvalidPipelines),
    /// What a file declares is wrong; what was in force stays.
    #[error("{}:{invalid}", file.display())]
    PipelinesFile {
        /// The file.
        file: PathBuf,
        /// What is wrong, and where in it.
        invalid: super::InvalidPipelines,
    },
    /// A file of pipelines can't be read.
    #[error("the pipelines in `{}` can't be read: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// There is no declaration before this one.
    #[error("no other pipelines were declared before these: there is nothing to go back to")]
    NothingBefore,
    /// The element can't be linked.
    #[error("jobs called `{name}` can't be handed to {path}: {reason}")]
    Link {
        /// The name of the jobs.
        name: String,
        /// The element.
        path: String,
        /// Why.
        reason: String,
    },
}

impl From<condition::Error> for Error {
    fn from(error: condition::Error) -> Self {
        Self::Condition(Arc::new(error))
    }
}

fn list(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}
