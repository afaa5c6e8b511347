//! A worker that has jobs done by a batch service over HTTP, and follows each until it is done.
//!
//! ```text
//!   start-task  batch:mill ──▶ POST /jobs, then GET /jobs/7 now and then ──▶ end-task with its output
//!   cancel-task            ──▶ DELETE /jobs/7                             ──▶ end-task, cancelled
//! ```
//!
//! The name behind `batch:` is the program that the job runs. The job is asked for under a name that is the same
//! whichever worker asks: if this one is killed, the next goes on with the same job.
//!
//! ```text
//! cargo run --example batch_worker -- --api http://batch.example --backend redis://db:6379
//! cargo run --example batch_worker -- --demo      # alone, with a stand-in for the service
//! ```
//!
//! Who one is at the service is in `$MAPE_BATCH__TOKEN`, if it wants to know.

#[path = "workers/demonstration.rs"]
mod demonstration;
#[path = "workers/http.rs"]
mod http;
#[path = "workers/stand_in.rs"]
mod stand_in;
#[path = "workers/station.rs"]
mod station;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction};
use mape::event::Event;
use mape::stream::Backoff;
use mape::workflow::{Invocation, Task, TaskError, Tasks, Worker};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::http::{Call, Service, refused};

fn main() -> ExitCode {
    let command =
        clap::Command::new("batch_worker").about("Has tasks `batch:PROGRAM` done by a batch service");
    let api = Arg::new("api").long("api").value_name("URL").help("Where the service is");
    let demo = Arg::new("demo").long("demo").action(ArgAction::SetTrue);
    let command = command
        .arg(api.default_value("http://127.0.0.1:8080"))
        .arg(demo.help("Show it alone, with a stand-in for the service"));
    let given = station::arguments(command).get_matches();
    if given.get_flag("demo") {
        return station::end(station::runtime(demonstrate()));
    }
    let url = given.get_one::<String>("api").map_or("", String::as_str);
    match http::setting("batch.token").and_then(|token| Service::new(url, token)) {
        Ok(service) => station::run(&given, worker(service, Backoff::exponential(SOON, LATER))),
        Err(error) => station::end(Err(error)),
    }
}

/// How long after its submission a job is asked for, and how long after that at most.
const SOON: Duration = Duration::from_millis(250);
const LATER: Duration = Duration::from_secs(15);

fn worker(service: Service, pauses: Backoff) -> Worker {
    let batch = Task::new("batch:*", move |invocation: Invocation| {
        let service = service.clone();
        async move { run(&service, pauses, &invocation).await }
    });
    Worker::new("batch", Tasks::new().with(batch)).receipts()
}

/// Submits a job and follows it to its end.
async fn run(service: &Service, pauses: Backoff, invocation: &Invocation) -> Result<Value, TaskError> {
    let job = submit(service, invocation).await?;
    let path = format!("/jobs/{job}");
    tokio::select! {
        output = follow(service, pauses, &path) => output,
        () = invocation.cancelled() => {
            // It has a second for that.
            service.call(Call::new(Method::DELETE, &path)).await?;
            Ok(Value::Null)
        }
    }
}

/// The id of the job, the same however often it is asked for.
async fn submit(service: &Service, invocation: &Invocation) -> Result<String, TaskError> {
    let program = invocation.base().strip_prefix("batch:").unwrap_or_default();
    let job = json!({"program": program, "parameters": invocation.parameters(), "input": invocation.input()});
    // What is tried again after a failure is another job; what is begun again after a crash is the same.
    let key = format!("{}#{}", invocation.key(), invocation.attempt());
    let call = Call { body: Some(&job), key: Some(&key), ..Call::new(Method::POST, "/jobs") };
    let (status, body) = service.call(call).await?;
    match body.get("id") {
        Some(Value::String(id)) if status.is_success() => Ok(id.clone()),
        Some(Value::Number(id)) if status.is_success() => Ok(id.to_string()),
        _ => Err(refused("the batch service", status, &body)),
    }
}

/// Asks how a job is, less and less often, until it is done.
async fn follow(service: &Service, pauses: Backoff, path: &str) -> Result<Value, TaskError> {
    for times in 0.. {
        tokio::time::sleep(pauses.wait(times).unwrap_or(pauses.ceiling)).await;
        let Ok((status, job)) = service.call(Call::new(Method::GET, path)).await else {
            // The job goes on, whether one can ask for it or not.
            continue;
        };
        match job.get("status").and_then(Value::as_str) {
            Some("succeeded") => return Ok(job.get("output").cloned().unwrap_or_default()),
            Some("failed") => {
                let reason = job.get("reason").and_then(Value::as_str).unwrap_or("it does not say why");
                return Err(TaskError::new(format!("the job failed: {reason}")));
            }
            Some(_) => {}
            None if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {}
            None => return Err(refused("the batch service", status, &job)),
        }
    }
    Err(TaskError::new("the job never ended"))
}

/// The end of a task as an engine asks for it that does not want it any more.
fn cancel(index: u32) -> Event {
    Event::new("cancel-task").with("workflow", "workflow:demo").with("index", index).stamped()
}

async fn demonstrate() -> anyhow::Result<()> {
    let service = batch_service::start().await?;
    let pauses = Backoff::exponential(Duration::from_millis(10), Duration::from_millis(50));
    let worker = worker(Service::new(&service.url, None)?, pauses);
    let start =
        |name: &str, index| demonstration::start(name, index, json!({}), json!({"beans_kg": 3 * index}));
    let mut events = vec![start("batch:roast", 1), start("batch:mill", 2), start("batch:burn", 3)];
    events.push(start("batch:endless", 4));
    events.push(cancel(4));
    demonstration::show(worker, events).await
}

