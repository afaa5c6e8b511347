//! `wait:delay`

use super::super::{Invocation, Task};
use super::parameters::{Parameters, wrong};
use super::patience::{WAITS, sleep_until, stopped};

/// Ends a length of time after it began; the output is the input.
pub(super) fn task() -> Task {
    let task = Task::new("wait:delay", |invocation: Invocation| async move {
        let duration = Parameters::of(&invocation, &["duration"])?.duration("duration")?;
        let duration =
            duration.ok_or_else(|| wrong("wait:delay needs `duration`: seconds, or a text like 5m30s"))?;
        tokio::select! {
            biased;
            () = invocation.cancelled() => Err(stopped()),
            () = sleep_until(invocation.since().after(duration)) => Ok(invocation.shared_input()),
        }
    });
    task.limit(WAITS)
}
