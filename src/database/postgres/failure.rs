//! What an error of the server means.

use crate::database::engine::Failure;
use std::error::Error as _;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// What it means for what was to be done.
pub(super) fn failure(error: &Error) -> Failure {
    let reason = reason(error);
    let Some(code) = error.code() else { return Failure::Away(reason) };
    // A value of a type that no column of that type takes: other rows may have others there.
    if *code == SqlState::CANNOT_COERCE {
        return Failure::Refused { row: None, reason };
    }
    match code.code().get(..2) {
        // What a row is made of: data, constraints, twice the same key in one statement, sizes, what a trigger raises.
        Some("21" | "22" | "23" | "44" | "54" | "P0") => Failure::Refused { row: None, reason },
        // Statements that are wrong, rights that are missing.
        Some("0A" | "26" | "28" | "2B" | "3D" | "3F" | "42") => Failure::Wrong(reason),
        // Connections, resources, deadlocks, a server that is shut down or may only be read.
        _ => Failure::Away(reason),
    }
}

/// What it says, in one line.
pub(super) fn reason(error: &Error) -> String {
    let Some(said) = error.as_db_error() else {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        return format!("{error}{cause}");
    };
    let more = [said.detail(), said.hint()].into_iter().flatten().map(|more| format!("; {more}"));
    format!("{}{}", said.message(), more.collect::<String>())
}
