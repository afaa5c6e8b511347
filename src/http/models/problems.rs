//! What models refuse, as answers.

use super::super::Problem;
use crate::infer::{Error, RowError};
use axum::http::StatusCode;
use std::error::Error as _;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let says = match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        match error {
            Error::UnknownModel { .. } | Error::UnknownVersion { .. } => Self::not_found(says),
            Error::VersionTaken { .. }
            | Error::InUse { .. }
            | Error::NoWayBack { .. }
            | Error::Many { .. } => Self::conflict(says),
            Error::Large { .. } | Error::Batch { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, says),
            Error::Late { .. } | Error::Busy { .. } | Error::Thread { .. } => {
                Self::unavailable(says).retry_after(1)
            }
            Error::Panicked { .. } | Error::Run { .. } => Self::new(StatusCode::INTERNAL_SERVER_ERROR, says),
            _ => Self::unprocessable(says),
        }
    }
}

impl From<RowError> for Problem {
    fn from(error: RowError) -> Self {
        Self::unprocessable(error.reason())
    }
}
