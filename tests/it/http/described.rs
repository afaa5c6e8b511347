//! The API against its own description: every answer that a client can provoke is described.

use super::loops::sample;
use super::site::Site;
use super::workflows::world::{directory, tasks};
use crate::suite::eventually;
use mape::app::App;
use mape::element::Parameter;
use mape::http::Service;
use mape::live::{Live, answering};
use mape::prelude::*;
use mape::queue::{self, NewJob, Queues, Settings, working};
use mape::workflow::{Cron, Engine, RunId, Schedule, Schedules};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// Requests for each operation, besides those that the description itself leads to; `MAPE_EXAMPLES` is another number.
const EXAMPLES: &str = "5";
const SEED: &str = "1";
/// Answers that go on, which are not waited for.
const ENDLESS: &[&str] = &[
    "/channels/stream",
    "/events",
    "/goals/stream",
    "/knowledge/stream",
    "/live/stream?all=true",
    "/loops/room/elements/judge/stream",
    #[cfg(feature = "inference")]
    "/models/interest/disagreements/stream",
    "/queues/reply/outcomes/stream",
    "/queues/stream",
    "/topology/stream",
];

/// A service with loops, knowledge, runs in all states, an archive and a schedule.
struct Served {
    site: Site,
    _engine: Engine,
}

impl Served {
    async fn start() -> Self {
        let (app, ..) = sample();
        let broken = Arc::new(AtomicBool::new(true));
        let engine = Engine::start(&app, tasks(app.backend(), &broken)).await.unwrap();
        let archives = directory();
        prepare(&app, &engine, &archives).await;
        let service = Service::new(&app).engine(&engine).archives(&archives).live(&live(&app));
        #[cfg(feature = "inference")]
        let service = service.models(&models().await);
        let site = Site::with(service).await;
        Self { site, _engine: engine }
    }
}

/// What `tests/python/schemathesis.toml` knows the names of.
async fn prepare(app: &App, engine: &Engine, archives: &Path) {
    // It takes what it is given, whatever that is.
    let room = app.find_loop("room").unwrap();
    let free = room
        .plan("free")
        .parameter(&Parameter::new("anything", Value::Null))
        .export("echo", Ok::<Value, BoxError>)
        .map(|item: Value| item)
        .spawn()
        .unwrap();
    free.expose_fully();
    free.start().unwrap();
    app.knowledge().value::<f64>("speed").set(&50.0).await.unwrap();
    app.knowledge().set::<String>("doors").add("left").await.unwrap();
    let runs = engine.workflows();
    let begin = async |id: &str, flow: &str, state: &str| {
        let id = RunId::from(id);
        engine.run_as(id.clone(), flow, json!({"a": 1})).await.unwrap();
        eventually(state, || async { runs.status(&id).await.is_ok_and(|status| status.word() == state) })
            .await;
        id
    };
    for id in ["finished", "spare-1", "spare-2", "spare-3"] {
        begin(id, "t:a → t:b", "FINISHED").await;
    }
    begin("failed", "t:a → fragile", "FAILED").await;
    for id in ["waiting", "asking-1", "asking-2", "asking-3"] {
        begin(id, "t:a → human:approve (- {question: 'Go on?'} -) → t:b", "RUNNING").await;
    }
    for id in ["going-1", "going-2", "going-3"] {
        begin(id, "never:x → t:b", "RUNNING").await;
    }
    let paused = begin("paused", "never:x → t:b", "RUNNING").await;
    runs.pause(&paused).await.unwrap();
    let terminated = begin("terminated", "never:x → t:b", "RUNNING").await;
    runs.terminate(&terminated).await.unwrap();
    let archive = runs.archive(&RunId::from("finished")).await.unwrap();
    std::fs::write(archives.join("kept.json"), archive.to_string()).unwrap();
    let cron: Cron = "0 3 * * *".parse().unwrap();
    Schedules::of(runs).add(Schedule::new("nightly", cron.clone(), "t:a")).await.unwrap();
    queue(app, cron).await;
}

/// A queue with jobs in all states.
async fn queue(app: &App, cron: Cron) {
    let settings = Settings { attempts: 1, priorities: 2, ..Settings::default() };
    let queue = Queues::new(app).open("reply", settings).await.unwrap();
    let schedule = queue::Schedule { name: "nightly".into(), cron, data: json!({}), priority: 0 };
    queue.schedule(&schedule).await.unwrap();
    let work = working(|task: queue::Task<Value>| async move {
        if task.is_string() { Err::<Value, BoxError>("it is a text".into()) } else { Ok((*task).clone()) }
    });
    let element =
        app.create_loop("queues").unwrap().execute("reply").each_unordered(4, work).spawn().unwrap();
    let worker = queue.work(&element).await.unwrap();
    for data in [json!("dead"), json!("dead, too"), json!({"done": true})] {
        queue.run(NewJob::new(data)).await.unwrap();
    }
    worker.stop(Duration::from_secs(5)).await;
    let _ = queue.add(&1).await.unwrap();
    let _ = queue.add_job(NewJob::new(2).delay(Duration::from_hours(1))).await.unwrap();
}

