//! What the live server refuses, as answers.

use crate::condition;
use crate::http::Problem;
use crate::live::Error;
use axum::http::StatusCode;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match &error {
            Error::UnknownKind { .. } => Self::not_found(&error),
            Error::Busy { .. } | Error::Jobs { .. } | Error::Full { .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, &error).retry_after(1)
            }
            Error::Forbidden { .. } => Self::new(StatusCode::FORBIDDEN, &error),
            Error::Gone => Self::new(StatusCode::GONE, &error),
            Error::Condition(condition) => Self::from(&**condition),
            Error::KindTaken { .. } | Error::Link { .. } | Error::NothingBefore => Self::conflict(&error),
            Error::File { .. } => Self::unavailable(&error),
            Error::Name { .. }
            | Error::Interests { .. }
            | Error::Patterns { .. }
            | Error::Names { .. }
            | Error::Info { .. } => Self::unprocessable(&error),
            Error::Pipelines(invalid) | Error::PipelinesFile { invalid, .. } => {
                let problem = Self::unprocessable(&error).with("path", &*invalid.path);
                match invalid.at {
                    Some((line, column)) => problem.with("line", line).with("column", column),
                    None => problem,
                }
            }
        }
    }
}

impl From<&condition::Error> for Problem {
    fn from(error: &condition::Error) -> Self {
        let mut problem = Self::unprocessable(error);
        if let Some(diagnostic) = error.diagnostic() {
            if let (Some(line), Some(column)) = (diagnostic.line(), diagnostic.column()) {
                problem = problem.with("line", line).with("column", column);
            } else {
                problem = problem.with("pointer", diagnostic.pointer());
            }
        }
        problem
    }
}
