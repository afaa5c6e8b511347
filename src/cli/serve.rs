//! `mape serve`

use super::run_flow::{self, is_not_done};
use super::workflow_arguments::TaskSet;
use super::{Global, backend, note};
use anyhow::Result;
use mape::app::App;
use mape::backend::Backend;
use mape::workflow::Engine;
use std::pin::{Pin, pin};
use std::time::Duration;

/// How often it is asked whether whoever owns the directory is still there.
const LOOK: Duration = Duration::from_secs(1);
/// How many runs are looked through for those that are not over.
const LOOKED_THROUGH: usize = 10_000;

/// Goes on with the runs of the backend until Ctrl-C or SIGTERM.
pub(super) async fn run(global: &Global, tasks: Option<TaskSet>) -> Result<()> {
    let mut told = pin!(told_to_end()?);
    loop {
        let backend = backend::served(global).await?;
        let ends = host(global, tasks, &backend, told.as_mut()).await;
        backend.close().await;
        if ends? {
            note(global, "ended", "ended; whoever serves the runs next goes on with them");
            return Ok(());
        }
        note(global, "owner", "whoever owned the directory is gone; its runs go on here");
    }
}

/// Hosts an engine until it is told to end, or whoever owns the directory is gone; whether it was told.
async fn host(
    global: &Global,
    tasks: Option<TaskSet>,
    backend: &Backend,
    mut told: Pin<&mut impl Future<Output = ()>>,
) -> Result<bool> {
    let app = App::with_backend(backend.clone());
    let engine = Engine::start(&app, run_flow::tasks(global, tasks, backend)?).await?;
    let runs = engine.workflows();
    let open = runs.list(0, LOOKED_THROUGH).await?.iter().filter(|(_, status)| !status.is_over()).count();
    let open = if open == 1 { "1 run is".to_owned() } else { format!("{open} runs are") };
    note(global, "serving", &format!("serving {}, where {open} not over; Ctrl-C ends it", backend.url()));
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            biased;
            () = told.as_mut() => {
                engine.close().await?;
                return Ok(true);
            }
            _ = look.tick() => {
                if runs.list(0, 1).await.is_err_and(|error| is_not_done(&error)) {
                    return Ok(false);
                }
            }
        }
    }
}

/// Waits for Ctrl-C or SIGTERM, which are heard from now on.
fn told_to_end() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    #[cfg(unix)]
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