/// A model with versions to swap, to try and to remove, and models to remove.
#[cfg(feature = "inference")]
async fn models() -> mape::infer::Models {
    let models = mape::infer::Models::new();
    let load = async |name: &str, version: &str| {
        let file = root().join("tests/data/models/mlp.onnx");
        models.load(name, Some(version), file, mape::infer::Settings::default()).await.unwrap();
    };
    for version in ["1", "2", "3", "spare-1", "spare-2"] {
        load("interest", version).await;
    }
    for name in ["spare-1", "spare-2", "spare-3"] {
        load(name, "1").await;
    }
    models.swap("interest", "2").unwrap();
    models
}

/// A live server that repeats what it is given.
fn live(app: &App) -> Live {
    let live = Live::new(app);
    let jobs = app.find_loop("room").unwrap();
    let echo = answering(|job, parts| async move {
        parts.send(&**job.input()).await?;
        Ok::<(), BoxError>(())
    });
    live.job("echo", &jobs.execute("repeat").each_unordered(8, echo).spawn().unwrap()).unwrap();
    live
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program in the environment that `scripts/test` makes.
fn program(name: &str) -> Command {
    let program = root().join("target/schemathesis/bin").join(name);
    assert!(program.exists(), "{} is missing: scripts/test makes it", program.display());
    let mut command = Command::new(program);
    command.current_dir(directory()).kill_on_drop(true);
    command
}

#[track_caller]
fn succeeds(what: &str, output: &Output) {
    let said = [&output.stdout[..], &output.stderr].concat();
    assert!(output.status.success(), "{what}: {}\n{}", output.status, String::from_utf8_lossy(&said));
}

async fn description(site: &Site) -> PathBuf {
    let (status, document) = site.get("/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    let file = directory().join("openapi.json");
    std::fs::write(&file, document.to_string()).unwrap();
    file
}

#[tokio::test]
async fn the_description_keeps_to_openapi_3_1() {
    let site = Site::of(&App::new()).await;
    let file = description(&site).await;
    let validated = program("openapi-spec-validator").args(["--schema", "3.1"]).arg(file).output();
    succeeds("openapi-spec-validator", &validated.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_the_answer_is_as_described() {
    let served = Served::start().await;
    let asked = std::env::var_os("MAPE_EXAMPLES").map(|asked| asked.to_string_lossy().into_owned());
    let examples = asked.unwrap_or_else(|| EXAMPLES.to_owned());
    let mut schemathesis = program("schemathesis");
    schemathesis.args(["--config-file"]).arg(root().join("tests/python/schemathesis.toml"));
    schemathesis.args(["--no-color", "run", &served.site.url("/openapi.json"), "--checks", "all"]);
    // That a request has the right shape does not mean that it can be done: a flow has to be one, a time zone to exist.
    schemathesis.args(["--exclude-checks", "positive_data_acceptance"]);
    schemathesis.args(["--seed", SEED, "--max-examples", &examples, "--continue-on-failure"]);
    // Which requests are made depends on nothing but the seed, and what is asked to go on is asked for elsewhere.
    schemathesis.args(["--exclude-path-regex", "/stream$", "--exclude-operation-id", "get_events"]);
    schemathesis.args(["--request-timeout", "60", "--warnings", "off"]);
    let asked = timeout(Duration::from_mins(10), schemathesis.output()).await.expect("it ends in time");
    succeeds("schemathesis", &asked.unwrap());
}

#[tokio::test]
async fn endless_answers_begin_as_described() {
    let served = Served::start().await;
    let document: Value = served.site.get("/openapi.json").await.1;
    for path in ENDLESS.iter().copied() {
        let response = served
            .site
            .request(Method::GET, path)
            .header("accept", "text/event-stream")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream", "{path}");
        let described = path.split('?').next().unwrap();
        let described = described
            .replace("/room/", "/{loop}/")
            .replace("/judge/", "/{element}/")
            .replace("/reply/", "/{queue}/")
            .replace("/interest/", "/{model}/");
        let kinds = &document["paths"][described]["get"]["responses"]["200"]["content"];
        assert!(kinds["text/event-stream"].is_object(), "{path}: {kinds}");
    }
    let endless = document["paths"].as_object().unwrap().keys().filter(|path| path.ends_with("/stream"));
    assert_eq!(endless.count(), ENDLESS.len() - 1, "one that is new has to be asked for here");
}
