//! What a client is told.

use super::{Delivered, JobId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// What a client is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// A part that it asked for or is interested in.
    Part(Arc<Delivered>),
    /// A job that it asked for has ended: all its parts came before.
    Ended {
        /// The job.
        job: JobId,
        /// Its name.
        name: Arc<str>,
        /// How many parts were made of it.
        parts: u64,
    },
    /// It read too slowly: so many parts, and words of who came and went, were lost here.
    Missed {
        /// How many.
        count: u64,
    },
    /// The lifetime of an interest is over.
    Expired {
        /// By the name that the client gave it.
        interest: Arc<str>,
    },
    /// Somebody came into a group, or left it.
    Presence {
        /// The group.
        group: Arc<str>,
        /// Who.
        member: Arc<Member>,
        /// Whether it came.
        joined: bool,
    },
    /// It is closed; nothing more comes.
    Closed {
        /// Why.
        reason: Closed,
    },
}

/// Why a client was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Closed {
    /// More waited for it than may.
    TooSlow,
    /// The server ends.
    ShuttingDown,
}

/// Who is in a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// The client, by its [public id](super::ClientHandle::public_id).
    pub client: Arc<str>,
    /// By which name it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub info: Value,
}
