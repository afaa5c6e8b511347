//! What a server's error means for the command: carried out or not, to be tried again or not.

use redis::{ServerError, ServerErrorKind, Value};

/// What to do about an error that a server answered.
pub(super) enum Verdict {
    /// It stands.
    Final,
    /// Nothing was done; the server can do it in a moment.
    Later,
    /// Nothing was done; another server can do it.
    Elsewhere,
    /// Nothing was done; this server can do it, for this once.
    Ask(String),
}

impl Verdict {
    pub(super) fn on(error: &ServerError) -> Self {
        match error.kind() {
            Some(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown,
            ) => Self::Later,
            Some(ServerErrorKind::ReadOnly | ServerErrorKind::Moved) => Self::Elsewhere,
            Some(ServerErrorKind::Ask) => {
                let target = error.details().and_then(|details| details.split_once(' '));
                target.map_or(Self::Later, |(_slot, target)| Self::Ask(target.to_owned()))
            }
            // A script runs for too long, or too few replicas are there to write to.
            None if ["BUSY", "NOREPLICAS"].contains(&error.code()) => Self::Later,
            // What blocks is let go when its server becomes a replica.
            None if error.code() == "UNBLOCKED" => Self::Elsewhere,
            _ => Self::Final,
        }
    }

    /// Whether the command can be sent again without being carried out twice.
    pub(super) fn is_again(value: &Value) -> bool {
        matches!(value, Value::ServerError(error) if !matches!(Self::on(error), Self::Final))
    }
}
