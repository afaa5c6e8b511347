//! What a client may do.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a client may do; each may also do what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look: `GET` and `HEAD`.
    #[default]
    Read,
    /// Push items, change parameters, call methods, start and stop: `POST`, `PUT`, `PATCH`, and littleflow's
    /// `GET …/restart` and `GET /workflows/restore`.
    Operate,
    /// Change what there is: `DELETE`, links, knowledge.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        })
    }
}
