//! What is there when a directory is opened again.

use super::crash::{act, dump};
use super::{fresh_dir, open};
use crate::suite::eventually;
use futures::StreamExt;
use mape::backend::Backend;
use mape::event::{Consumer, Event, EventId, Retention};
use mape::knowledge::{
    End, Error, Filter, ListCommand, Notice, Operation, Pop, Scope, Transaction, ValueCommand,
};
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Closed by dropping it, as a program does that just ends.
async fn reopened(backend: Backend, dir: &Path) -> Backend {
    drop(backend);
    open(dir).await
}

#[tokio::test]
async fn closed_and_opened_at_any_point_it_goes_on_as_if_nothing_had_been() {
    let (dir, model) = (fresh_dir(), Backend::memory());
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut kept = open(&dir).await;
    for n in 0..600 {
        act(&kept, seed, 0, n).await;
        act(&model, seed, 0, n).await;
        if random.u8(..20) == 0 {
            if random.bool() {
                kept = reopened(kept, &dir).await;
            } else {
                kept.close().await;
                kept = open(&dir).await;
            }
            assert_eq!(dump(&kept, 0).await, dump(&model, 0).await, "after {n}");
        }
    }
}

#[tokio::test]
async fn keys_cease_at_their_time_also_if_nobody_had_the_directory_open() {
    let dir = fresh_dir();
    let backend = open(&dir).await;
    let k = backend.knowledge(Scope::App);
    let begun = Instant::now();
    k.value::<u8>("soon").set_for(&1, Duration::from_millis(300)).await.unwrap();
    k.set::<u8>("later").add(&2).await.unwrap();
    k.set::<u8>("later").expire(Duration::from_millis(900)).await.unwrap();
    k.value::<u8>("kept").set_for(&3, Duration::from_secs(1)).await.unwrap();
    k.value::<u8>("kept").persist().await.unwrap();
    k.value::<u8>("far").set_for(&4, Duration::MAX).await.unwrap();
    drop(k);
    drop(backend);
    sleep(Duration::from_millis(350)).await;
    let k = open(&dir).await.knowledge(Scope::App);
    let mut ceased = k.watch(Filter::key("later").operations([Operation::Expired])).await.unwrap();
    assert!(!k.keyspace().exists("soon").await.unwrap());
    let left = k.set::<u8>("later").time_to_live().await.unwrap();
    assert!(left.is_none_or(|left| left < Duration::from_millis(600)), "{left:?}");
    assert!(timeout(Duration::from_secs(5), ceased.next()).await.is_ok());
    assert!(begun.elapsed() >= Duration::from_millis(895));
    assert_eq!(k.value::<u8>("kept").get().await.unwrap(), Some(3));
    assert_eq!(k.value::<u8>("kept").time_to_live().await.unwrap(), None);
    assert_eq!(k.value::<u8>("far").get().await.unwrap(), Some(4));
}

#[tokio::test]
async fn a_key_that_came_again_after_it_had_ceased_has_nothing_of_the_former() {
    let dir = fresh_dir();
    let backend = open(&dir).await;
    let hash = backend.knowledge(Scope::App).hash::<String, u8>("h");
    hash.extend([("old".to_owned(), 1), ("older".to_owned(), 2)]).await.unwrap();
    hash.expire(Duration::ZERO).await.unwrap();
    hash.insert("new", &3).await.unwrap();
    drop(hash);
    let hash = reopened(backend, &dir).await.knowledge(Scope::App).hash::<String, u8>("h");
    assert_eq!(hash.all::<Vec<_>>().await.unwrap(), [("new".to_owned(), 3)]);
    assert_eq!(hash.time_to_live().await.unwrap(), None);
}

#[tokio::test]
async fn places_in_a_log_do_not_repeat_when_all_was_removed_and_the_directory_opened_again() {
    let dir = fresh_dir();
    let backend = open(&dir).await;
    let log = backend.events().log("orders");
    let last = log.append_all(vec![Event::new("a"); 5]).await.unwrap()[4];
    assert_eq!(backend.event_log().trim(&"orders".into(), Retention::Entries(0)).await.unwrap(), 5);
    drop(log);
    let log = reopened(backend, &dir).await.events().log("orders");
    assert_eq!((log.info().await.unwrap().len, log.info().await.unwrap().last), (0, last));
    assert!(log.append(Event::new("b")).await.unwrap() > last);
}

#[tokio::test]
async fn a_version_from_before_never_stands_for_what_is_there_after() {
    let dir = fresh_dir();
    let mut backend = open(&dir).await;
    let mut seen = Vec::new();
    for round in 0..20_u32 {
        let value = backend.knowledge(Scope::App).value::<u32>("v");
        value.set(&round).await.unwrap();
        let (_, version) = value.get_versioned().await.unwrap();
        for former in &seen {
            let stale = Transaction::new().expect_version(value.key(), *former).set(value.key(), "0");
            let result = backend.store().commit(stale).await;
            assert!(matches!(result, Err(Error::Conflict(_))), "{result:?}");
        }
        seen.push(version);
        drop(value);
        backend = reopened(backend, &dir).await;
    }
}

