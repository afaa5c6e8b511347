//! What others see of queues, and workflows that use them.

use crate::suite::eventually;
use mape::app::App;
use mape::queue::{Ending, Error, JobState, NewJob, Queue, Queues, Settings, Task, Worker, doing, working};
use mape::workflow::{Builtin, Engine, Task as Kind, TaskError, Tasks};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

async fn open(app: &App, settings: Settings) -> Queue {
    Queues::new(app).open("reply", settings).await.unwrap()
}

/// Does a job for each permit.
async fn held(app: &App, queue: &Queue, permits: &Arc<Semaphore>) -> Worker {
    let permits = permits.clone();
    let work = working(move |task: Task<Value>| {
        let permits = permits.clone();
        async move {
            permits.acquire().await.unwrap().forget();
            match task.as_u64() {
                Some(number) => Ok(number),
                None => Err("it is no number".to_owned()),
            }
        }
    });
    let element = app.create_loop("worker").unwrap().execute("hold").each_unordered(1, work).spawn().unwrap();
    queue.work(&element).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_job_is_found_in_every_state_and_listed_with_its_like() {
    let app = App::new();
    let settings = Settings { attempts: 1, priorities: 2, concurrency: 1, ..Settings::default() };
    let queue = open(&app, settings).await;
    let first = queue.add(&1).await.unwrap().id;
    let bad = queue.add_job(NewJob::new("x").priority(1).key("k")).await.unwrap().id;
    let later = queue.add_job(NewJob::new(3).delay(Duration::from_hours(1))).await.unwrap().id;
    let state = async |job: &_| queue.find(job).await.unwrap().map(|info| info.state);
    assert_eq!(state(&first).await, Some(JobState::Waiting));
    let waiting = queue.jobs(JobState::Waiting, 10).await.unwrap();
    assert_eq!((&waiting[0].job, &waiting[1].job), (&Some(bad.clone()), &Some(first.clone())));
    assert_eq!((waiting[0].priority, waiting[0].key.as_deref()), (Some(1), Some("k")));
    assert_eq!(queue.jobs(JobState::Waiting, 1).await.unwrap().len(), 1);
    assert_eq!(state(&later).await, Some(JobState::Delayed));

    let permits = Arc::new(Semaphore::new(0));
    let _worker = held(&app, &queue, &permits).await;
    eventually("one is in hand", async || state(&first).await == Some(JobState::Running)).await;
    let running = queue.jobs(JobState::Running, 10).await.unwrap();
    assert!(running.iter().any(|info| info.job.as_ref() == Some(&first) && info.attempt == 1), "{running:?}");
    permits.add_permits(2);
    eventually("one is done", async || state(&first).await == Some(JobState::Done)).await;
    eventually("one is dead", async || state(&bad).await == Some(JobState::Dead)).await;
    let dead = queue.jobs(JobState::Dead, 10).await.unwrap();
    assert_eq!((dead[0].error.as_deref(), &dead[0].data), (Some("it is no number"), &Some(json!("x"))));
    let done = queue.jobs(JobState::Done, 10).await.unwrap();
    assert_eq!((done.len(), &done[0].result), (1, &Some(json!(1))));
    queue.replay(&bad).await.unwrap();
    // It has an outcome, too.
    eventually("it is in hand", async || state(&bad).await == Some(JobState::Running)).await;
    permits.add_permits(1);
    eventually("it is dead again", async || state(&bad).await == Some(JobState::Dead)).await;
    queue.discard(&bad).await.unwrap();
    assert_eq!(state(&bad).await, Some(JobState::Dead), "its outcome says so");
    assert_eq!(state(&"nothing".into()).await, None);
    let pace = queue.pace().await.unwrap();
    assert!(pace.done > 0.0 && pace.failed > 0.0, "{pace:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_outcomes_are_the_last_however_long_ago_they_were() {
    let app = App::new();
    let queue = open(&app, Settings { concurrency: 1, ..Settings::default() }).await;
    let permits = Arc::new(Semaphore::new(1000));
    let _worker = held(&app, &queue, &permits).await;
    for number in 0..20_u64 {
        queue.run(NewJob::new(number)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1) * 3_u32.pow(u32::try_from(number.min(14)).unwrap()))
            .await;
    }
    for count in [1, 3, 10, 20, 30] {
        let last = queue.last_outcomes(count).await.unwrap();
        let results: Vec<u64> = last.iter().map(|told| told.result().unwrap()).collect();
        assert_eq!(results, (0..20).rev().take(count).collect::<Vec<_>>());
    }
    assert!(queue.last_outcomes(0).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn jobs_of_a_list_keep_their_order_and_are_all_looked_at_first() {
    let app = App::new();
    let queue = open(&app, Settings { priorities: 2, ..Settings::default() }).await;
    let plain = (0..50).map(NewJob::new).collect();
    assert_eq!(queue.add_jobs(plain).await.unwrap().len(), 50);
    let data: Vec<_> =
        queue.jobs(JobState::Waiting, 100).await.unwrap().into_iter().filter_map(|job| job.data).collect();
    assert_eq!(data, (0..50).map(Value::from).collect::<Vec<_>>());
    let wrong = vec![NewJob::new(1).priority(1), NewJob::new(2).priority(2)];
    assert!(matches!(queue.add_jobs(wrong).await.unwrap_err(), Error::Refused { .. }));
    assert_eq!(queue.stats().await.unwrap().waiting, [50, 0]);
    assert!(queue.add_jobs(Vec::<NewJob<u8>>::new()).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_of_workflows_does_jobs_and_what_fails_for_good_is_dead_at_once() {
    let app = App::new();
    let queue = open(&app, Settings { attempts: 3, ..Settings::default() }).await;
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = tries.clone();
    let task = Kind::new("brew:*", move |invocation| {
        let tries = seen.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            match invocation.input().as_str() {
                Some("never") => Err(TaskError::for_good("no tea")),
                Some("later") if tries < 3 => Err(TaskError::new("not yet")),
                _ => Ok(
                    json!({"by": invocation.base(), "with": invocation.parameters(), "attempt": invocation.attempt()}),
                ),
            }
        }
    });
    let brew = doing(&task, "brew:green", json!({"cups": 2}));
    let element = app.create_loop("worker").unwrap().execute("brew").each_unordered(2, brew).spawn().unwrap();
    let _worker = queue.work(&element).await.unwrap();
    let done = queue.run(NewJob::new("later")).await.unwrap();
    assert_eq!(
        done.result::<Value>().unwrap(),
        json!({"by": "brew:green", "with": {"cups": 2}, "attempt": 3})
    );
    tries.store(0, Ordering::SeqCst);
    let dead = queue.run(NewJob::new("never")).await.unwrap();
    assert_eq!((dead.ending, dead.attempt), (Ending::Dead { error: "no tea".to_owned() }, 1));
    assert_eq!(tries.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flow_adds_jobs_and_waits_for_what_comes_out() {
    let app = App::new();
    let queues = Queues::new(&app);
    let queue = open(&app, Settings { attempts: 1, priorities: 2, ..Settings::default() }).await;
    let tasks = Tasks::new().with_all(Builtin::new(app.backend()).tasks()).with(queues.task());
    let engine = Engine::start(&app, tasks).await.unwrap();
    let run = async |flow: &str, input: Value| {
        let ended = engine.run(flow, input).await.unwrap().wait().await.unwrap();
        format!("{} {:?}", json!(ended.output), ended.failures)
    };
    let ended = run("queue:add(- {queue: reply, priority: 1, key: k} -)", json!({"to": "ada"})).await;
    assert!(ended.contains("\"is_new\":true"), "{ended}");
    let ended = run("queue:add(- {queue: reply, data: 2, key: k} -)", json!({})).await;
    assert!(ended.contains("\"is_new\":false"), "{ended}");
    let waiting = queue.jobs(JobState::Waiting, 10).await.unwrap();
    assert_eq!(
        (waiting.len(), &waiting[0].data, waiting[0].priority),
        (1, &Some(json!({"to": "ada"})), Some(1))
    );
    let echo = doing(&Kind::echo("echo"), "echo", Value::Null);
    let element = app.create_loop("worker").unwrap().execute("echo").each_unordered(2, echo).spawn().unwrap();
    let _worker = queue.work(&element).await.unwrap();
    let ended = run("queue:add(- {queue: reply, wait: 20s} -)", json!({"to": "eve"})).await;
    assert!(ended.contains("{\"to\":\"eve\"}"), "{ended}");
    for (flow, wanted) in [
        ("queue:add", "needs a parameter `queue`"),
        ("queue:add(- {queue: repyl} -)", "did you mean `reply`?"),
        ("queue:add(- {queue: reply, delay: soon} -)", "no length of time"),
        ("queue:add(- {queue: reply, priority: 7} -)", "it has priority 7"),
    ] {
        let ended = run(flow, json!({})).await;
        assert!(ended.contains(wanted), "{flow}: {ended}");
    }
}
