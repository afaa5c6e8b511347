//! How the work of a worker ends: cancelled, given up, drained, or taken over.

use super::world::{LEASE, Notes, World, cancel, slow, start, worker};
use crate::suite::eventually;
use mape::backend::Backend;
use mape::event::Consumer;
use mape::prelude::App;
use mape::workflow::{Answer, Invocation, Task};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The tests of all claims here: `suite! { backend, fresh backend }`.
macro_rules! suite {
    ($backend:ident, $world:expr) => {
        crate::suite::tests_of! { $backend, $world, (), worker::ending:
            a_cancel_reaches_the_task_which_may_clean_up,
            what_was_cancelled_before_it_came_is_never_begun,
            a_cancel_of_another_attempt_or_an_earlier_start_means_nothing,
            what_waits_in_hand_is_cancelled_without_being_begun,
            a_long_task_is_not_run_twice,
            what_a_silent_worker_had_begins_elsewhere_and_only_its_end_counts,
            what_no_worker_lives_to_end_is_a_dead_letter_and_a_failure,
            a_worker_that_is_drained_finishes_what_it_does_and_gives_back_the_rest,
            a_drain_with_a_limit_gives_back_what_is_still_at_work,
            a_worker_that_is_dropped_leaves_its_work_to_others,
            a_worker_whose_app_has_ended_can_be_drained,
        }
    };
}
pub(crate) use suite;

const LONG: Duration = Duration::from_mins(10);

/// A task that waits to be cancelled, and then cleans up as its parameter says.
fn stoppable(notes: &Notes) -> Task {
    let notes = notes.clone();
    Task::new("t", move |invocation: Invocation| {
        let notes = notes.clone();
        async move {
            notes.note("begins");
            if invocation.parameters()["deaf"] == json!(true) {
                sleep(LONG).await;
            }
            invocation.cancelled().await;
            notes.note("cleans up");
            let output = json!({"in": "vain"});
            let later = invocation.parameters()["later"] == json!(true);
            Ok(if later { Answer::Later } else { output.into() })
        }
    })
}

pub(crate) async fn a_cancel_reaches_the_task_which_may_clean_up(backend: Backend) {
    let world = World::new(backend);
    let notes = Notes::default();
    let worker = world.start(worker([stoppable(&notes)]).receipts()).await;
    world.begin("t", 1).await;
    world.append(start("t", 2).with("parameters", json!({"deaf": true})).with("attempt", 2)).await;
    world.append(start("t", 3).with("parameters", json!({"later": true})).with("part", 1)).await;
    notes.has("begins", 3).await;
    world.append(cancel(1)).await;
    world.append(cancel(2).with("attempt", 2)).await;
    world.append(cancel(3).with("part", 1)).await;
    for index in 1..=3 {
        let end = world.end(index).await;
        assert_eq!(end.get("status"), Some(json!("CANCELLED")));
        assert!(!end.has("output") && world.output(index).await.is_none());
    }
    assert_eq!(world.end(2).await.get("attempt"), Some(json!(2)));
    assert_eq!(notes.count("cleans up"), 2);
    world.nothing_pending().await;
    worker.drain().await;
    assert_eq!(world.all("receipt").await.len(), 3);
}

pub(crate) async fn what_was_cancelled_before_it_came_is_never_begun(backend: Backend) {
    let world = World::new(backend);
    let notes = Notes::default();
    // It has no room, so that the second is seen only after its cancel.
    let worker = world.start(worker([stoppable(&notes)]).concurrency(1)).await;
    world.begin("t", 1).await;
    notes.has("begins", 1).await;
    world.begin("t", 2).await;
    world.append(cancel(2)).await;
    // Behind it in the log: when this has come, so has that.
    world.append(cancel(1)).await;
    for index in 1..=2 {
        assert_eq!(world.end(index).await.get("status"), Some(json!("CANCELLED")));
    }
    world.nothing_pending().await;
    worker.drain().await;
    assert_eq!(notes.count("begins"), 1);
}

