//! `mape worker`

use super::log_output::observe;
use super::run_flow;
use super::served_models::ServedModels;
use super::signal::told_to_end;
use super::workflow_arguments::TaskSet;
use super::{Global, backend, note};
use anyhow::Result;
use clap::Args;
use mape::app::App;
use mape::workflow::{Engine, Names, Schedules};
use std::pin::pin;

#[derive(Debug, Args)]
pub(super) struct WorkerArguments {
    /// No receipts, and built-in tasks where the run is: faster, and enough unless a worker, a client or a receipt
    /// listener in Python is at work beside it
    #[arg(long)]
    native: bool,
    /// Who answers tasks besides workers elsewhere, in place of the built-in ones; exec: these, and programs too
    #[arg(long, value_enum)]
    tasks: Option<TaskSet>,
    /// The group of those who turn runs
    #[arg(long, value_name = "NAME", default_value = "ending")]
    group: String,
    /// The group of those who list runs
    #[arg(long, value_name = "NAME", default_value = "lifecycle")]
    lifecycle_group: String,
    /// The list of all runs
    #[arg(long, value_name = "KEY", default_value = "workflows:all")]
    workflows: String,
    /// The set of those in progress
    #[arg(long, value_name = "KEY", default_value = "workflows:inprogress")]
    inprogress: String,
}

impl WorkerArguments {
    fn names(&self, global: &Global) -> Names {
        Names {
            all: self.workflows.as_str().into(),
            in_progress: self.inprogress.as_str().into(),
            ending: self.group.as_str().into(),
            lifecycle: self.lifecycle_group.as_str().into(),
            ..global.names()
        }
    }
}

/// Goes on with runs until Ctrl-C or SIGTERM.
pub(super) async fn run(global: &Global, arguments: &WorkerArguments) -> Result<()> {
    let backend = backend::on_redis(global).await?;
    // Not before: until there is something to let go of, a signal ends the program at once.
    let mut told = pin!(told_to_end()?);
    let app = App::with_backend(backend.clone());
    observe(&app);
    let tasks = run_flow::tasks(global, arguments.tasks, &backend)?;
    let models = ServedModels::load(&global.load()?).await?;
    // What nobody has here is for workers elsewhere.
    let tasks = models.add_task(arguments.tasks, tasks).and_others();
    let engine = Engine::with(tasks).named(arguments.names(global));
    let engine = if arguments.native { engine } else { engine.compatible() };
    let engine = engine.start(&app).await?;
    let groups: Vec<String> = engine.groups().iter().map(ToString::to_string).collect();
    let groups = groups.join(", ");
    note(
        global,
        "ready",
        &format!("ready: {} on {}, groups {groups}; Ctrl-C ends it", global.stream, backend.url()),
    );
    let schedules = Schedules::of(engine.workflows());
    let mut schedules = pin!(schedules.serve());
    loop {
        tokio::select! {
            biased;
            () = told.as_mut() => break,
            () = schedules.as_mut() => {}
        }
    }
    engine.close().await?;
    backend.close().await;
    note(global, "ended", "ended; other workers go on with what it had in hand");
    Ok(())
}
