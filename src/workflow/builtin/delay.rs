//! `wait:delay`

use super::super::{Invocation, Task};
use super::known::{Known, missing, time};
use super::parameters::{Parameters, wrong};
use super::patience::{WAITS, sleep_until, stopped};

const KNOWN: [Known; 1] = [Known::needed("duration", time)];

/// Ends a length of time after it began; the output is the input.
pub(super) fn task() -> Task {
    let task = Task::new("wait:delay", |invocation: Invocation| async move {
        let duration = Parameters::of(&invocation, &KNOWN)?.duration("duration")?;
        let duration = duration.ok_or_else(|| wrong(&format!("wait:delay{}", missing("duration"))))?;
        tokio::select! {
            biased;
            () = invocation.cancelled() => Err(stopped()),
            () = sleep_until(invocation.since().after(duration)) => Ok(invocation.shared_input()),
        }
    });
    task.limit(WAITS).with_known(&KNOWN, |_, _| None)
}
