//! What every queue does, whatever keeps it.

use crate::suite::eventually;
use futures::StreamExt;
use mape::backend::Backend;
use mape::element::Element;
use mape::event::EventId;
use mape::prelude::{App, BoxError};
use mape::queue::{
    Done, Ending, Error, JobState, NewJob, Queue, Queues, Rate, Schedule, Settings, Task, Worker, working,
};
use parking_lot::Mutex;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The tests of all claims here: `suite! { backend, fresh backend }`, with `start_paused = true` where no server runs.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), queue::conformance:
            a_job_is_done_and_its_result_is_told,
            workers_share_the_jobs_and_each_is_done_once,
            no_more_are_in_hand_than_the_queue_says,
            what_fails_is_tried_again_after_its_pause,
            what_fails_too_often_is_dead_and_can_be_replayed,
            an_error_a_panic_and_a_timeout_are_failed_attempts,
            what_an_element_lets_go_of_is_tried_again,
            a_delayed_job_waits_for_its_time,
            a_delayed_job_can_be_cancelled,
            a_higher_level_has_more_turns_and_none_starves,
            a_key_keeps_other_jobs_out,
            a_rate_holds_for_all_workers_together,
            a_paused_queue_begins_nothing_in_any_worker,
            a_schedule_adds_one_job_each_time_whoever_serves,
            progress_and_ends_are_told_in_order,
            what_a_silent_worker_had_goes_to_another_and_counts_as_an_attempt,
            a_worker_that_stops_waits_for_what_is_in_hand,
            what_is_done_does_not_stay,
            what_is_no_job_of_the_queue_goes_to_the_dead_letters,
            bad_jobs_are_refused_and_add_nothing,
            queues_are_known_by_their_names,
        }
    };
}
pub(crate) use suite;

pub(crate) type Doer<R> = Element<Task<u64>, Done<Task<u64>, R>>;

/// Short enough to be waited for on a server.
pub(crate) fn settings() -> Settings {
    Settings {
        retry_after: Duration::from_millis(30),
        lease: Duration::from_millis(900),
        ..Settings::default()
    }
}

/// An element that does `f` with up to 64 jobs at a time.
pub(crate) fn doer<R, F>(
    app: &App,
    uid: &str,
    f: impl Fn(Task<u64>) -> F + Clone + Send + Sync + 'static,
) -> Doer<R>
where
    R: Clone + Send + Sync + 'static,
    F: Future<Output = Result<R, BoxError>> + Send + 'static,
{
    app.create_loop(uid).unwrap().execute("work").each_unordered(64, working(f)).spawn().unwrap()
}

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) queue: Queue,
}

impl World {
    pub(crate) async fn new(backend: Backend, settings: Settings) -> Self {
        let app = App::with_backend(backend);
        let queue = Queues::new(&app).open("reply", settings).await.unwrap();
        Self { app, queue }
    }

    pub(crate) async fn work<R, F>(
        &self,
        uid: &str,
        f: impl Fn(Task<u64>) -> F + Clone + Send + Sync + 'static,
    ) -> Worker
    where
        R: Clone + Send + Sync + serde::Serialize + 'static,
        F: Future<Output = Result<R, BoxError>> + Send + 'static,
    {
        self.queue.work(&doer(&self.app, uid, f)).await.unwrap()
    }
}

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

pub(crate) async fn a_job_is_done_and_its_result_is_told(backend: Backend) {
    let world = World::new(backend, settings()).await;
    let _worker = world.work("one", |task| async move { Ok(*task * 2) }).await;
    let job = world.queue.add(&21).await.unwrap();
    assert!(job.is_new);
    let outcome = soon(world.queue.outcome(&job.id)).await.unwrap();
    assert_eq!(
        (outcome.result::<u64>().unwrap(), outcome.attempt, outcome.job.clone()),
        (42, 1, job.id.clone())
    );
    // Whoever asks later is told as well.
    assert_eq!(soon(world.queue.outcome(&job.id)).await.unwrap(), outcome);
    let asked = soon(world.queue.run(NewJob::new(4))).await.unwrap();
    assert_eq!(asked.result::<u64>().unwrap(), 8);
}