pub(crate) async fn a_cancel_of_another_attempt_or_an_earlier_start_means_nothing(backend: Backend) {
    let world = World::new(backend);
    world.append(cancel(1)).await;
    world.begin("t", 1).await;
    world.append(start("t", 2).with("attempt", 2)).await;
    world.append(cancel(2)).await;
    world.append(start("t", 3).with("part", 1)).await;
    world.append(cancel(3)).await;
    world.append(cancel(4)).await;
    let worker = world.work([Task::echo("t")]).await;
    for index in 1..=3 {
        assert_eq!(world.end(index).await.get("status"), Some(json!("SUCCESS")), "{index}");
    }
    worker.drain().await;
}

pub(crate) async fn what_waits_in_hand_is_cancelled_without_being_begun(backend: Backend) {
    let world = World::new(backend);
    let notes = Notes::default();
    let worker = world.start(worker([slow("t", LONG, &notes).limit(1)])).await;
    world.begin("t", 1).await;
    world.begin("t", 2).await;
    eventually("both are in hand", async || worker.in_hand() == 2).await;
    world.append(cancel(2)).await;
    assert_eq!(world.end(2).await.get("status"), Some(json!("CANCELLED")));
    eventually("one is left", async || worker.in_hand() == 1).await;
    assert_eq!(notes.all(), ["begins 1"]);
}

pub(crate) async fn a_long_task_is_not_run_twice(backend: Backend) {
    let world = World::new(backend);
    let notes = Notes::default();
    let work = || worker([slow("t", LEASE * 3, &notes)]);
    let (one, two) = (world.start(work()).await, world.start(work()).await);
    let began = Instant::now();
    world.begin("t", 1).await;
    world.end(1).await;
    assert!(began.elapsed() >= LEASE * 3);
    assert_eq!(notes.all(), ["begins 1", "ends 1"]);
    world.nothing_pending().await;
    one.drain().await;
    two.drain().await;
}

pub(crate) async fn what_a_silent_worker_had_begins_elsewhere_and_only_its_end_counts(backend: Backend) {
    let world = World::new(backend);
    let (slept, woken) = (Notes::default(), tokio::sync::Semaphore::new(0));
    let woken = std::sync::Arc::new(woken);
    let (notes, wakes) = (slept.clone(), woken.clone());
    let task = Task::new("t", move |_| {
        let (notes, wakes) = (notes.clone(), wakes.clone());
        async move {
            notes.note("begins");
            wakes.acquire().await.unwrap().forget();
            Ok(json!({"by": "the first"}))
        }
    });
    let silent = world.start(worker([task]).receipts()).await;
    let id = world.begin("t", 1).await;
    slept.has("begins", 1).await;
    // What the second worker does when it hears nothing of the first for too long, done to it at once.
    let log = silent.group().log().event_log();
    let other = Consumer::new("workflows:run", "g", "other");
    let claimed = log.claim(&other, Duration::ZERO, 10).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].entry.id, claimed[0].attempt), (1, id, 2));
    woken.add_permits(1);
    eventually("the first has let go", async || silent.in_hand() == 0).await;
    assert!(world.all("end-task").await.is_empty() && world.output(1).await.is_none());
    assert!(world.all("receipt").await.is_empty());
    // And now as the second: it is still its own, and comes to its end once.
    let second = world.start(worker([Task::sync("t", |_| Ok(json!({"by": "another"})))]).receipts()).await;
    assert_eq!(world.end(1).await.get("output"), Some(json!({"by": "another"})));
    world.nothing_pending().await;
    assert_eq!(world.all("receipt").await.len(), 1);
    second.drain().await;
    silent.drain().await;
}

pub(crate) async fn what_no_worker_lives_to_end_is_a_dead_letter_and_a_failure(backend: Backend) {
    let world = World::new(backend);
    let group = world.log.group("g");
    group.create().await.unwrap();
    world.append(start("t", 1).with("attempt", 2)).await;
    world.begin("t", 2).await;
    let log = world.log.event_log();
    let dying = Consumer::new("workflows:run", "g", "dying");
    assert_eq!(log.read(&dying, 1).await.unwrap().len(), 1);
    assert_eq!(log.claim(&dying, Duration::ZERO, 1).await.unwrap()[0].attempt, 2);
    assert_eq!(log.read(&dying, 1).await.unwrap()[0].attempt, 1);
    let notes = Notes::default();
    let worker = world.start(worker([slow("t", Duration::ZERO, &notes)]).attempts(2).receipts()).await;
    let end = world.end(1).await;
    let reason = "it was begun 2 times by workers that did not live to end it";
    assert_eq!((end.get("status"), end.get("reason")), (Some(json!("FAILURE")), Some(json!(reason))));
    assert_eq!(end.get("attempt"), Some(json!(2)));
    // One more time is within the limit.
    assert_eq!(world.end(2).await.get("status"), Some(json!("SUCCESS")));
    world.nothing_pending().await;
    worker.drain().await;
    assert_eq!(notes.count("begins 1"), 0);
    assert_eq!(world.all("receipt").await.len(), 2);
    let dead = world.dead().await;
    let letter = dead[0].get("dead").unwrap();
    assert_eq!((dead.len(), &letter["reason"], &letter["attempts"]), (1, &json!(reason), &json!(2)));
    assert_eq!(dead[0].get("name"), Some(json!("t")));
}

