//! What a worker takes, does, and says.

use super::world::{LEASE, Notes, RUN, World, cancel, slow, start, worker};
use crate::suite::eventually;
use mape::backend::Backend;
use mape::event::{Event, EventId};
use mape::prelude::App;
use mape::workflow::{Answer, Invocation, Task, TaskError, Tasks, Time, Worker};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The tests of all claims here: `suite! { backend, fresh backend }`.
macro_rules! suite {
    ($backend:ident, $world:expr) => {
        crate::suite::tests_of! { $backend, $world, (), worker::conformance:
            a_worker_takes_exactly_its_kinds_and_leaves_nothing_pending,
            an_output_is_in_the_end_of_its_task_and_beside_the_run_where_others_look_for_it,
            a_long_output_stands_only_beside_the_run_where_others_look_for_it,
            the_output_of_a_part_is_only_in_the_event,
            an_invocation_is_what_its_event_says,
            a_failure_ends_the_task_at_once_and_says_whether_another_attempt_may_help,
            a_panic_and_an_output_that_is_none_are_failures,
            a_task_that_is_done_elsewhere_is_ended_by_whoever_does_it,
            an_event_that_begins_nothing_goes_to_the_dead_letters_and_harms_nobody,
            a_worker_has_no_more_at_work_than_it_may,
            receipts_come_once_in_the_form_of_the_original_and_only_for_its_own,
            several_workers_share_an_app,
            workers_of_a_group_share_its_work_and_each_task_ends_once,
        }
    };
}
pub(crate) use suite;

pub(crate) async fn a_worker_takes_exactly_its_kinds_and_leaves_nothing_pending(backend: Backend) {
    let world = World::new(backend);
    world.begin("a", 1).await;
    world.begin("other", 2).await;
    world.append(start("alias", 3).with("base", "math:add")).await;
    let worker = world.work([Task::echo("a"), Task::echo("math:*")]).await;
    world.begin("math:sub", 4).await;
    world.begin("mathematics", 5).await;
    world.append(Event::new("end-workflow").with("workflow", RUN).stamped()).await;
    world.begin("a", 6).await;
    for index in [1, 3, 4, 6] {
        assert_eq!(world.end(index).await.get("status"), Some(json!("SUCCESS")));
    }
    assert_eq!(world.end(3).await.get("name"), Some(json!("alias")));
    world.nothing_pending().await;
    assert_eq!(world.all("end-task").await.len(), 4);
    assert!(world.all("receipt").await.is_empty() && world.dead().await.is_empty());
    worker.drain().await;
    assert_eq!(world.log.group("g").info().await.unwrap().unwrap().consumers, 0);
}

pub(crate) async fn an_output_is_in_the_end_of_its_task_and_beside_the_run_where_others_look_for_it(
    backend: Backend,
) {
    let world = World::new(backend);
    let none = Task::sync("none", |_| Ok(()));
    let list = Task::sync("list", |_| Ok(json!([1, "ü"])));
    let _worker = world.work([Task::echo("copy"), none, list]).await;
    world.append(start("copy", 1).with("input", json!({"n": 1}))).await;
    world.append(start("copy", 2)).await;
    world.append(start("none", 3).with("input", json!({"n": 1}))).await;
    world.append(start("list", 4)).await;
    for (index, output) in
        [(1, Some(json!({"n": 1}))), (2, Some(json!({}))), (3, None), (4, Some(json!([1, "ü"])))]
    {
        let end = world.end(index).await;
        assert_eq!((end.get("output"), world.output(index).await), (output.clone(), world.kept(output)));
    }
    let fields: Vec<String> = world.end(1).await.fields().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(fields, ["name", "index", "workflow", "output", "status", "kind", "apiVersion", "at"]);
    assert_eq!(world.end(1).await.get("workflow"), Some(json!(RUN)));
}

