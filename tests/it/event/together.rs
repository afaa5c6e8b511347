//! Transactions over knowledge and logs, which all backends do as one.

use super::conformance::{all, append, log, numbered, numbers};
use super::groups::{LEASE, Order, group, next, nothing_pending};
use futures::future::join_all;
use mape::backend::Backend;
use mape::event::EventId;
use mape::knowledge::{Error, Scope, Transaction};

/// The tests of all claims here: `suite! { backend, fresh backend }`, with `start_paused = true` where no server runs.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), event::together:
            writes_appends_and_acknowledgements_are_one,
            a_condition_that_fails_keeps_everything_undone,
            a_command_that_fails_keeps_events_out_too,
            who_lost_its_lease_commits_nothing,
            many_at_once_are_one_after_the_other,
        }
    };
}
pub(crate) use suite;

pub(crate) async fn writes_appends_and_acknowledgements_are_one(backend: Backend) {
    let (log, k) = (log(&backend), backend.knowledge(Scope::App));
    append(&log, [0]).await;
    let group = group(&log);
    let mut source = group.source::<Order>().await.unwrap();
    let order = next(&mut source).await;
    let (count, name) = (k.value::<i64>("count"), k.value::<String>("name"));
    let step = Transaction::new()
        .expect_absent(name.key())
        .expect_pending(order.consumer(), order.id())
        .incrby(count.key(), 3)
        .set(name.key(), name.data("first").unwrap())
        .append("bills", numbered(1))
        .append("bills", numbered(2))
        .append(log.name(), numbered(3))
        .acknowledge(log.name(), group.name(), order.id());
    let committed = backend.store().commit(step).await.unwrap();
    order.settled();
    assert_eq!((committed.replies.len(), committed.ids.len()), (2, 3));
    assert!(committed.version(name.key()).is_some());
    let bills = backend.events().log("bills");
    let written = all(&bills).await;
    assert_eq!((numbers(&written), written[1].id), (vec![1, 2], committed.ids[1]));
    assert_eq!((count.get().await.unwrap(), name.get().await.unwrap()), (Some(3), Some("first".into())));
    let more = next(&mut source).await;
    assert_eq!((more.n, more.id()), (3, committed.ids[2]));
    more.acknowledge();
    nothing_pending(&group).await;
}

pub(crate) async fn a_condition_that_fails_keeps_everything_undone(backend: Backend) {
    let (log, k) = (log(&backend), backend.knowledge(Scope::App));
    let count = k.value::<i64>("count");
    count.set(&1).await.unwrap();
    let step =
        Transaction::new().expect_absent(count.key()).incrby(count.key(), 1).append(log.name(), numbered(0));
    let error = backend.store().commit(step.clone()).await.unwrap_err();
    let conflict = error.into_conflict().unwrap();
    assert_eq!((conflict.condition, &conflict.key, conflict.transaction), (0, count.key(), step));
    assert_eq!(count.get().await.unwrap(), Some(1));
    assert_eq!(all(&log).await, []);
}

pub(crate) async fn a_command_that_fails_keeps_events_out_too(backend: Backend) {
    let (log, k) = (log(&backend), backend.knowledge(Scope::App));
    let (name, other) = (k.value::<String>("name"), k.value::<u8>("other"));
    name.set("panda").await.unwrap();
    let step = Transaction::new()
        .set(other.key(), other.data(&1).unwrap())
        .incrby(name.key(), 1)
        .append(log.name(), numbered(0));
    assert!(matches!(backend.store().commit(step).await, Err(Error::NotANumber { .. })));
    assert_eq!((other.get().await.unwrap(), all(&log).await), (None, Vec::new()));
}

pub(crate) async fn who_lost_its_lease_commits_nothing(backend: Backend) {
    let (log, k) = (log(&backend), backend.knowledge(Scope::App));
    append(&log, [0]).await;
    let group = group(&log);
    group.create().await.unwrap();
    let slow = mape::event::Consumer::new(log.name(), group.name(), "slow");
    let id = log.event_log().read(&slow, 1).await.unwrap()[0].entry.id;
    let mut source = group.source::<Order>().await.unwrap();
    let order = next(&mut source).await;
    assert_eq!((order.id(), order.attempt()), (id, 2));
    let done = k.value::<String>("done_by");
    let step = |consumer: &mape::event::Consumer| {
        Transaction::new()
            .expect_pending(consumer, id)
            .set(done.key(), done.data(consumer.name.as_str()).unwrap())
            .acknowledge(log.name(), group.name(), id)
    };
    assert!(matches!(backend.store().commit(step(&slow)).await, Err(Error::Conflict(_))));
    backend.store().commit(step(order.consumer())).await.unwrap();
    order.settled();
    assert!(matches!(backend.store().commit(step(order.consumer())).await, Err(Error::Conflict(_))));
    assert_eq!(done.get().await.unwrap().as_deref(), Some(order.consumer().name.as_str()));
    assert!(LEASE > std::time::Duration::ZERO);
}

pub(crate) async fn many_at_once_are_one_after_the_other(backend: Backend) {
    let k = backend.knowledge(Scope::App);
    let count = k.value::<i64>("count");
    let writers = (0..8).map(|_| {
        let (backend, count) = (backend.clone(), count.clone());
        tokio::spawn(async move {
            let mut done = 0;
            while done < 25 {
                let (held, version) = count.get_versioned().await.unwrap();
                let next = held.unwrap_or(0) + 1;
                let step = Transaction::new()
                    .expect_version(count.key(), version)
                    .set(count.key(), count.data(&next).unwrap())
                    .append("counted", numbered(next.unsigned_abs()));
                match backend.store().commit(step).await {
                    Ok(_) => done += 1,
                    Err(Error::Conflict(_)) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(count.get().await.unwrap(), Some(200));
    let counted = backend.events().log("counted").range(EventId::MIN, EventId::MAX, 1000).await.unwrap();
    assert!(numbers(&counted).into_iter().eq(1..=200));
}