pub(crate) async fn a_worker_that_is_drained_finishes_what_it_does_and_gives_back_the_rest(backend: Backend) {
    let world = World::new(backend);
    let (notes, others) = (Notes::default(), Notes::default());
    // One at a time, so that the second is in hand and waits.
    let half = Duration::from_millis(500);
    let draining = world.start(worker([slow("t", half, &notes).limit(1)]).concurrency(2)).await;
    for index in 1..=4 {
        world.begin("t", index).await;
    }
    eventually("two are in hand", async || draining.in_hand() == 2).await;
    notes.has("begins 1", 1).await;
    let other = world.start(worker([slow("t", Duration::ZERO, &others)])).await;
    draining.drain().await;
    assert_eq!(notes.all(), ["begins 1", "ends 1"]);
    assert_eq!(world.ends(1).await.len(), 1, "it has ended before the worker left");
    let info = world.log.group("g").info().await.unwrap().unwrap();
    assert_eq!(info.consumers, 1, "{info:?}");
    for index in 2..=4 {
        world.end(index).await;
        assert_eq!(others.count(&format!("ends {index}")), 1);
    }
    world.nothing_pending().await;
    other.drain().await;
}

pub(crate) async fn a_drain_with_a_limit_gives_back_what_is_still_at_work(backend: Backend) {
    let world = World::new(backend);
    let (notes, others) = (Notes::default(), Notes::default());
    let draining = world.start(worker([slow("t", LONG, &notes)]).lease(LONG)).await;
    world.begin("t", 1).await;
    notes.has("begins 1", 1).await;
    assert_eq!(draining.drain_within(Duration::from_millis(50)).await, 1);
    let pending = world.log.group("g").pending(10).await.unwrap();
    assert!(pending.len() == 1 && pending[0].idle > LONG / 2, "{pending:?}");
    // Long before the lease has ended.
    let other = world.start(worker([slow("t", Duration::ZERO, &others)]).lease(LONG)).await;
    world.end(1).await;
    assert_eq!(other.drain_within(LONG).await, 0);
    assert_eq!(notes.all(), ["begins 1"]);
}

pub(crate) async fn a_worker_that_is_dropped_leaves_its_work_to_others(backend: Backend) {
    let world = World::new(backend);
    let (notes, others) = (Notes::default(), Notes::default());
    let dropped = world.work([slow("t", LONG, &notes)]).await;
    world.begin("t", 1).await;
    notes.has("begins 1", 1).await;
    drop(dropped);
    let other = world.start(worker([slow("t", Duration::ZERO, &others)]).lease(LEASE)).await;
    world.end(1).await;
    assert_eq!(others.all(), ["begins 1", "ends 1"]);
    other.drain().await;
}

pub(crate) async fn a_worker_whose_app_has_ended_can_be_drained(backend: Backend) {
    let world = World::new(backend);
    let notes = Notes::default();
    let app = App::with_backend(world.backend.clone());
    let worker = worker([slow("t", Duration::from_millis(300), &notes)]).start(&app).await.unwrap();
    world.begin("t", 1).await;
    notes.has("begins 1", 1).await;
    assert!(app.shutdown(Duration::from_secs(20)).await.is_clean());
    assert_eq!(world.ends(1).await.len(), 1);
    worker.drain().await;
    let info = world.log.group("g").info().await.unwrap().unwrap();
    assert_eq!((info.pending, info.consumers), (0, 0), "{info:?}");
}
