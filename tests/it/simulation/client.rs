//! Who asks for runs, steers them, and waits for them.

use super::plan::Script;
use super::worker::{FAR, WORKERS};
use super::world::World;
use mape::event::Event;
use mape::workflow::{Error, Status, Workflows};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Asks again for as long as the way is not there.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
    loop {
        match ask().await {
            Err(Error::Knowledge(error)) if error.is_retryable() => {}
            Err(Error::Event(error)) if error.is_retryable() => {}
            other => return other,
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// What may be answered to who wants a change that others have made before, or that comes too late.
fn as_it_is(changed: Result<Status, Error>) -> Result<(), String> {
    match changed {
        Ok(_) | Err(Error::Unchanged { .. }) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Begins a run and sees it through.
pub(super) async fn follow(world: &Arc<World>, runs: &Workflows, script: &Script) -> Result<(), String> {
    let (id, began) = (&script.id, world.began());
    sleep_until(began + script.begins).await;
    let submit = async || runs.submit(Some(id.clone()), &script.flow, script.input.clone()).await;
    patiently(submit).await.map_err(|error| error.to_string())?;
    let steer = async {
        if let Some(at) = script.terminate {
            sleep_until(began + at).await;
            as_it_is(patiently(async || runs.terminate(id).await).await)?;
        }
        Ok::<(), String>(())
    };
    let pause = async {
        if let Some((from, to)) = script.pause {
            sleep_until(began + from).await;
            as_it_is(patiently(async || runs.pause(id).await).await)?;
            sleep_until(began + to).await;
            as_it_is(patiently(async || runs.resume(id).await).await)?;
        }
        Ok::<(), String>(())
    };
    let (steered, paused) = futures::join!(steer, pause);
    steered.and(paused)?;
    see_through(world, runs, script).await
}

async fn see_through(world: &Arc<World>, runs: &Workflows, script: &Script) -> Result<(), String> {
    let id = &script.id;
    let (mut restarts, expected) = (0, script.expected());
    loop {
        let progress = patiently(async || runs.wait(id).await).await.map_err(|error| error.to_string())?;
        world.note(&"client".into(), "hears", format!("{id} is {}", progress.status));
        match (progress.status, &expected) {
            (Status::Finished, Some((_, output))) => {
                let given = progress.output.as_deref().unwrap_or(&json!(null)).clone();
                return if given == *output {
                    Ok(())
                } else {
                    Err(format!("{id} gives {given}, not {output}"))
                };
            }
            (Status::Terminated, _) if script.terminate.is_some() => {}
            (Status::Failed, _) if script.can_be_mended() && restarts < 2 => {}
            (Status::Failed, None) => return Ok(()),
            (status, _) => return Err(format!("{id} is {status}: {:?}", progress.failures)),
        }
        restarts += 1;
        if restarts > 4 {
            return Err(format!("{id} was restarted {restarts} times"));
        }
        world.ledger.restart(id, world.at());
        as_it_is(patiently(async || runs.restart(id, None).await).await)?;
    }
}

/// Events of which nobody knows anything, or not what they say.
pub(super) async fn nonsense(world: Arc<World>, count: u32) {
    let log = world.runs_log();
    for _ in 0..count {
        sleep(Duration::from_millis(world.below(3_000))).await;
        let run = format!("workflow:r{}", world.below(4));
        let end = |run: &str| Event::new("end-task").with("name", "near:a0").with("workflow", run);
        let event = match world.below(12) {
            0 => end(&run),
            1 => end(&run).with("index", -1),
            2 => end(&run).with("index", 999),
            3 => end(&run).with("index", "1"),
            4 => end("workflow:nobody").with("index", 1),
            5 => end(&run).with("index", 1).with("attempt", 77),
            6 => end(&run).with("index", 1).with("part", 99),
            7 => Event::new("end-task").with("index", 1),
            8 => end(&run).with("index", 0),
            9 => Event::new("control-workflow")
                .with("workflow", run.as_str())
                .with("cause", json!({"what": 1})),
            10 => Event::new("start-workflow").with("workflow", "workflow:nobody"),
            _ => Event::new("receipt").with("for", "1-0"),
        };
        world.note(&"chance".into(), "nonsense", event.to_string());
        drop(log.append(event.stamped()).await);
    }
}

/// Nothing is left to be heard by those who turn runs, and by those who work elsewhere.
pub(super) async fn heard(world: &World) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_mins(1);
    let workers =
        if world.is_open { world.runs_log() } else { world.backend.events().log(FAR) }.group(WORKERS);
    loop {
        let workers = workers.info().await.unwrap().unwrap();
        let group = world.runs_log().group("ending").info().await.unwrap().unwrap();
        if group.pending + group.lag + workers.pending + workers.lag == 0 {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("events stay: {group:?}, {workers:?}"));
        }
        sleep(Duration::from_millis(500)).await;
    }
}
