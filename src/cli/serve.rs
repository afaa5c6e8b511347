//! `mape serve`

use super::live_server::LiveServer;
use super::log_output::observe;
use super::queue_workers::QueueWorkers;
use super::run_flow::{self, is_not_done};
use super::served_models::ServedModels;
use super::signal::told_to_end;
use super::staying::Staying;
use super::workflow_arguments::ServeArguments;
use super::{Global, Usage, note};
use anyhow::Result;
use mape::app::App;
use mape::config::Rest;
use mape::http::{Bound, Error, Service, Serving};
use mape::workflow::{Engine, Schedules, Tasks, Workflows};
use std::pin::{Pin, pin};
use std::time::Duration;

/// How often it is asked whether whoever owns the directory is still there.
const LOOK: Duration = Duration::from_millis(300);
/// How many runs are looked through for those that are not over.
const LOOKED_THROUGH: usize = 10_000;

/// How long requests under way may take once the program is told to end.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// How long elements may take that are still at work then.
const ENDED_WITHIN: Duration = Duration::from_secs(1);

/// Serves the API and the console, and goes on with the runs of the backend, until Ctrl-C or SIGTERM.
pub(super) async fn run(global: &Global, arguments: &ServeArguments) -> Result<()> {
    let mut staying = Staying::served(global, !arguments.no_http).await?;
    // Not before: until there is something to let go of, a signal ends the program at once.
    let told = pin!(told_to_end()?);
    let app = App::with_backend(staying.backend.clone());
    observe(&app);
    let done = work(global, arguments, &app, &mut staying, told).await;
    for left in app.shutdown(ENDED_WITHIN).await.unfinished {
        tracing::warn!(?left, "an element did not finish in time");
    }
    staying.close().await;
    done?;
    note(global, "ended", "ended; whoever serves the runs next goes on with them");
    Ok(())
}

/// All of it, until it is told to end; what was begun has ended then, also if something else could not begin.
async fn work(
    global: &Global,
    arguments: &ServeArguments,
    app: &App,
    staying: &mut Staying,
    told: Pin<&mut impl Future<Output = ()>>,
) -> Result<()> {
    // Before anything begins: with a port that is taken, nothing does.
    let bound = if arguments.no_http { None } else { Some(bind(global, arguments, app).await?) };
    let live = if arguments.no_http { None } else { Some(LiveServer::start(global, app).await?) };
    let models = ServedModels::load(&global.load()?).await?;
    let tasks = if arguments.no_engine {
        None
    } else {
        let mut tasks = run_flow::tasks(global, arguments.tasks, &staying.backend)?;
        if let Some(live) = &live {
            tasks = tasks.with(live.live.task());
        }
        Some(models.add_task(arguments.tasks, tasks))
    };
    let queues = work_on_queues(global, app, tasks.as_ref()).await?;
    let tasks = match tasks {
        // What nobody has here is for workers elsewhere.
        Some(tasks) if staying.is_on_a_server() => Some(tasks.and_others()),
        tasks => tasks,
    };
    let engine = match tasks {
        Some(tasks) => Engine::with(tasks).named(global.names()).start(app).await.map(Some),
        None => Ok(None),
    };
    let served = match &engine {
        Ok(engine) => {
            serve(global, arguments, app, staying, (engine.as_ref(), live, &models), bound, told).await
        }
        Err(_) => Ok(()),
    };
    queues.stop().await;
    let closed = match engine? {
        Some(engine) => engine.close().await,
        None => Ok(()),
    };
    served?;
    Ok(closed?)
}

/// The queues of the configuration, worked on if there are tasks.
async fn work_on_queues(global: &Global, app: &App, tasks: Option<&Tasks>) -> Result<QueueWorkers> {
    let config = global.load()?;
    let queues = QueueWorkers::start(&config, app, tasks).await?;
    let waiting = config.queues.values().filter(|queue| queue.task.is_some()).count();
    if tasks.is_none() && waiting > 0 {
        note(
            global,
            "left",
            &format!("no engine: the jobs of {waiting} queues that name a task are left to others"),
        );
    }
    match queues.count() {
        0 => {}
        1 => note(global, "working", "it works on the jobs of 1 queue"),
        more => note(global, "working", &format!("it works on the jobs of {more} queues")),
    }
    Ok(queues)
}