pub(crate) async fn a_long_output_stands_only_beside_the_run_where_others_look_for_it(backend: Backend) {
    let world = World::new(backend);
    let _worker = world.work([Task::echo("copy")]).await;
    // {"t":"…"} is eight bytes more.
    for (index, length) in [(1, 4096 - 8), (2, 4097 - 8)] {
        let input = json!({"t": "x".repeat(length)});
        world.append(start("copy", index).with("input", input.clone())).await;
        let end = world.end(index).await;
        assert_eq!(end.has("output"), index == 1 || !world.backend.is_open());
        assert_eq!(world.output(index).await, world.kept(Some(input)));
    }
}

pub(crate) async fn the_output_of_a_part_is_only_in_the_event(backend: Backend) {
    let world = World::new(backend);
    let _worker = world.work([Task::echo("copy")]).await;
    let input = json!({"t": "x".repeat(5000)});
    let event = start("copy", 2).with("input", input.clone()).with("part", 3).with("items", json!([7]));
    world.append(event.with("attempt", 2)).await;
    let end = world.end(2).await;
    assert_eq!(end.get("output"), Some(input));
    assert_eq!((end.get("part"), end.get("attempt")), (Some(json!(3)), Some(json!(2))));
    assert_eq!(world.output(2).await, None);
}

pub(crate) async fn an_invocation_is_what_its_event_says(backend: Backend) {
    let world = World::new(backend);
    let seen: Arc<Mutex<Vec<Invocation>>> = Arc::default();
    let by_task = seen.clone();
    let task = Task::sync("see:*", move |invocation: &Invocation| {
        by_task.lock().push(invocation.clone());
        Ok(())
    });
    let _worker = world.work([task]).await;
    let plain = world.begin("see:a", 2).await;
    let rich = start("alias", 3).with("base", "see:b").with("parameters", json!(["p"]));
    let rich = rich.with("input", json!([{"n": 1}])).with("attempt", 4).with("part", 5);
    world.append(rich.with("items", json!([1, 6])).with("since", 1_700_000_000_123_456_u64)).await;
    world.end(3).await;
    let seen = seen.lock().clone();
    let [one, two] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((one.name(), one.base(), one.index(), one.attempt()), ("see:a", "see:a", 2, 1));
    assert_eq!((one.parameters(), one.input(), one.items()), (&json!({}), &json!({}), &[][..]));
    assert_eq!((one.since(), one.key()), (Time::from_micros(plain.millis * 1000), "m-1/2".to_owned()));
    assert_eq!((two.name(), two.base(), two.index(), two.attempt()), ("alias", "see:b", 3, 4));
    assert_eq!((two.parameters(), two.input()), (&json!(["p"]), &json!([{"n": 1}])));
    assert_eq!((two.items(), two.key()), (&[1, 6][..], "m-1/3.5".to_owned()));
    assert_eq!(two.since(), Time::from_micros(1_700_000_000_123_456));
}

pub(crate) async fn a_failure_ends_the_task_at_once_and_says_whether_another_attempt_may_help(
    backend: Backend,
) {
    let world = World::new(backend);
    let notes = Notes::default();
    let by_task = notes.clone();
    let fails = Task::new("fails", move |invocation: Invocation| {
        by_task.note("called");
        async move {
            let reason = "the shop is closed";
            let again = invocation.parameters()["again"] == json!(true);
            Err::<(), _>(if again { TaskError::new(reason) } else { TaskError::for_good(reason) })
        }
    });
    let _worker = world.work([fails]).await;
    world.append(start("fails", 1).with("parameters", json!({"again": true})).with("attempt", 3)).await;
    world.append(start("fails", 2)).await;
    let (one, two) = (world.end(1).await, world.end(2).await);
    for end in [&one, &two] {
        assert_eq!(end.get("status"), Some(json!("FAILURE")));
        assert_eq!(end.get("reason"), Some(json!("the shop is closed")));
    }
    assert_eq!((one.get("again"), one.get("attempt")), (None, Some(json!(3))));
    assert_eq!((two.get("again"), two.get("attempt")), (Some(json!(false)), None));
    world.nothing_pending().await;
    assert_eq!(notes.count("called"), 2);
    assert!(world.dead().await.is_empty());
}

