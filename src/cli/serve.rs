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
use mape::http::{Error, Service, Serving};
use mape::workflow::{Engine, Schedules, Workflows};
use std::pin::{Pin, pin};
use std::time::Duration;

/// How often it is asked whether whoever owns the directory is still there.
const LOOK: Duration = Duration::from_millis(300);
/// How many runs are looked through for those that are not over.
const LOOKED_THROUGH: usize = 10_000;

/// How long requests under way may take once the program is told to end.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// Serves the API and the console, and goes on with the runs of the backend, until Ctrl-C or SIGTERM.
pub(super) async fn run(global: &Global, arguments: &ServeArguments) -> Result<()> {
    let mut staying = Staying::served(global, !arguments.no_http).await?;
    // Not before: until there is something to let go of, a signal ends the program at once.
    let told = pin!(told_to_end()?);
    let app = App::with_backend(staying.backend.clone());
    observe(&app);
    let live = if arguments.no_http { None } else { Some(LiveServer::start(global, &app).await?) };
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
    let queues = QueueWorkers::start(&global.load()?, &app, tasks.as_ref()).await?;
    let waiting = global.load()?.queues.values().filter(|queue| queue.task.is_some()).count();
    if arguments.no_engine && waiting > 0 {
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
    let engine = if let Some(mut tasks) = tasks {
        // What nobody has here is for workers elsewhere.
        if staying.is_on_a_server() {
            tasks = tasks.and_others();
        }
        Some(Engine::with(tasks).named(global.names()).start(&app).await?)
    } else {
        None
    };
    let served = serve(global, arguments, &app, &mut staying, (engine.as_ref(), live, &models), told).await;
    queues.stop().await;
    let closed = match engine {
        Some(engine) => engine.close().await,
        None => Ok(()),
    };
    staying.close().await;
    served?;
    closed?;
    note(global, "ended", "ended; whoever serves the runs next goes on with them");
    Ok(())
}

/// The API and the console, if they are wanted.
async fn listen(
    global: &Global,
    arguments: &ServeArguments,
    app: &App,
    engine: Option<&Engine>,
    (live, models): (Option<&LiveServer>, &ServedModels),
) -> Result<Option<Serving>> {
    let Some(live) = live else { return Ok(None) };
    let config = global.load()?;
    let rest = config.rest;
    let heartbeat = config.live.heartbeat;
    let service = || {
        let service = models.serve(service(global, arguments, app, engine, &rest)?);
        Ok::<_, anyhow::Error>(service.live(&live.live).heartbeat(heartbeat))
    };
    let address = arguments.listen.as_ref().unwrap_or(&rest.address);
    match service()?.listen(address).await {
        // Nobody has asked for that very port.
        Err(Error::Listen { .. })
            if arguments.listen.is_none() && rest.address == Rest::default().address =>
        {
            note(global, "taken", &format!("{address} is taken, so another port is; --listen names one"));
            Ok(Some(service()?.listen("127.0.0.1:0").await?))
        }
        Ok(serving) => Ok(Some(serving)),
        Err(error @ (Error::Listen { .. } | Error::File { .. })) => Err(error.into()),
        // Nothing was tried: it is written down wrong.
        Err(error) => Err(Usage::error(error.to_string())),
    }
}

fn service(
    global: &Global,
    arguments: &ServeArguments,
    app: &App,
    engine: Option<&Engine>,
    rest: &Rest,
) -> Result<Service> {
    let service = Service::new(app).configured(rest)?;
    let mut service = match engine {
        Some(engine) => service.engine(engine),
        None => service.workflows(&Workflows::new(app.backend()).named(global.names())),
    };
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
    told: Pin<&mut impl Future<Output = ()>>,
) -> Result<()> {
    let workflows = Workflows::new(app.backend()).named(global.names());
    let runs = engine.map_or(&workflows, Engine::workflows);
    let serving = listen(global, arguments, app, engine, (live.as_ref(), models)).await?;
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
