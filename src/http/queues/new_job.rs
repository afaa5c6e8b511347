//! Jobs as clients write them.

use super::super::Problem;
use crate::queue::NewJob;
use crate::workflow::duration;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

/// A job to be added.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewQueueJob)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    /// What is to be done: any JSON.
    data: Value,
    /// It is not begun before this time has passed, such as `5s` or a number of seconds.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "5s")]
    delay: Option<Value>,
    /// Its level of priority: 0, the lowest, unless it is said, up to one less than the queue has.
    #[serde(default)]
    #[schema(maximum = 7)]
    priority: u8,
    /// It is added only if no job with this key was, for a while.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    key: Option<String>,
}

impl New {
    fn job(self) -> Result<NewJob<Value>, String> {
        let Self { data, delay, priority, key } = self;
        let job = NewJob::new(data).priority(priority);
        let job = match delay.filter(|delay| !delay.is_null()) {
            Some(delay) => job.delay(
                duration(&delay)
                    .ok_or_else(|| format!("`delay`: {delay} is no length of time, such as 5s"))?,
            ),
            None => job,
        };
        Ok(match key {
            Some(key) => job.key(key),
            None => job,
        })
    }
}

/// A job, or a list of jobs.
#[derive(ToSchema)]
#[schema(as = NewQueueJobs)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum NewJobs {
    /// One.
    One(New),
    /// Several.
    Several(Vec<New>),
}

/// What is to be added.
pub(super) enum Jobs {
    One(NewJob<Value>),
    Several(Vec<NewJob<Value>>),
}

impl<S: Send + Sync> FromRequest<S> for Jobs {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await?;
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'[') {
            let several: Vec<New> = read(&body)?;
            let job = |(at, new): (usize, New)| {
                new.job().map_err(|wrong| Problem::unprocessable(format!("job {at} of the list, {wrong}")))
            };
            return several.into_iter().enumerate().map(job).collect::<Result<_, _>>().map(Self::Several);
        }
        read::<New>(&body)?.job().map(Self::One).map_err(Problem::unprocessable)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    const FORM: &str = "write {\"data\": …}, and beside it `delay`, `priority` or `key`";
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| Problem::unprocessable(format!("the body is no job: {error}; {FORM}")))?;
    reader.end().map_err(|error| Problem::unprocessable(format!("the body is no JSON: {error}")))?;
    Ok(value)
}
