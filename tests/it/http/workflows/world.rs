//! A service with an engine, and a client of it.

use crate::http::site::{Site, answer};
use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::http::Service;
use mape::workflow::{Answer, Builtin, Engine, Invocation, RunId, Task, TaskError, Tasks};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) engine: Engine,
    /// Whether the task `fragile` fails.
    pub(crate) broken: Arc<AtomicBool>,
    pub(crate) archives: PathBuf,
}

/// A directory that is there and empty.
pub(crate) fn directory() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("http-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// Besides the built-in tasks: `sum` of `a` and `b`, `quiet:*` that say nothing, `t:*` that give what they are given,
/// `fragile`, and `never:*`, which do not end by themselves.
pub(crate) fn tasks(backend: &Backend, broken: &Arc<AtomicBool>) -> Tasks {
    let broken = broken.clone();
    let sum = Task::sync("sum", |invocation: &Invocation| {
        let number = |name: &str| invocation.input()[name].as_i64().unwrap_or_default();
        Ok(json!({"sum": number("a") + number("b")}))
    });
    let fragile = Task::sync("fragile", move |invocation: &Invocation| {
        if broken.load(Ordering::Relaxed) {
            return Err(TaskError::for_good("it is broken"));
        }
        Ok(invocation.input().clone())
    });
    let never = Task::new("never:*", |_: Invocation| async { Ok::<_, TaskError>(Answer::Later) });
    Tasks::new()
        .with_all(Builtin::new(backend).tasks())
        .with(sum)
        .with(fragile)
        .with(never)
        .with(Task::sync("quiet:*", |_: &Invocation| Ok(Value::Null)))
        .with(Task::echo("t:*"))
}

impl World {
    pub(crate) async fn new(backend: Backend) -> Self {
        let broken = Arc::<AtomicBool>::default();
        let app = App::with_backend(backend);
        let engine = Engine::start(&app, tasks(app.backend(), &broken)).await.unwrap();
        let archives = directory();
        let site = Site::with(Service::new(&app).engine(&engine).archives(&archives)).await;
        Self { site, engine, broken, archives }
    }

    /// Begins a run, whose id it gives in the short form.
    pub(crate) async fn begin(&self, flow: &str, input: Value) -> String {
        let (status, body) = self.post("/runs", json!({"flow": flow, "input": input})).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn begin_as(&self, id: &str, flow: &str) -> String {
        let (status, body) = self.post("/runs", json!({"flow": flow, "id": id})).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        id.to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.site.get(path).await
    }

    /// What is there, which has to be.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Option<Value>>) -> (StatusCode, Value) {
        let request = self.site.request(Method::POST, path);
        answer(match body.into() {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        })
        .await
    }

    pub(crate) async fn post_owned(&self, path: String, body: Value) -> (StatusCode, Value) {
        self.post(&path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (StatusCode, Value) {
        answer(self.site.request(Method::DELETE, path)).await
    }

    /// Waits until a run is in a state.
    pub(crate) async fn until(&self, id: &str, state: &str) {
        eventually(&format!("{id} is {state}"), || async {
            self.engine.workflows().status(&RunId::from(id)).await.is_ok_and(|status| status.word() == state)
        })
        .await;
    }

    /// A run that is over in this state.
    pub(crate) async fn run(&self, flow: &str, input: Value, state: &str) -> String {
        let id = self.begin(flow, input).await;
        self.until(&id, state).await;
        id
    }

    /// Waits until a step is in this phase.
    pub(crate) async fn until_step(&self, id: &str, index: u64, phase: &str) {
        eventually(&format!("step {index} of {id} is {phase}"), || async {
            let (_, run) = self.get(&format!("/runs/{id}")).await;
            run["steps"].as_array().is_some_and(|steps| {
                steps.iter().any(|step| step["index"] == index && step["phase"] == phase)
            })
        })
        .await;
    }

    pub(crate) async fn ids(&self) -> Vec<String> {
        let runs = self.read("/workflows?size=1000").await;
        runs.as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// What littleflow says when something is wrong.
#[track_caller]
pub(crate) fn is_fault((status, body): &(StatusCode, Value), expected: StatusCode, message: &str) {
    assert_eq!(*status, expected, "{body}");
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["message", "status"], "{body}");
    assert_eq!(body["status"], "Error");
    assert!(body["message"].as_str().unwrap().contains(message), "{body}");
}

/// The body of an answer.
pub(crate) async fn body_of(response: reqwest::Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}