/// Takes the port of the API and the console.
async fn bind(global: &Global, arguments: &ServeArguments, app: &App) -> Result<Bound> {
    let rest = global.load()?.rest;
    let service = || service(global, arguments, app, &rest);
    let address = arguments.listen.as_ref().unwrap_or(&rest.address);
    match service()?.bind(address).await {
        // Nobody has asked for that very port.
        Err(Error::Listen { .. })
            if arguments.listen.is_none() && rest.address == Rest::default().address =>
        {
            note(global, "taken", &format!("{address} is taken, so another port is; --listen names one"));
            Ok(service()?.bind("127.0.0.1:0").await?)
        }
        Ok(bound) => Ok(bound),
        Err(error @ (Error::Listen { .. } | Error::File { .. })) => Err(error.into()),
        // Nothing was tried: it is written down wrong.
        Err(error) => Err(Usage::error(error.to_string())),
    }
}

fn service(global: &Global, arguments: &ServeArguments, app: &App, rest: &Rest) -> Result<Service> {
    let mut service =
        Service::new(app).configured(rest)?.workflows(&Workflows::new(app.backend()).named(global.names()));
    if let Some(directory) = &arguments.flow_dir {
        if !directory.is_dir() {
            return Err(Usage::error(format!("--flow-dir: there is no directory {}", directory.display())));
        }
        service = service.flows(directory);
    }
    if arguments.allow_anyone {
        service = service.anyone();
    }
    Ok(service)
}

async fn serve(
    global: &Global,
    arguments: &ServeArguments,
    app: &App,
    staying: &mut Staying,
    (engine, live, models): (Option<&Engine>, Option<LiveServer>, &ServedModels),
    bound: Option<Bound>,
    told: Pin<&mut impl Future<Output = ()>>,
) -> Result<()> {
    let workflows = Workflows::new(app.backend()).named(global.names());
    let runs = engine.map_or(&workflows, Engine::workflows);
    let heartbeat = global.load()?.live.heartbeat;
    let complete = |service: Service| {
        let mut service = models.serve(service).heartbeat(heartbeat);
        if let Some(engine) = engine {
            service = service.engine(engine);
        }
        match &live {
            Some(live) => service.live(&live.live),
            None => service,
        }
    };
    let serving = bound.map(|bound| bound.with(complete).serve()).transpose()?;
    if let (Some(live), Some(directory)) = (&live, &arguments.flow_dir) {
        live.offer(app, runs, directory)?;
    }
    let done =
        go_on(global, staying, runs, (serving.as_ref(), arguments.allow_anyone), engine.is_some(), told)
            .await;
    if let Some(serving) = serving {
        serving.close(ANSWERED_WITHIN).await;
    }
    if let Some(live) = live {
        live.close().await;
    }
    done
}

async fn go_on(
    global: &Global,
    staying: &mut Staying,
    runs: &Workflows,
    (serving, allow_anyone): (Option<&Serving>, bool),
    has_engine: bool,
    mut told: Pin<&mut impl Future<Output = ()>>,
) -> Result<()> {
    let open = runs.list(0, LOOKED_THROUGH).await?.iter().filter(|(_, status)| !status.is_over()).count();
    let open = match open {
        0 => "no run is under way".to_owned(),
        1 => "1 run is under way".to_owned(),
        more => format!("{more} runs are under way"),
    };
    note(global, "serving", &format!("serving {}, where {open}; Ctrl-C ends it", staying.backend.url()));
    if let Some(serving) = serving {
        note(global, "listening", &format!("the console and the API are at {}", serving.url()));
        if !serving.address().ip().is_loopback() {
            let who = if allow_anyone { "anyone there may do everything" } else { "a token is asked for" };
            note(global, "public", &format!("other machines reach them at {}; {who}", serving.address()));
        }
    }
    let schedules = Schedules::of(runs);
    let mut schedules = pin!(schedules.serve());
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            biased;
            () = told.as_mut() => return Ok(()),
            () = schedules.as_mut(), if has_engine => {}
            _ = look.tick() => {
                if runs.list(0, 1).await.is_err_and(|error| is_not_done(&error)) {
                    staying.regain(global).await?;
                }
            }
        }
    }
}
