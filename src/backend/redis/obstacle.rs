//! Why there is no connection.

use super::address::Address;
use crate::backend::Error;

/// Why an attempt to connect failed.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Obstacle {
    /// It may pass: nobody listens, a name is not known yet, the server is loading, a failover is under way.
    #[error("{address}: {cause}")]
    Passing { address: Address, cause: String },
    /// The login is refused; at run time somebody may mend it.
    #[error("{address}: {reason}")]
    Denied { address: Address, reason: String },
    /// The server is not one to work with.
    #[error(transparent)]
    Final(Error),
}

impl Obstacle {
    pub(super) fn passing(address: &Address, cause: impl ToString) -> Self {
        Self::Passing { address: address.clone(), cause: cause.to_string() }
    }

    pub(super) fn unsuitable(address: &Address, problem: impl Into<String>) -> Self {
        Self::Final(Error::Unsuitable { address: address.to_string(), problem: problem.into() })
    }
}