#[tokio::test]
async fn who_has_an_event_how_often_it_came_and_how_long_it_is_idle_survives() {
    let dir = fresh_dir();
    let backend = open(&dir).await;
    let consumer = Consumer::new("orders", "group", "one");
    let events = backend.event_log();
    events.append(&consumer.log, vec![Event::new("a"); 3]).await.unwrap();
    events.create_group(&consumer.log, &consumer.group, EventId::MIN).await.unwrap();
    let read = events.read(&consumer, 2).await.unwrap();
    events.forgotten(&consumer, vec![read[1].entry.id]).await.unwrap();
    events.set_idle(&consumer, vec![read[1].entry.id], Duration::from_hours(1)).await.unwrap();
    drop(events);
    let events = reopened(backend, &dir).await.event_log();
    let pending = events.pending(&consumer.log, &consumer.group, EventId::MIN, 9).await.unwrap();
    let [first, second] = &pending[..] else { panic!("{pending:?}") };
    assert_eq!((first.attempts, second.attempts), (2, 1));
    assert_eq!((&first.consumer, &second.consumer), (&consumer.name, &consumer.name));
    assert!(first.idle < Duration::from_mins(1), "{first:?}");
    assert!(second.idle >= Duration::from_hours(1), "{second:?}");
    assert_eq!(events.read(&consumer, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_nobody_waited_for_is_kept_when_the_last_handle_goes() {
    let dir = fresh_dir();
    let backend = open(&dir).await;
    for n in 0..100 {
        let key = format!("k.app.{n}").as_str().into();
        drop(backend.store().run(&key, ValueCommand::Set { value: n.into(), expiry: None }.into()));
    }
    let backend = reopened(backend, &dir).await;
    assert_eq!(backend.knowledge(Scope::App).keyspace().names("*").await.unwrap().len(), 100);
}

#[tokio::test]
async fn an_item_whose_taker_went_while_it_was_being_kept_is_still_there() {
    let dir = fresh_dir();
    let backend = open(&dir).await;
    let queue = backend.knowledge(Scope::App).queue::<u32>("q");
    queue.extend(&[1, 2, 3]).await.unwrap();
    for _ in 0..20 {
        let mut taking = backend.store().pop(queue.key(), Pop::Front);
        if let std::task::Poll::Ready(taken) = futures::poll!(&mut taking) {
            // Kept sooner than it could be dropped.
            let back = ListCommand::Push(End::Front, taken.unwrap().item.into());
            backend.store().run(queue.key(), back.into()).await.unwrap();
        }
    }
    drop(queue);
    let queue = reopened(backend, &dir).await.knowledge(Scope::App).queue::<u32>("q");
    for n in 1..=3 {
        assert_eq!(queue.try_pop().await.unwrap(), Some(n));
    }
}

#[tokio::test]
async fn closing_ends_what_others_do_with_their_handles_and_says_so() {
    let dir = fresh_dir();
    let backend = open(&dir).await;
    let k = backend.knowledge(Scope::App);
    let (value, queue) = (k.value::<u8>("v"), k.queue::<u8>("q"));
    value.set(&1).await.unwrap();
    let changes = k.watch(Filter::all()).await.unwrap();
    let heard = backend.channels().subscribe("*").await.unwrap();
    let following = backend.event_log().follow(&"log".into(), EventId::MIN, 1);
    let consumer = Consumer::new("log", "g", "c");
    backend.event_log().create_group(&consumer.log, &consumer.group, EventId::MIN).await.unwrap();
    let reading = tokio::spawn(backend.event_log().read(&consumer, 1));
    let taking = tokio::spawn(async move { queue.pop().await });
    let is_waiting = async || !taking.is_finished() && !reading.is_finished();
    eventually("they wait", is_waiting).await;
    sleep(Duration::from_millis(20)).await;
    backend.clone().close().await;

    assert_eq!(value.get().await.unwrap(), Some(1));
    let refused = value.set(&2).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused:?}");
    assert!(
        std::error::Error::source(&refused).unwrap().to_string().contains("is closed; nothing was changed")
    );
    assert_eq!((changes.count().await, heard.count().await), (0, 0));
    assert!(timeout(Duration::from_secs(5), taking).await.unwrap().unwrap().is_err());
    assert!(timeout(Duration::from_secs(5), reading).await.unwrap().unwrap().is_err());
    drop(following);
    // The directory is free although there are handles.
    let next = open(&dir).await;
    assert_eq!(next.knowledge(Scope::App).value::<u8>("v").get().await.unwrap(), Some(1));
    let mut changes = next.knowledge(Scope::App).watch(Filter::all()).await.unwrap();
    next.knowledge(Scope::App).value::<u8>("v").set(&3).await.unwrap();
    assert!(matches!(changes.next().await, Some(Notice::Change(_))));
}
