//! `mape serve`

use super::run_flow::{self, is_not_done};
use super::signal::told_to_end;
use super::staying::Staying;
use super::workflow_arguments::TaskSet;
use super::{Global, note};
use anyhow::Result;
use mape::app::App;
use mape::workflow::{Engine, Schedules};
use std::pin::{Pin, pin};
use std::time::Duration;

/// How often it is asked whether whoever owns the directory is still there.
const LOOK: Duration = Duration::from_millis(300);
/// How many runs are looked through for those that are not over.
const LOOKED_THROUGH: usize = 10_000;

/// Goes on with the runs of the backend until Ctrl-C or SIGTERM.
pub(super) async fn run(global: &Global, tasks: Option<TaskSet>) -> Result<()> {
    let mut staying = Staying::served(global).await?;
    // Not before: until there is something to let go of, a signal ends the program at once.
    let told = pin!(told_to_end()?);
    let app = App::with_backend(staying.backend.clone());
    let mut tasks = run_flow::tasks(global, tasks, &staying.backend)?;
    // What nobody has here is for workers elsewhere.
    if staying.is_on_a_server() {
        tasks = tasks.and_others();
    }
    let engine = Engine::with(tasks).named(global.names()).start(&app).await?;
    let served = serve(global, &mut staying, &engine, told).await;
    let closed = engine.close().await;
    staying.close().await;
    served?;
    closed?;
    note(global, "ended", "ended; whoever serves the runs next goes on with them");
    Ok(())
}

async fn serve(
    global: &Global,
    staying: &mut Staying,
    engine: &Engine,
    mut told: Pin<&mut impl Future<Output = ()>>,
) -> Result<()> {
    let runs = engine.workflows();
    let open = runs.list(0, LOOKED_THROUGH).await?.iter().filter(|(_, status)| !status.is_over()).count();
    let open = match open {
        0 => "no run is under way".to_owned(),
        1 => "1 run is under way".to_owned(),
        more => format!("{more} runs are under way"),
    };
    note(global, "serving", &format!("serving {}, where {open}; Ctrl-C ends it", staying.backend.url()));
    let schedules = Schedules::of(engine.workflows());
    let mut schedules = pin!(schedules.serve());
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            biased;
            () = told.as_mut() => return Ok(()),
            () = schedules.as_mut() => {}
            _ = look.tick() => {
                if runs.list(0, 1).await.is_err_and(|error| is_not_done(&error)) {
                    staying.regain(global).await?;
                }
            }
        }
    }
}
