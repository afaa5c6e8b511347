//! `wait:acquire` and `wait:release`

use super::super::{Invocation, Task, TaskError};
use super::known::{Known, text, time};
use super::latches::{Latches, Step};
use super::parameters::{Parameters, wrong};
use super::patience::WAITS;

const ACQUIRE: [Known; 2] = [Known::needed("name", text), Known::may("lease", time)];
const RELEASE: [Known; 1] = [Known::needed("name", text)];
/// The longest name of a latch.
const LONGEST: usize = 512;

/// Holds a latch until the run releases it or is over, or for as long as the parameter `lease` says.
pub(super) fn acquire(latches: Latches) -> Task {
    let task = Task::new("wait:acquire", move |invocation: Invocation| {
        let latches = latches.clone();
        async move {
            let parameters = Parameters::of(&invocation, &ACQUIRE)?;
            let lease = parameters.duration("lease")?;
            let until = lease.map(|lease| invocation.since().after(lease));
            latches.acquire(&name(&parameters)?, &step(&invocation), until).await?;
            Ok(invocation.shared_input())
        }
    });
    task.limit(WAITS).with_known(&ACQUIRE, |_, _| None)
}

/// Gives a hold back.
pub(super) fn release(latches: Latches) -> Task {
    let task = Task::new("wait:release", move |invocation: Invocation| {
        let latches = latches.clone();
        async move {
            let name = name(&Parameters::of(&invocation, &RELEASE)?)?;
            if !latches.release(&name, &step(&invocation)).await? {
                let workflow = invocation.workflow();
                tracing::debug!(%workflow, latch = name, "a latch was released that nobody holds");
            }
            Ok(invocation.shared_input())
        }
    });
    task.limit(WAITS).with_known(&RELEASE, |_, _| None)
}

/// The latch that the parameters name.
pub(super) fn name(parameters: &Parameters<'_>) -> Result<String, TaskError> {
    let name = parameters.needed("name")?;
    if name.len() > LONGEST {
        return Err(wrong(&format!(
            "the name of a latch may have {LONGEST} bytes, and this has {}",
            name.len()
        )));
    }
    Ok(name)
}

fn step(invocation: &Invocation) -> Step<'_> {
    Step { run: invocation.workflow(), place: invocation.step(), since: invocation.since() }
}