/// A stand-in for the service: a job is queued when it is first asked for, then runs, and then is done.
mod batch_service {
    use super::stand_in::{Answer, Asked, StandIn};
    use serde_json::{Value, json};
    use std::collections::HashMap;
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;

    #[derive(Default)]
    struct Job {
        key: String,
        asked: u32,
        what: Value,
    }

    pub(super) async fn start() -> anyhow::Result<StandIn> {
        let jobs: Mutex<HashMap<usize, Job>> = Mutex::default();
        StandIn::start(Duration::ZERO, move |asked| {
            answer(&mut jobs.lock().unwrap_or_else(PoisonError::into_inner), asked)
        })
        .await
    }

    fn answer(jobs: &mut HashMap<usize, Job>, asked: &Asked) -> Answer {
        if asked.method == "POST" {
            let key = asked.header("idempotency-key").unwrap_or_default().to_owned();
            if let Some((id, _)) = jobs.iter().find(|(_, job)| job.key == key) {
                return (200, json!({"id": id}));
            }
            if asked.body.get("program") == Some(&json!("")) {
                return (400, json!({"error": "no program"}));
            }
            let id = jobs.len() + 1;
            jobs.insert(id, Job { key, asked: 0, what: asked.body.clone() });
            return (201, json!({"id": id}));
        }
        let id =
            asked.path.strip_prefix("/jobs/").and_then(|id| id.parse::<usize>().ok()).unwrap_or_default();
        if asked.method == "DELETE" {
            return if jobs.remove(&id).is_some() { (204, Value::Null) } else { (404, json!("no such job")) };
        }
        let Some(job) = jobs.get_mut(&id) else { return (404, json!("no such job")) };
        job.asked += 1;
        let program = job.what.get("program").and_then(Value::as_str).unwrap_or_default();
        match (job.asked, program) {
            (1, _) => (200, json!({"id": id, "status": "queued"})),
            // Out of order for a moment.
            (2, _) => (503, json!("busy")),
            (3, _) | (_, "endless") => (200, json!({"id": id, "status": "running"})),
            (_, "burn") => (200, json!({"id": id, "status": "failed", "reason": "the drum is on fire"})),
            (_, done) => {
                let output = json!({"done": done, "beans_kg": job.what.pointer("/input/beans_kg")});
                (200, json!({"id": id, "status": "succeeded", "output": output}))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that can't go on has failed")]
    use super::*;
    use mape::event::EventId;
    use mape::prelude::App;

    async fn ask(service: &Service, name: &str) -> Result<Value, String> {
        let invocation = Invocation::alone(name, json!({}), json!({"beans_kg": 1}));
        let pauses = Backoff::constant(Duration::from_millis(1));
        run(service, pauses, &invocation).await.map_err(|error| error.reason().to_owned())
    }

    #[tokio::test]
    async fn a_job_is_followed_to_its_end_and_asked_for_once() {
        let stand_in = batch_service::start().await.unwrap();
        let service = Service::new(&stand_in.url, None).unwrap();
        let output = json!({"done": "mill", "beans_kg": 1});
        assert_eq!(ask(&service, "batch:mill").await, Ok(output.clone()));
        // As another worker asks, after a crash of the first.
        assert_eq!(ask(&service, "batch:mill").await, Ok(output));
        assert_eq!(status(&service, 1).await, StatusCode::OK);
        assert_eq!(status(&service, 2).await, StatusCode::NOT_FOUND);
    }

    async fn status(service: &Service, job: u32) -> StatusCode {
        service.call(Call::new(Method::GET, &format!("/jobs/{job}"))).await.unwrap().0
    }

    #[tokio::test]
    async fn what_the_service_says_is_the_reason_of_a_failure() {
        let stand_in = batch_service::start().await.unwrap();
        let service = Service::new(&stand_in.url, None).unwrap();
        assert_eq!(
            ask(&service, "batch:").await,
            Err("the batch service answered 400 Bad Request: no program".into())
        );
        assert_eq!(ask(&service, "batch:burn").await, Err("the job failed: the drum is on fire".into()));
        drop(stand_in);
        let error = ask(&service, "batch:mill").await.unwrap_err();
        assert!(error.contains("error sending request"), "{error}");
    }

    #[tokio::test]
    async fn a_cancelled_job_is_deleted() {
        let stand_in = batch_service::start().await.unwrap();
        let service = Service::new(&stand_in.url, None).unwrap();
        let app = App::new();
        let log = app.logs().log("workflows:run");
        let worker = worker(service.clone(), Backoff::constant(Duration::from_millis(1)));
        let worker = worker.start(&app).await.unwrap();
        log.append(demonstration::start("batch:endless", 1, json!({}), json!({}))).await.unwrap();
        for (wanted, event) in [(StatusCode::OK, Some(cancel(1))), (StatusCode::NOT_FOUND, None)] {
            while status(&service, 1).await != wanted {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if let Some(event) = event {
                log.append(event).await.unwrap();
            }
        }
        worker.drain().await;
        let entries = log.range(EventId::MIN, EventId::MAX, 10).await.unwrap();
        let events = entries.into_iter().map(|entry| entry.event.unwrap());
        let ends: Vec<_> = events.filter(|event| event.is("end-task")).collect();
        assert_eq!((ends.len(), ends[0].get("status")), (1, Some(json!("CANCELLED"))), "{ends:?}");
    }
}