pub(crate) async fn a_panic_and_an_output_that_is_none_are_failures(backend: Backend) {
    let world = World::new(backend);
    let panics = Task::new("panics", |_| async { if true { panic!("oh") } else { Ok(()) } });
    let sync = Task::sync("at_once", |_| if true { panic!("no") } else { Ok(()) });
    let number = Task::sync("number", |_| Ok(json!(3)));
    let _worker = world.work([panics, sync, number]).await;
    for (index, name, reason) in [
        (1, "panics", "it panicked: oh"),
        (2, "at_once", "it panicked: no"),
        (3, "number", "its output has to be an object or a list, and is the number 3"),
    ] {
        world.begin(name, index).await;
        let end = world.end(index).await;
        assert_eq!((end.get("status"), end.get("reason")), (Some(json!("FAILURE")), Some(json!(reason))));
        assert_eq!(world.output(index).await, None);
    }
    world.nothing_pending().await;
}

pub(crate) async fn a_task_that_is_done_elsewhere_is_ended_by_whoever_does_it(backend: Backend) {
    let world = World::new(backend);
    let later = Task::new("later", |_| async { Ok(Answer::Later) });
    let at_once = Task::sync("later_at_once", |_| Ok(Answer::Later));
    let worker = world.start(worker([later, at_once]).receipts()).await;
    let begun = [world.begin("later", 1).await, world.begin("later_at_once", 2).await];
    eventually("both are receipted", async || world.all("receipt").await.len() == 2).await;
    world.nothing_pending().await;
    eventually("nothing is in hand", async || worker.in_hand() == 0).await;
    let receipts: Vec<_> = world.all("receipt").await.iter().map(|receipt| receipt.get("for")).collect();
    assert!(begun.iter().all(|id| receipts.contains(&Some(json!(id)))), "{receipts:?}");
    assert!(world.all("end-task").await.is_empty());
    worker.drain().await;
}

pub(crate) async fn an_event_that_begins_nothing_goes_to_the_dead_letters_and_harms_nobody(backend: Backend) {
    let world = World::new(backend);
    let _worker = world.work([Task::echo("*")]).await;
    let event = || Event::new("start-task");
    let bad = [
        event(),
        event().with("name", 3),
        event().with("name", "a").with("base", json!([])),
        event().with("name", "a"),
        start("a", 1).with("workflow", Value::Null),
        start("a", 1).with("workflow", ""),
        start("a", 1).with("index", -1),
        start("a", 1).with("index", "1"),
        start("a", 1).with("attempt", 0),
        start("a", 1).with("part", json!({})),
        start("a", 1).with("items", "none"),
        start("a", 1).with("since", "today"),
        start("a", 1).with("input", 3),
    ];
    let count = bad.len();
    for event in bad {
        world.append(event).await;
    }
    world.append(cancel(1).with("index", "one")).await;
    world.append(start("a", 2).with("base", Value::Null).with("input", Value::Null)).await;
    assert_eq!(world.end(2).await.get("status"), Some(json!("SUCCESS")));
    world.nothing_pending().await;
    eventually("all are dead letters", async || world.dead().await.len() == count).await;
    assert_eq!(world.all("end-task").await.len(), 1);
    let dead = world.dead().await[6].get("dead").unwrap();
    let reason = dead["reason"].as_str().unwrap();
    assert!(reason.contains("-1") && dead["group"] == "g" && dead["attempts"] == 1, "{dead}");
}

pub(crate) async fn a_worker_has_no_more_at_work_than_it_may(backend: Backend) {
    let world = World::new(backend);
    let (notes, patient) = (Notes::default(), Notes::default());
    for index in 1..=8 {
        world.begin("t", index).await;
    }
    let long = Duration::from_mins(10);
    let one = world.start(worker([slow("t", long, &notes)]).concurrency(3)).await;
    eventually("three are at work", async || notes.all().len() == 3).await;
    // The others are there for whoever has room, and of those one at a time.
    let short = Duration::from_millis(30);
    let _other = world.start(worker([slow("t", short, &patient).limit(1)]).concurrency(4)).await;
    eventually("the others have ended", async || patient.all().len() == 10).await;
    for pair in patient.all().chunks(2) {
        assert_eq!(pair[0].replace("begins", "ends"), pair[1]);
    }
    assert_eq!((notes.all().len(), one.in_hand()), (3, 3));
}

