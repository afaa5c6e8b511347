//! What a queue holds to when workers stop, are full, or differ from each other.

use super::conformance::{World, doer, settings, soon};
use crate::suite::eventually;
use futures::future;
use mape::backend::Backend;
use mape::element::State;
use mape::prelude::BoxError;
use mape::queue::{Ending, Error, JobState, NewJob, Queues, Rate, Settings, Task, working};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// The tests of all claims here; as `conformance::suite!`.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), queue::holding:
            workers_that_stop_use_up_no_attempts,
            a_stopped_element_keeps_nothing_from_others,
            what_an_element_has_when_it_is_stopped_uses_up_no_attempt,
            a_full_worker_keeps_no_job_of_another_level_from_others,
            delayed_jobs_are_done_once_each_whoever_queues_them,
            jobs_of_levels_that_are_gone_are_done,
            what_may_be_begun_is_not_saved_up,
            a_job_and_a_result_may_be_null_and_a_large_result_is_told_as_null,
            a_long_reason_is_cut,
            nobody_waits_for_outcomes_that_are_not_kept,
        }
    };
}
pub(crate) use suite;

pub(crate) async fn workers_that_stop_use_up_no_attempts(backend: Backend) {
    let settings = Settings { attempts: 1, concurrency: 8, lease: Duration::from_secs(5), ..settings() };
    let world = World::new(backend, settings).await;
    world.queue.add_all(0..40_u64).await.unwrap();
    let begun = Instant::now();
    for n in 0..8 {
        let worker = world
            .work(&format!("w{n}"), |task| async move {
                sleep(Duration::from_millis(5)).await;
                Ok(task.attempt())
            })
            .await;
        eventually("some are done", || async { world.queue.stats().await.unwrap().outcomes > n * 2 }).await;
        assert_eq!(worker.stop(Duration::from_secs(5)).await, 0);
    }
    let _last = world.work("last", |task| async move { Ok(task.attempt()) }).await;
    eventually("all are done", || async { world.queue.stats().await.unwrap().outcomes == 40 }).await;
    for outcome in world.queue.last_outcomes(100).await.unwrap() {
        assert_eq!(outcome.result::<u32>().unwrap(), 1, "{outcome:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "a lease had to end: {:?}", begun.elapsed());
}

pub(crate) async fn what_an_element_has_when_it_is_stopped_uses_up_no_attempt(backend: Backend) {
    let settings = Settings { attempts: 1, concurrency: 8, lease: Duration::from_secs(8), ..settings() };
    let world = World::new(backend, settings).await;
    // It does one at a time: the others wait in its port.
    let going_on = Arc::new(Notify::new());
    let wait = going_on.clone();
    let slow = world.app.create_loop("slow").unwrap().execute("work").each_unordered(
        1,
        working(move |task: Task<u64>| {
            let wait = wait.clone();
            async move {
                wait.notified().await;
                Ok::<u32, BoxError>(task.attempt())
            }
        }),
    );
    let slow = slow.spawn().unwrap();
    let _worker = world.queue.work(&slow).await.unwrap();
    let jobs = world.queue.add_all(0..8_u64).await.unwrap();
    eventually("all are in its port", || async {
        let input = slow.info().input;
        input.received + input.queued as u64 == 8
    })
    .await;
    slow.stop();
    eventually("the others wait again", || async {
        let stats = world.queue.stats().await.unwrap();
        (stats.waiting, stats.running) == (vec![7], 1)
    })
    .await;
    let states = [JobState::Waiting, JobState::Running].map(|state| world.queue.jobs(state, 100));
    let count = future::join_all(states).await.into_iter().map(|jobs| jobs.unwrap().len());
    assert!(count.eq([7, 1]));
    assert_eq!(world.queue.find(&jobs[0]).await.unwrap().unwrap().state, JobState::Running);
    assert_eq!(world.queue.find(&jobs[7]).await.unwrap().unwrap().state, JobState::Waiting);
    let other = world.work("other", |task| async move { Ok(task.attempt()) }).await;
    // The one that it was at goes on, and the others are done.
    eventually("seven are done", || async { world.queue.stats().await.unwrap().outcomes == 7 }).await;
    going_on.notify_one();
    for job in &jobs {
        assert_eq!(soon(world.queue.outcome(job)).await.unwrap().result::<u32>().unwrap(), 1);
    }
    drop(other);
}

pub(crate) async fn a_stopped_element_keeps_nothing_from_others(backend: Backend) {
    let world =
        World::new(backend, Settings { attempts: 1, lease: Duration::from_secs(8), ..settings() }).await;
    let done = Arc::new(AtomicUsize::new(0));
    let counting = || {
        let done = done.clone();
        move |task: mape::queue::Task<u64>| {
            let done = done.clone();
            async move {
                done.fetch_add(1, Ordering::SeqCst);
                Ok(task.attempt())
            }
        }
    };
    let stopped = doer(&world.app, "stopped", counting());
    let worker = world.queue.work(&stopped).await.unwrap();
    stopped.stop();
    assert_eq!(stopped.state(), State::Stopped);
    let first = world.queue.add_all(0..5_u64).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(done.load(Ordering::SeqCst), 0);
    let other = world.work("other", counting()).await;
    for job in &first {
        assert_eq!(soon(world.queue.outcome(job)).await.unwrap().result::<u32>().unwrap(), 1);
    }
    // It goes on when it is started again.
    assert_eq!(other.stop(Duration::from_secs(5)).await, 0);
    stopped.start().unwrap();
    assert!(worker.is_working());
    assert!(soon(world.queue.run(NewJob::new(9))).await.unwrap().result::<u32>().is_ok());
    stopped.dispose();
    eventually("it has noticed", || async { !worker.is_working() }).await;
}

pub(crate) async fn a_full_worker_keeps_no_job_of_another_level_from_others(backend: Backend) {
    let settings =
        Settings { concurrency: 1, priorities: 3, lease: Duration::from_millis(1200), ..settings() };
    let world = World::new(backend, settings).await;
    let _busy = world
        .work("busy", |task| async move {
            if *task == 0 { std::future::pending().await } else { Ok(task.attempt()) }
        })
        .await;
    let _ = world.queue.add(&0).await.unwrap();
    eventually("it is full", || async { world.queue.stats().await.unwrap().running == 1 }).await;
    let mut jobs = Vec::new();
    for level in [0, 1, 2, 0, 1, 2] {
        jobs.push(world.queue.add_job(NewJob::new(1).priority(level)).await.unwrap().id);
    }
    let _idle = world.work("idle", |task| async move { Ok(task.attempt()) }).await;
    for job in &jobs {
        assert_eq!(soon(world.queue.outcome(job)).await.unwrap().result::<u32>().unwrap(), 1);
    }
}

pub(crate) async fn delayed_jobs_are_done_once_each_whoever_queues_them(backend: Backend) {
    // On a machine that is full, a shorter lease may end, and then a job is begun twice.
    let world = World::new(backend, Settings { lease: Duration::from_secs(10), ..settings() }).await;
    let times = Arc::new(Mutex::new(BTreeMap::<u64, usize>::new()));
    let mut workers = Vec::new();
    for n in 0..20 {
        let times = times.clone();
        let doing = move |task: mape::queue::Task<u64>| {
            let times = times.clone();
            async move {
                *times.lock().entry(*task).or_default() += 1;
                Ok(())
            }
        };
        workers.push(world.work(&format!("w{n}"), doing).await);
    }
    let queue = &world.queue;
    let adding = (0..1000_u64).map(|n| async move {
        let delay = Duration::from_millis(50 + n % 7 * 40);
        assert!(queue.add_job(NewJob::new(n).delay(delay)).await.unwrap().is_new);
    });
    futures::future::join_all(adding).await;
    eventually("all are done", || async { queue.stats().await.unwrap().outcomes >= 1000 }).await;
    let times = times.lock().clone();
    assert!(times.len() == 1000 && times.values().all(|times| *times == 1), "{times:?}");
    let stats = queue.stats().await.unwrap();
    assert_eq!((stats.delayed, stats.dead, stats.outcomes), (0, 0, 1000));
}

pub(crate) async fn jobs_of_levels_that_are_gone_are_done(backend: Backend) {
    let with = |priorities| Settings { priorities, ..settings() };
    let world = World::new(backend, with(3)).await;
    let now = world.queue.add_job(NewJob::new(1).priority(2)).await.unwrap().id;
    let delayed = NewJob::new(2).priority(1).delay(Duration::from_millis(50));
    let delayed = world.queue.add_job(delayed).await.unwrap().id;
    let fewer = Queues::new(&world.app).open("reply", with(1)).await.unwrap();
    let _worker = fewer.work(&doer(&world.app, "one", |task| async move { Ok(*task) })).await.unwrap();
    for (job, result) in [(now, 1), (delayed, 2)] {
        assert_eq!(soon(fewer.outcome(&job)).await.unwrap().result::<u64>().unwrap(), result);
    }
}

pub(crate) async fn what_may_be_begun_is_not_saved_up(backend: Backend) {
    let settings = Settings { rate: Some(Rate::per_second(1000)), concurrency: 1000, ..settings() };
    let world = World::new(backend, settings).await;
    let times = Arc::new(Mutex::new(Vec::new()));
    let noting = times.clone();
    let _worker = world
        .work("one", move |_| {
            noting.lock().push(Instant::now());
            async { Ok(()) }
        })
        .await;
    soon(world.queue.run(NewJob::new(0))).await.unwrap();
    sleep(Duration::from_millis(500)).await;
    world.queue.add_all(1..=90_u64).await.unwrap();
    eventually("all are begun", || async { times.lock().len() == 91 }).await;
    let times = times.lock();
    let took = times[90] - times[1];
    // 50 at once, and 40 in the next twentieth of a second.
    assert!(took >= Duration::from_millis(40), "{took:?}");
}

pub(crate) async fn a_job_and_a_result_may_be_null_and_a_large_result_is_told_as_null(backend: Backend) {
    let world = World::new(backend, Settings { max_bytes: 100, ..settings() }).await;
    let element = world.app.create_loop("one").unwrap().execute("work").each_unordered(
        4,
        mape::queue::working(|task: mape::queue::Task<Option<u64>>| async move {
            Ok::<_, mape::prelude::BoxError>(task.map(|n| "x".repeat(usize::try_from(n).unwrap())))
        }),
    );
    let _worker = world.queue.work(&element.spawn().unwrap()).await.unwrap();
    let run = async |data: Option<u64>| soon(world.queue.run(NewJob::new(data))).await.unwrap();
    assert_eq!(run(None).await.ending, Ending::Done { result: Value::Null });
    assert_eq!(run(Some(2)).await.ending, Ending::Done { result: json!("xx") });
    assert_eq!(run(Some(1000)).await.ending, Ending::Done { result: Value::Null });
}

pub(crate) async fn a_long_reason_is_cut(backend: Backend) {
    let world = World::new(backend, Settings { attempts: 1, ..settings() }).await;
    let _worker = world
        .work("one", |task| async move { if *task > 0 { Err("ü".repeat(100_000).into()) } else { Ok(()) } })
        .await;
    let outcome = soon(world.queue.run(NewJob::new(1))).await.unwrap();
    let Ending::Dead { error } = outcome.ending else { panic!("{outcome:?}") };
    assert!(error.len() < 5000 && error.ends_with("ü…"), "{}", error.len());
}

pub(crate) async fn nobody_waits_for_outcomes_that_are_not_kept(backend: Backend) {
    let world = World::new(backend, Settings { keep: 0, ..settings() }).await;
    let job = world.queue.add(&1).await.unwrap().id;
    let error = world.queue.outcome(&job).await.unwrap_err();
    assert!(matches!(error, Error::Outcome { .. }), "{error}");
}