pub(crate) async fn workers_share_the_jobs_and_each_is_done_once(backend: Backend) {
    let world = World::new(backend, settings()).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let work = |who: usize| {
        let seen = seen.clone();
        move |task: Task<u64>| {
            let seen = seen.clone();
            async move {
                sleep(Duration::from_millis(2)).await;
                seen.lock().push((who, *task));
                Ok(())
            }
        }
    };
    let _one = world.work("one", work(1)).await;
    let _other = world.work("other", work(2)).await;
    world.queue.add_all(0..100_u64).await.unwrap();
    eventually("all are done", || async { world.queue.stats().await.unwrap().outcomes == 100 }).await;
    let seen = seen.lock();
    let numbers: BTreeSet<u64> = seen.iter().map(|(_, n)| *n).collect();
    assert_eq!((seen.len(), numbers.len()), (100, 100));
    for who in [1, 2] {
        assert!(seen.iter().any(|(by, _)| *by == who), "worker {who} did nothing");
    }
}

pub(crate) async fn no_more_are_in_hand_than_the_queue_says(backend: Backend) {
    let world = World::new(backend, Settings { concurrency: 3, ..settings() }).await;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = (now.clone(), most.clone());
    let _worker = world
        .work("one", move |_| {
            let (now, most) = seen.clone();
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_millis(5)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        })
        .await;
    world.queue.add_all(0..30_u64).await.unwrap();
    eventually("all are done", || async { world.queue.stats().await.unwrap().outcomes == 30 }).await;
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

pub(crate) async fn what_fails_is_tried_again_after_its_pause(backend: Backend) {
    let pause = Duration::from_millis(60);
    let world = World::new(backend, Settings { retry_after: pause, ..settings() }).await;
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen = times.clone();
    let _worker = world
        .work("one", move |task| {
            let seen = seen.clone();
            async move {
                seen.lock().push((Instant::now(), task.attempt(), task.last_error().map(str::to_owned)));
                if task.attempt() < 3 { Err(format!("no {}", task.attempt()).into()) } else { Ok("yes") }
            }
        })
        .await;
    let outcome = soon(world.queue.run(NewJob::new(1))).await.unwrap();
    assert_eq!((outcome.attempt, outcome.result::<String>().unwrap().as_str()), (3, "yes"));
    let times = times.lock().clone();
    let attempts: Vec<_> = times.iter().map(|(_, n, error)| (*n, error.as_deref())).collect();
    assert_eq!(attempts, [(1, None), (2, Some("no 1")), (3, Some("no 2"))]);
    // The second pause is twice the first. Times are kept in whole milliseconds.
    let pauses: Vec<_> = times.windows(2).map(|two| two[1].0 - two[0].0).collect();
    let tolerance = Duration::from_millis(2);
    assert!(pauses[0] + tolerance >= pause && pauses[1] + tolerance >= 2 * pause, "{pauses:?}");
    let told: Vec<_> =
        world.queue.last_outcomes(10).await.unwrap().into_iter().rev().map(|o| o.ending).collect();
    assert!(matches!(&told[0], Ending::Failed { error, .. } if error == "no 1"), "{told:?}");
    assert!(matches!(&told[2], Ending::Done { .. }) && told.len() == 3, "{told:?}");
}

pub(crate) async fn what_fails_too_often_is_dead_and_can_be_replayed(backend: Backend) {
    let world = World::new(backend, Settings { attempts: 2, ..settings() }).await;
    let is_mended = Arc::new(AtomicUsize::new(0));
    let mended = is_mended.clone();
    let _worker = world
        .work("one", move |task| {
            let mended = mended.clone();
            async move {
                if mended.load(Ordering::SeqCst) == 0 {
                    Err("the service is away".into())
                } else {
                    Ok(task.attempt())
                }
            }
        })
        .await;
    let job = world.queue.add(&7).await.unwrap().id;
    let outcome = soon(world.queue.outcome(&job)).await.unwrap();
    assert_eq!(outcome.ending, Ending::Dead { error: "the service is away".to_owned() });
    let dead = world.queue.dead(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (dead[0].job.as_ref(), &dead[0].data, dead[0].attempts, dead[0].reason.as_str()),
        (Some(&job), &json!(7), 2, "the service is away")
    );
    assert_eq!(world.queue.stats().await.unwrap().dead, 1);
    is_mended.store(1, Ordering::SeqCst);
    world.queue.replay(&job).await.unwrap();
    eventually("it is done", || async {
        let last = world.queue.last_outcomes(1).await.unwrap();
        last.iter().any(|outcome| outcome.job == job && outcome.result::<u32>().ok() == Some(1))
    })
    .await;
    // What became of it is its last end.
    assert_eq!(soon(world.queue.outcome(&job)).await.unwrap().result::<u32>().unwrap(), 1);
    assert_eq!(world.queue.find(&job).await.unwrap().unwrap().state, JobState::Done);
    assert!(world.queue.dead(10).await.unwrap().is_empty());
    let error = world.queue.replay(&job).await.unwrap_err();
    assert!(matches!(error, Error::NoJob { .. }), "{error}");
}

pub(crate) async fn an_error_a_panic_and_a_timeout_are_failed_attempts(backend: Backend) {
    let settings = Settings { attempts: 1, timeout: Some(Duration::from_millis(50)), ..settings() };
    let world = World::new(backend, settings).await;
    let _worker = world
        .work("one", |task| async move {
            match *task {
                0 => Err("an error".into()),
                1 => panic!("a panic"),
                2 => std::future::pending().await,
                _ => Ok(()),
            }
        })
        .await;
    for (n, reason) in
        ["an error", "it panicked: a panic", "it took longer than 50ms (timeout)"].iter().enumerate()
    {
        let outcome = soon(world.queue.run(NewJob::new(n))).await.unwrap();
        assert_eq!(outcome.ending, Ending::Dead { error: (*reason).to_owned() });
    }
    assert!(soon(world.queue.run(NewJob::new(3))).await.unwrap().result::<()>().is_ok());
}

pub(crate) async fn what_an_element_lets_go_of_is_tried_again(backend: Backend) {
    let world = World::new(backend, settings()).await;
    // It knows nothing of queues but the type, and drops every first attempt.
    let careless = world.app.create_loop("one").unwrap().execute("work").each(|task: Task<u64>, out| {
        if task.attempt() > 1 {
            out.emit(task.done("at last"));
        }
    });
    let _worker = world.queue.work(&careless.spawn().unwrap()).await.unwrap();
    let outcome = soon(world.queue.run(NewJob::new(1))).await.unwrap();
    assert_eq!((outcome.attempt, outcome.result::<String>().unwrap().as_str()), (2, "at last"));
}

pub(crate) async fn a_delayed_job_waits_for_its_time(backend: Backend) {
    let world = World::new(backend, settings()).await;
    let _worker = world.work("one", |task| async move { Ok(*task) }).await;
    let (begun, delay) = (Instant::now(), Duration::from_millis(150));
    let later = world.queue.add_job(NewJob::new(1).delay(delay)).await.unwrap().id;
    let listed = world.queue.delayed(10).await.unwrap();
    assert_eq!((listed.len(), &listed[0].job, &listed[0].data), (1, &later, &json!(1)));
    let sooner = world.queue.add(&2).await.unwrap().id;
    soon(world.queue.outcome(&sooner)).await.unwrap();
    soon(world.queue.outcome(&later)).await.unwrap();
    assert!(begun.elapsed() + Duration::from_millis(2) >= delay, "{:?}", begun.elapsed());
    let order: Vec<_> = world.queue.last_outcomes(10).await.unwrap().into_iter().map(|o| o.job).collect();
    assert_eq!(order, [later, sooner]);
    assert_eq!(world.queue.stats().await.unwrap().delayed, 0);
}

pub(crate) async fn a_delayed_job_can_be_cancelled(backend: Backend) {
    let world = World::new(backend, settings()).await;
    let _worker = world.work("one", |task| async move { Ok(*task) }).await;
    let later = world.queue.add_job(NewJob::new(1).delay(Duration::from_millis(80))).await.unwrap().id;
    assert!(world.queue.cancel_delayed(&later).await.unwrap());
    assert!(!world.queue.cancel_delayed(&later).await.unwrap());
    sleep(Duration::from_millis(160)).await;
    let stats = world.queue.stats().await.unwrap();
    assert_eq!((stats.delayed, stats.outcomes, stats.waiting.iter().sum::<u64>()), (0, 0, 0));
}

pub(crate) async fn a_higher_level_has_more_turns_and_none_starves(backend: Backend) {
    let world = World::new(backend, Settings { concurrency: 1, priorities: 3, ..settings() }).await;
    for level in 0..3_u8 {
        for n in 0..40_u64 {
            let job = NewJob::new(u64::from(level) * 100 + n).priority(level);
            let _ = world.queue.add_job(job).await.unwrap();
        }
    }
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = order.clone();
    let _worker = world
        .work("one", move |task| {
            let seen = seen.clone();
            async move {
                // Long enough for the next of each level to be there.
                sleep(Duration::from_millis(4)).await;
                seen.lock().push(*task / 100);
                Ok(())
            }
        })
        .await;
    eventually("all are done", || async { world.queue.stats().await.unwrap().outcomes == 120 }).await;
    let order = order.lock();
    let turns = |level: u64| order[..56].iter().filter(|done| **done == level).count();
    // 4 : 2 : 1 while all have some, or about that.
    assert!(turns(2) > turns(1) && turns(1) > turns(0) && turns(0) > 2, "{order:?}");
}

pub(crate) async fn a_key_keeps_other_jobs_out(backend: Backend) {
    let world = World::new(backend, Settings { unique_for: Duration::from_millis(300), ..settings() }).await;
    let first = world.queue.add_job(NewJob::new(1).key("comment 7")).await.unwrap();
    let again = world.queue.add_job(NewJob::new(2).key("comment 7")).await.unwrap();
    let other = world.queue.add_job(NewJob::new(3).key("comment 8")).await.unwrap();
    assert!(first.is_new && other.is_new && !again.is_new);
    assert_eq!(again.id, first.id);
    let waiting = world.queue.jobs(JobState::Waiting, 10).await.unwrap();
    let data: Vec<_> = waiting.iter().map(|job| job.data.clone().unwrap()).collect();
    assert_eq!(data, [json!(1), json!(3)]);
    assert_eq!(waiting[0].key.as_deref(), Some("comment 7"));
    sleep(Duration::from_millis(350)).await;
    assert!(world.queue.add_job(NewJob::new(4).key("comment 7")).await.unwrap().is_new);
}

pub(crate) async fn a_rate_holds_for_all_workers_together(backend: Backend) {
    let rate = Rate { jobs: 20, per: Duration::from_secs(1) };
    let world = World::new(backend, Settings { rate: Some(rate), ..settings() }).await;
    let times = Arc::new(Mutex::new(Vec::new()));
    let (first, second) = (times.clone(), times.clone());
    let noting = |times: Arc<Mutex<Vec<Instant>>>| {
        move |task: Task<u64>| {
            let times = times.clone();
            async move {
                times.lock().push(Instant::now());
                Ok(*task)
            }
        }
    };
    let _one = world.work("one", noting(first)).await;
    let _other = world.work("other", noting(second)).await;
    world.queue.add_all(0..20_u64).await.unwrap();
    eventually("all are done", || async { times.lock().len() == 20 }).await;
    let mut times = times.lock();
    times.sort();
    let took = times[19] - times[0];
    // 19 spaces of 50 ms.
    assert!(took >= Duration::from_millis(900), "{took:?}");
}

pub(crate) async fn a_paused_queue_begins_nothing_in_any_worker(backend: Backend) {
    let world = World::new(backend, settings()).await;
    let begun = Arc::new(AtomicUsize::new(0));
    let counting = || {
        let begun = begun.clone();
        move |_: Task<u64>| {
            let begun = begun.clone();
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        }
    };
    let _one = world.work("one", counting()).await;
    let _other = world.work("other", counting()).await;
    world.queue.pause().await.unwrap();
    assert!(world.queue.stats().await.unwrap().paused);
    sleep(Duration::from_millis(200)).await;
    world.queue.add_all(0..10_u64).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    assert_eq!(begun.load(Ordering::SeqCst), 0);
    world.queue.resume().await.unwrap();
    eventually("all are done", || async { begun.load(Ordering::SeqCst) == 10 }).await;
    assert!(!world.queue.stats().await.unwrap().paused);
}

pub(crate) async fn a_schedule_adds_one_job_each_time_whoever_serves(backend: Backend) {
    let world = World::new(backend, settings()).await;
    let schedule = Schedule {
        name: "fetch".to_owned(),
        cron: "* * * * * *".parse().unwrap(),
        data: json!(5),
        priority: 0,
    };
    world.queue.schedule(&schedule).await.unwrap();
    // Saying it again changes nothing.
    world.queue.schedule(&schedule).await.unwrap();
    assert_eq!(world.queue.schedules().await.unwrap(), std::slice::from_ref(&schedule));
    let listed = world.queue.delayed(10).await.unwrap();
    assert_eq!((listed.len(), listed[0].schedule.as_deref()), (1, Some("fetch")));
    let _one = world.work("one", |task| async move { Ok(*task) }).await;
    let _other = world.work("other", |task| async move { Ok(*task) }).await;
    eventually("three times came", || async { world.queue.stats().await.unwrap().outcomes >= 3 }).await;
    let ids: Vec<_> =
        world.queue.last_outcomes(10).await.unwrap().into_iter().map(|o| o.job.to_string()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    assert!(
        ids.iter().all(|id| id.starts_with("fetch-") && id.len() == "fetch-20261126T091000Z".len()),
        "{ids:?}"
    );
    assert!(world.queue.unschedule("fetch").await.unwrap());
    assert!(world.queue.schedules().await.unwrap().is_empty());
}

pub(crate) async fn progress_and_ends_are_told_in_order(backend: Backend) {
    let world = World::new(backend, settings()).await;
    let _worker = world
        .work("one", |task| async move {
            task.progress(&json!({"half": true})).await?;
            Ok(*task)
        })
        .await;
    let told = world.queue.outcomes(EventId::MIN);
    futures::pin_mut!(told);
    let job = world.queue.add(&1).await.unwrap().id;
    let first = soon(told.next()).await.unwrap().unwrap();
    assert_eq!(
        (first.job.clone(), first.ending),
        (job.clone(), Ending::Progress { progress: json!({"half": true}) })
    );
    let second = soon(told.next()).await.unwrap().unwrap();
    assert_eq!((second.job, second.ending), (job, Ending::Done { result: json!(1) }));
}

pub(crate) async fn what_a_silent_worker_had_goes_to_another_and_counts_as_an_attempt(backend: Backend) {
    use mape::event::{Consumer, EventLog};
    let world = World::new(backend, settings()).await;
    let job = world.queue.add(&1).await.unwrap().id;
    // One that reads and is never heard of again.
    let log = world.app.logs().log("mape:queue:reply");
    log.group("workers").create().await.unwrap();
    let silent = Consumer::new("mape:queue:reply", "workers", "silent");
    let events: &Arc<dyn EventLog> = log.event_log();
    assert_eq!(events.read(&silent, 1).await.unwrap().len(), 1);
    let begun = Instant::now();
    let _worker = world.work("one", |task| async move { Ok(task.attempt()) }).await;
    let outcome = soon(world.queue.outcome(&job)).await.unwrap();
    assert_eq!(outcome.result::<u32>().unwrap(), 2);
    assert!(begun.elapsed() < 3 * settings().lease, "{:?}", begun.elapsed());
}

pub(crate) async fn a_worker_that_stops_waits_for_what_is_in_hand(backend: Backend) {
    let world = World::new(backend, Settings { concurrency: 2, ..settings() }).await;
    let begun = Arc::new(AtomicUsize::new(0));
    let counting = begun.clone();
    let worker = world
        .work("one", move |task| {
            counting.fetch_add(1, Ordering::SeqCst);
            async move {
                sleep(Duration::from_millis(60)).await;
                Ok(*task)
            }
        })
        .await;
    world.queue.add_all(0..6_u64).await.unwrap();
    eventually("two are in hand", || async { begun.load(Ordering::SeqCst) >= 2 }).await;
    assert_eq!(worker.stop(Duration::from_secs(5)).await, 0);
    let stats = world.queue.stats().await.unwrap();
    let done = stats.outcomes;
    assert!((2..6).contains(&done), "{stats:?}");
    // What was not begun is there for others at once, and no attempt of it failed.
    let _worker = world.work("other", |task| async move { Ok(*task) }).await;
    eventually("all are done", || async { world.queue.stats().await.unwrap().outcomes == 6 }).await;
}

pub(crate) async fn what_is_done_does_not_stay(backend: Backend) {
    let world = World::new(backend, Settings { keep: 0, ..settings() }).await;
    let done = Arc::new(AtomicUsize::new(0));
    let counting = done.clone();
    let _worker = world
        .work("one", move |_| {
            let counting = counting.clone();
            async move {
                counting.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        })
        .await;
    world.queue.add_all(0..1000_u64).await.unwrap();
    eventually("all are done", || async { done.load(Ordering::SeqCst) == 1000 }).await;
    // Redis trims whole blocks of a hundred.
    eventually("they are removed", || async {
        world.app.logs().log("mape:queue:reply").info().await.unwrap().len < 200
    })
    .await;
    assert_eq!(world.queue.stats().await.unwrap().outcomes, 0);
}

pub(crate) async fn what_is_no_job_of_the_queue_goes_to_the_dead_letters(backend: Backend) {
    let world = World::new(backend, settings()).await;
    let _worker = world.work("one", |task| async move { Ok(*task) }).await;
    let wrong = world.queue.add(&"no number").await.unwrap().id;
    let told = soon(world.queue.outcome(&wrong)).await.unwrap();
    assert!(matches!(told.ending, Ending::Dead { .. }), "{told:?}");
    let good = world.queue.add(&3).await.unwrap().id;
    soon(world.queue.outcome(&good)).await.unwrap();
    eventually("it is in the dead letters", || async { world.queue.stats().await.unwrap().dead == 1 }).await;
    let dead = world.queue.dead(1).await.unwrap();
    assert!(dead[0].reason.contains("no number") && dead[0].data == json!("no number"), "{dead:?}");
    // Nor what is no job at all.
    let log = world.app.logs().log("mape:queue:reply");
    log.append(mape::event::Event::new("stray")).await.unwrap();
    eventually("that too", || async { world.queue.stats().await.unwrap().dead == 2 }).await;
    assert_eq!(world.queue.discard_all().await.unwrap(), 2);
    assert!(world.queue.dead(1).await.unwrap().is_empty());
}

pub(crate) async fn bad_jobs_are_refused_and_add_nothing(backend: Backend) {
    let world = World::new(backend, Settings { max_bytes: 20, ..settings() }).await;
    let error = world.queue.add(&"more than twenty bytes of text").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "a job for queue `reply` is refused: it has 32 bytes, and may have 20 (max_bytes); put what is large elsewhere \
         and say where"
    );
    let error = world.queue.add_job(NewJob::new(1).priority(1)).await.unwrap_err();
    assert!(error.to_string().contains("it has priority 1, and the queue has 1 (0 to 0)"), "{error}");
    let error = world.queue.add_job(NewJob::new(1).key("")).await.unwrap_err();
    assert!(error.to_string().contains("its key has to have"), "{error}");
    let error = world.queue.add_all(["short", "far too long for this queue"]).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    assert_eq!(world.queue.stats().await.unwrap().waiting, [0]);
}

pub(crate) async fn queues_are_known_by_their_names(backend: Backend) {
    let queues = Queues::of(&backend);
    let error = queues.get("reply").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no queue `reply`; none was ever opened on this backend: a program opens it, or config.yaml declares it in \
         the section `queues`"
    );
    let settings = Settings { priorities: 4, rate: Some(Rate::per_second(5)), ..settings() };
    queues.open("reply", settings.clone()).await.unwrap();
    let there = queues.get("reply").await.unwrap();
    assert_eq!((there.name(), there.settings()), ("reply", &settings));
    let error = queues.get("repyl").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no queue `repyl`; did you mean `reply`?");
    let names: Vec<_> = queues.list().await.unwrap().iter().map(|queue| queue.name().to_owned()).collect();
    assert_eq!(names, ["reply"]);
    there.remove().await.unwrap();
    assert!(queues.list().await.unwrap().is_empty());
    let error = queues.open("re ply", Settings::default()).await.unwrap_err();
    assert!(matches!(error, Error::Name { .. }), "{error}");
    let error = queues.open("reply", Settings { priorities: 9, ..Settings::default() }).await.unwrap_err();
    assert_eq!(error.to_string(), "the settings of queue `reply`: priorities is 9: write 1 to 8");
}
