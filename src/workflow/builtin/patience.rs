//! How long something is waited for.

use super::super::{Answer, Invocation, TaskError, Time};
use super::laid_over;
use super::parameters::Parameters;
use serde_json::Value;
use std::time::Duration;

/// How many steps one kind of wait may have in work: as many as the flows in hand have begun. Each is a timer or an entry
/// in a table.
pub(super) const WAITS: usize = 1 << 20;

/// How long a step waits for something from outside, by its parameters `timeout` and `default`.
pub(super) struct Patience {
    until: Option<Time>,
    limit: Duration,
    default: Option<Value>,
}

impl Patience {
    pub(super) fn of(invocation: &Invocation, parameters: &Parameters<'_>) -> Result<Self, TaskError> {
        let limit = parameters.duration("timeout")?;
        let until = limit.map(|limit| invocation.since().after(limit));
        Ok(Self { until, limit: limit.unwrap_or_default(), default: parameters.value("default")? })
    }

    /// Waits until it has been long enough.
    pub(super) async fn over(&self) {
        match self.until {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    }

    /// What a step gives that has waited long enough: its default over its input, or a failure.
    pub(super) fn given_up(&self, input: &Value, name: &str, what: &str) -> Result<Answer, TaskError> {
        match &self.default {
            Some(default) => Ok(laid_over(input, default, name).into()),
            None => {
                Err(TaskError::for_good(format!("waited {:?} for {what}, which did not come", self.limit)))
            }
        }
    }
}

/// Waits until a moment on the clock that time stamps are taken from.
pub(super) async fn sleep_until(until: Time) {
    // Timers cannot be set for any time.
    const LONGEST: Duration = Duration::from_hours(24);
    loop {
        let left = until.since(Time::now());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LONGEST)).await;
    }
}

/// What a task answers that was told to stop.
pub(super) fn stopped() -> TaskError {
    TaskError::for_good("it was cancelled")
}