pub(crate) async fn receipts_come_once_in_the_form_of_the_original_and_only_for_its_own(backend: Backend) {
    let world = World::new(backend);
    let fails = Task::sync("fails", |_| Err::<(), _>(TaskError::new("no")));
    let worker = world.start(worker([Task::echo("copy"), fails]).receipts()).await;
    let mut own = vec![world.begin("copy", 1).await, world.begin("fails", 2).await];
    world.begin("other", 3).await;
    world.append(Event::new("start-workflow").with("workflow", RUN)).await;
    own.push(world.append(start("copy", 4).with("index", "four")).await);
    world.nothing_pending().await;
    eventually("all have ended", async || world.all("receipt").await.len() >= 3).await;
    worker.drain().await;
    let receipts = world.all("receipt").await;
    let mut receipted: Vec<EventId> =
        receipts.iter().map(|r| r.get("for").unwrap().as_str().unwrap().parse().unwrap()).collect();
    receipted.sort();
    assert_eq!(receipted, own);
    let fields =
        |receipt: &Event| receipt.fields().map(|(name, json)| format!("{name}={json}")).collect::<Vec<_>>();
    let first = receipts.iter().find(|receipt| receipt.get("for") == Some(json!(own[0]))).unwrap();
    let (fields, id) = (fields(first), own[0]);
    let expected = [format!("for=\"{id}\""), "action=\"processed\"".into(), "kind=\"receipt\"".into()];
    assert_eq!((&fields[..3], &*fields[3], fields.len()), (&expected[..], "apiVersion=\"v1\"", 5));
}

pub(crate) async fn several_workers_share_an_app(backend: Backend) {
    let world = World::new(backend);
    let app = App::with_backend(world.backend.clone());
    let mut workers = Vec::new();
    for (group, index) in [("wait", 1), ("request", 2), ("redis:special", 3)] {
        let tasks = Tasks::new().with(Task::echo(&format!("{group}:*")));
        workers.push(Worker::new(group, tasks).start(&app).await.unwrap());
        world.begin(&format!("{group}:x"), index).await;
    }
    for index in 1..=3 {
        world.end(index).await;
    }
    let taken = Worker::new("wait", Tasks::new()).start(&app).await.unwrap_err();
    assert!(taken.to_string().contains("worker_wait"), "{taken}");
    for worker in workers {
        worker.drain().await;
    }
    assert!(app.loops().is_empty());
    let again = Worker::new("wait", Tasks::new().with(Task::echo("wait:*"))).start(&app).await.unwrap();
    world.begin("wait:x", 4).await;
    world.end(4).await;
    again.drain().await;
}

pub(crate) async fn workers_of_a_group_share_its_work_and_each_task_ends_once(backend: Backend) {
    const TASKS: u32 = 300;
    let world = World::new(backend);
    let mut workers = Vec::new();
    for _ in 0..3 {
        workers.push(world.start(worker([Task::echo("t")]).concurrency(8).lease(LEASE)).await);
    }
    let all = (1..=TASKS).map(|index| start("t", index).with("input", json!({"n": index}))).collect();
    world.log.append_all(all).await.unwrap();
    eventually("all have ended", async || world.all("end-task").await.len() >= TASKS as usize).await;
    world.nothing_pending().await;
    let mut ended: Vec<_> =
        world.all("end-task").await.iter().map(|end| end.get("index").unwrap().as_u64()).collect();
    ended.sort_unstable();
    assert_eq!(ended, (1..=u64::from(TASKS)).map(Some).collect::<Vec<_>>());
    for worker in workers {
        worker.drain().await;
    }
}
