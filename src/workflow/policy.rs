//! What holds for the attempts at a task.

use super::duration;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// What holds for a task besides its function: how long it may take, how often it is tried again, how many run at a
/// time, and how it is iterated.
///
/// It is stated where the task is registered, and in the parameters of `@task` or of an invocation, which go first:
///
/// | parameter | value |
/// |---|---|
/// | `timeout` | a length of time: seconds, or `5m30s` |
/// | `retry` | how many times it is tried again, or `{attempts, wait, most}`: `wait` (default 1 s) doubles up to `most` (1 m) |
/// | `concurrency` | a key, of which one task runs at a time, or `{key, limit}` |
/// | `iterate` | how many items of `*` run at a time, or `{at_a_time, failed}`: `stop`, `skip` or `keep` |
///
/// The parameters of `@flow` may have `iterate`, for its subflows, and `turns`, the cap of its cycles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// How long an attempt may take; nothing: as long as it likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How a failed attempt is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// What it shares with others of which only some run at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// How it is done for each item of its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterate: Option<Iterate>,
}

/// How a failed attempt is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// How many times it is tried again.
    pub attempts: u32,
    /// The wait before the first of them; it doubles.
    pub wait: Duration,
    /// No wait is longer.
    pub most: Duration,
}

impl Retry {
    /// This many times, after waits of 1, 2, 4 … seconds, at most a minute.
    #[must_use]
    pub const fn times(attempts: u32) -> Self {
        Self { attempts, wait: Duration::from_secs(1), most: Duration::from_mins(1) }
    }

    /// The wait before the `n`-th further attempt, from 0. It has no jitter: the same history gives the same run.
    pub(super) fn before(&self, n: u32) -> Duration {
        self.wait.saturating_mul(1_u32.checked_shl(n.min(31)).unwrap_or(u32::MAX)).min(self.most)
    }
}

/// Tasks that share a key, in whatever run: so many at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concurrency {
    /// The key.
    pub key: Arc<str>,
    /// How many run at a time, at least 1.
    pub limit: u32,
}

/// How something is done for each item of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Iterate {
    /// How many items are in work at a time, at least 1.
    pub at_a_time: u32,
    /// What becomes of an item that failed.
    pub failed: ItemFailure,
}

impl Default for Iterate {
    /// 16 at a time; a failure fails the run.
    fn default() -> Self {
        Self { at_a_time: 16, failed: ItemFailure::Stop }
    }
}

/// What becomes of an item that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemFailure {
    /// The run fails; a restart goes on with that item.
    #[default]
    Stop,
    /// The output has no place for it.
    Skip,
    /// The output has `{"failed": REASON}` in its place.
    Keep,
}

/// A parameter that is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameter `{parameter}` is {expected}, not {found}")]
pub struct PolicyError {
    /// Which.
    pub parameter: &'static str,
    /// What it can be.
    pub expected: &'static str,
    /// What it is.
    pub found: String,
}

impl Policy {
    /// The parameters that state a policy.
    pub const PARAMETERS: [&'static str; 4] = ["timeout", "retry", "concurrency", "iterate"];

    /// This policy with what `parameters` state laid over it, but for those that are the task's `own`.
    ///
    /// # Errors
    ///
    /// The parameter that is no policy.
    pub fn with_parameters(&self, parameters: &Value, own: &[&str]) -> Result<Self, PolicyError> {
        let mut policy = self.clone();
        let stated = |name: &str| parameters.get(name).filter(|_| !own.contains(&name));
        if let Some(value) = stated("timeout") {
            let expected = "a length of time such as 30s or 5m30s";
            policy.timeout = Some(duration(value).ok_or_else(|| error("timeout", expected, value))?);
        }
        if let Some(value) = stated("retry") {
            policy.retry = Some(Retry::of(value)?);
        }
        if let Some(value) = stated("concurrency") {
            policy.concurrency = Some(Concurrency::of(value)?);
        }
        if let Some(value) = stated("iterate") {
            policy.iterate = Some(Iterate::of(value)?);
        }
        Ok(policy)
    }
}

fn error(parameter: &'static str, expected: &'static str, found: &Value) -> PolicyError {
    PolicyError { parameter, expected, found: found.to_string() }
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

/// The fields of an object, none of them unknown.
fn fields<'v>(value: &'v Value, known: &[&str]) -> Option<&'v serde_json::Map<String, Value>> {
    value.as_object().filter(|object| object.keys().all(|key| known.contains(&key.as_str())))
}

impl Retry {
    fn of(value: &Value) -> Result<Self, PolicyError> {
        let wrong = || error("retry", "a number of attempts or {attempts, wait, most}", value);
        if let Some(attempts) = number(value) {
            return Ok(Self::times(attempts));
        }
        let fields = fields(value, &["attempts", "wait", "most"]).ok_or_else(wrong)?;
        let mut retry = Self::times(3);
        for (name, value) in fields {
            match name.as_str() {
                "attempts" => retry.attempts = number(value).ok_or_else(wrong)?,
                "wait" => retry.wait = duration(value).ok_or_else(wrong)?,
                _ => retry.most = duration(value).ok_or_else(wrong)?,
            }
        }
        Ok(retry)
    }
}

impl Concurrency {
    fn of(value: &Value) -> Result<Self, PolicyError> {
        let wrong = || error("concurrency", "a key or {key, limit}, with a limit of at least 1", value);
        if let Some(key) = value.as_str() {
            return Ok(Self { key: key.into(), limit: 1 });
        }
        let fields = fields(value, &["key", "limit"]).ok_or_else(wrong)?;
        let key = fields.get("key").and_then(Value::as_str).ok_or_else(wrong)?;
        let limit = fields.get("limit").map_or(Some(1), number).filter(|limit| *limit > 0);
        Ok(Self { key: key.into(), limit: limit.ok_or_else(wrong)? })
    }
}

impl Iterate {
    pub(super) fn of(value: &Value) -> Result<Self, PolicyError> {
        let expected = "a number of items at a time, or {at_a_time, failed}: stop, skip or keep";
        let wrong = || error("iterate", expected, value);
        let some = |value| number(value).filter(|number| *number > 0).ok_or_else(wrong);
        if value.is_number() {
            return Ok(Self { at_a_time: some(value)?, ..Self::default() });
        }
        let mut iterate = Self::default();
        for (name, value) in fields(value, &["at_a_time", "failed"]).ok_or_else(wrong)? {
            match (name.as_str(), value.as_str()) {
                ("at_a_time", _) => iterate.at_a_time = some(value)?,
                (_, Some("stop")) => iterate.failed = ItemFailure::Stop,
                (_, Some("skip")) => iterate.failed = ItemFailure::Skip,
                (_, Some("keep")) => iterate.failed = ItemFailure::Keep,
                _ => return Err(wrong()),
            }
        }
        Ok(iterate)
    }
}
