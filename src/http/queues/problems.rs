//! What queues refuse, as answers.

use super::super::Problem;
use crate::queue::{Error, NoJobState};
use axum::http::StatusCode;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match &error {
            Error::NoQueue { .. } | Error::NoJob { .. } => Self::not_found(&error),
            Error::TooLarge { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, &error),
            Error::Name { .. }
            | Error::Settings { .. }
            | Error::Refused { .. }
            | Error::Schedule { .. }
            | Error::Outcome { .. } => Self::unprocessable(&error),
            Error::Knowledge { .. } | Error::Event { .. } => Self::unavailable(&error).retry_after(1),
            Error::Element { .. } => Self::new(StatusCode::INTERNAL_SERVER_ERROR, &error),
        }
    }
}

impl From<NoJobState> for Problem {
    fn from(error: NoJobState) -> Self {
        Self::unprocessable(error)
    }
}
