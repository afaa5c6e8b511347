//! Why there is no connection.

use super::address::Address;
use super::failure::Refusal;
use crate::backend::Error;
use redis::{ErrorKind, RedisError, ServerError};

/// Why an attempt to connect failed.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Obstacle {
    /// It may pass: nobody listens, a name is not known yet, the server is loading, a failover is under way.
    #[error("{address}: {cause}")]
    Passing { address: Address, cause: String },
    /// It is a replica: a failover is under way, or was.
    #[error("{0}: it is a replica, which takes no writes")]
    Replica(Address),
    /// The login is refused; at run time somebody may mend it.
    #[error("{address}: {reason}")]
    Denied { address: Address, reason: String },
    /// The server is not one to work with.
    #[error(transparent)]
    Final(Error),
}

impl Obstacle {
    pub(super) fn passing(address: &Address, cause: impl Into<Cause>) -> Self {
        Self::Passing { address: address.clone(), cause: cause.into().0 }
    }

    /// Whether it may pass without anybody doing something about it.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Passing { .. } | Self::Replica(_))
    }

    pub(super) fn unsuitable(address: &Address, problem: impl Into<String>) -> Self {
        Self::Final(Error::Unsuitable { address: address.to_string(), problem: problem.into() })
    }

    /// What an error that a server answered means for working with it.
    pub(super) fn refused(address: &Address, error: ServerError) -> Self {
        let denied = ["WRONGPASS", "NOAUTH", "NOPERM", "DENIED"].contains(&error.code());
        let reason = Refusal(error).to_string();
        if denied {
            Self::Denied { address: address.clone(), reason }
        } else {
            Self::Passing { address: address.clone(), cause: reason }
        }
    }

    /// What an error in a greeting means.
    pub(super) fn greeting(address: &Address, error: &RedisError) -> Self {
        let said = || match (error.code(), error.detail()) {
            (Some(code), Some(detail)) => format!("{code} {detail}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => error.to_string(),
        };
        match (error.kind(), error.code()) {
            (ErrorKind::RESP3NotSupported, _) => {
                let version = "5 or older".to_owned();
                Self::Final(Error::TooOld { address: address.to_string(), version })
            }
            (ErrorKind::AuthenticationFailed, _)
            | (_, Some("WRONGPASS" | "NOAUTH" | "NOPERM" | "DENIED")) => {
                Self::Denied { address: address.clone(), reason: said() }
            }
            (_, Some("ERR")) if error.to_string().contains("switch database") => {
                Self::unsuitable(address, format!("{}; name a database that it has", said()))
            }
            (ErrorKind::Io, _) if error.is_connection_dropped() => {
                let cause = "it closed the connection at once; does it ask for TLS (`rediss:`)?";
                Self::Passing { address: address.clone(), cause: format!("{cause} ({error})") }
            }
            _ => Self::Passing { address: address.clone(), cause: said() },
        }
    }
}

/// The text of a cause.
pub(super) struct Cause(String);

impl From<String> for Cause {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Cause {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&std::io::Error> for Cause {
    fn from(error: &std::io::Error) -> Self {
        // Without the system's number, which says nothing to a person.
        let text = error.to_string();
        Self(text.split(" (os error").next().map_or(String::new(), str::to_lowercase))
    }
}

impl From<RedisError> for Cause {
    fn from(error: RedisError) -> Self {
        Self(error.to_string())
    }
}

impl From<Refusal> for Cause {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.to_string())
    }
}
