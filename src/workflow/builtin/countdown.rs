//! `wait:countdown`

use super::super::{Error, Invocation, Task, keys};
use super::known::{Known, anything, text, time};
use super::latch::name;
use super::latches::{Latches, Witness};
use super::own_parameters;
use super::parameters::Parameters;
use super::patience::{Patience, WAITS, sleep_until, stopped};
use crate::knowledge::{Changes, Filter};
use futures::StreamExt;
use std::time::Duration;

const KNOWN: [Known; 3] =
    [Known::needed("name", text), Known::may("timeout", time), Known::may("default", anything)];

/// Waits until nobody holds a latch.
pub(super) fn task(latches: Latches) -> Task {
    let task = Task::new("wait:countdown", move |invocation: Invocation| {
        let latches = latches.clone();
        async move {
            let parameters = Parameters::of(&invocation, &KNOWN)?;
            let (latch, patience) = (name(&parameters)?, Patience::of(&invocation, &parameters)?);
            tokio::select! {
                biased;
                () = invocation.cancelled() => Err(stopped()),
                free = free(&latches, &latch) => {
                    free?;
                    Ok(invocation.shared_input().into())
                }
                () = patience.over() => {
                    let what = format!("the latch `{latch}` to be free");
                    patience.given_up(invocation.input(), &latch, &what)
                }
            }
        }
    });
    task.limit(WAITS).own_parameters(own_parameters("wait:countdown")).with_known(&KNOWN, |_, _| None)
}

/// How long a notice is waited for before the latch is looked at again: notices may be lost on the way.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Waits until no hold counts: finds one that does, and then waits for that to go.
async fn free(latches: &Latches, latch: &str) -> Result<(), Error> {
    if latches.witness(latch).await?.is_none() {
        return Ok(());
    }
    // Before looking again, so that nothing is overheard between looking and waiting.
    let mut holds = latches.store.watch(Filter::key(keys::latch(latch))).await?;
    while let Some(witness) = latches.witness(latch).await? {
        let mut run = latches.store.watch(Filter::key(keys::state(&witness.run))).await?;
        while latches.counts(latch, &witness).await? {
            news(&mut holds, &mut run, &witness).await;
        }
    }
    Ok(())
}

/// Waits until something may have happened to a hold.
async fn news(holds: &mut Changes, run: &mut Changes, witness: &Witness) {
    let lease = async {
        match witness.until {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = holds.next() => {}
        _ = run.next() => {}
        () = lease => {}
        () = tokio::time::sleep(ASK_AGAIN) => {}
    }
}
