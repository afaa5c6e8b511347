//! What every log does with groups: leases, attempts, dead letters, trimming.

use super::conformance::{all, append, log, numbered, numbers};
use crate::suite::eventually;
use futures::StreamExt;
use mape::backend::Backend;
use mape::event::{Consumer, Delivery, Error, Event, EventId, EventSource, Group, GroupName, Log, Retention};
use mape::prelude::App;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The tests of all claims here: `suite! { backend, fresh backend }`, with `start_paused = true` where no server runs.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), event::groups:
            every_group_gets_all_events_and_its_consumers_share_them,
            a_group_begins_where_it_is_told,
            a_waiting_consumer_gets_what_comes_at_once,
            what_a_silent_consumer_left_goes_to_another,
            a_long_job_is_not_run_twice,
            what_is_given_back_comes_again_after_its_pause,
            a_delivery_that_is_dropped_comes_again,
            what_fails_too_often_goes_to_the_dead_letters_and_the_stream_goes_on,
            what_is_buried_goes_to_the_dead_letters_at_once,
            other_kinds_are_acknowledged_unseen_and_nothing_stays_pending,
            an_event_of_another_form_is_reported_and_goes_to_the_dead_letters,
            trimming_never_removes_what_a_group_has_not_acknowledged,
            deleting_leaves_what_a_group_has_not_acknowledged,
            lag_and_pending_are_numbers,
            a_group_is_moved_forward_and_back_and_the_log_is_trimmed_behind_it,
            a_consumer_that_ends_leaves_the_group_and_what_it_had,
            what_a_source_asked_for_before_it_went_falls_to_others_before_its_lease_ends,
            other_kinds_that_a_source_has_not_looked_at_are_acknowledged_when_it_goes,
            a_group_that_does_not_exist_is_named,
            a_removed_group_is_made_again_by_its_sources,
            receipts_come_with_the_acknowledgement,
            a_consumer_takes_no_more_than_it_may_have_in_hand,
            a_consumer_that_comes_back_under_its_name_goes_on_with_what_it_had,
            what_an_answer_that_never_arrived_delivered_is_not_forgotten,
            only_its_consumer_settles_an_event,
            an_event_that_stands_twice_in_what_is_settled_is_settled_once,
            elements_read_acknowledge_and_append,
        }
    };
}
pub(crate) use suite;

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Order {
    pub(crate) n: u64,
}

/// Short enough for a test that waits for it on a server, long enough for a loaded machine.
pub(crate) const LEASE: Duration = Duration::from_millis(900);

pub(crate) fn group(log: &Log) -> Group {
    log.group("baristas").lease(LEASE).backoff(mape::stream::Backoff::constant(Duration::from_millis(20)))
}

pub(crate) async fn next(source: &mut EventSource<Order>) -> Delivery<Order> {
    timeout(Duration::from_secs(20), source.next()).await.expect("in time").unwrap().unwrap()
}

async fn nothing_comes(source: &mut EventSource<Order>, within: Duration) {
    let came = timeout(within, source.next()).await;
    assert!(came.is_err(), "{came:?}");
}

pub(crate) async fn nothing_pending(group: &Group) {
    eventually("nothing is pending", async || group.pending(10).await.unwrap().is_empty()).await;
}

pub(crate) async fn every_group_gets_all_events_and_its_consumers_share_them(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..100).await;
    let mut seen = Vec::new();
    let one = group(&log).in_hand(10.try_into().unwrap());
    let (mut a, mut b) = (one.source::<Order>().await.unwrap(), one.source::<Order>().await.unwrap());
    assert_ne!(a.consumer().name, b.consumer().name);
    for _ in 0..50 {
        for source in [&mut a, &mut b] {
            let order = next(source).await;
            seen.push(order.n);
            order.acknowledged().await.unwrap();
        }
    }
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 100);
    let mut other = log.group("cashiers").source::<Order>().await.unwrap();
    for n in 0..100 {
        let order = next(&mut other).await;
        assert_eq!((order.n, order.attempt()), (n, 1));
        order.acknowledge();
    }
    nothing_pending(&one).await;
    nothing_pending(&log.group("cashiers")).await;
}

pub(crate) async fn a_group_begins_where_it_is_told(backend: Backend) {
    let log = log(&backend);
    let ids = append(&log, 0..3).await;
    let starts = [(EventId::MIN, 0), (ids[0], 1), (ids[2], 3), (EventId::MAX, 3)];
    let mut sources = Vec::new();
    for (number, (after, first)) in starts.into_iter().enumerate() {
        let group = log.group(format!("g{number}")).after(after);
        sources.push((group.source::<Order>().await.unwrap(), first));
        // It exists now, and stays where it is.
        assert!(!group.after(EventId::MAX).create().await.unwrap());
    }
    append(&log, [3]).await;
    for (source, first) in &mut sources {
        for n in *first..=3 {
            let order = next(source).await;
            assert_eq!(order.n, n);
            order.acknowledge();
        }
    }
}

pub(crate) async fn a_waiting_consumer_gets_what_comes_at_once(backend: Backend) {
    // rqse naps for up to ten seconds when it is idle.
    let log = log(&backend);
    let mut source = group(&log).source::<Order>().await.unwrap();
    nothing_comes(&mut source, Duration::from_millis(300)).await;
    append(&log, [7]).await;
    let order = timeout(Duration::from_secs(2), source.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(order.n, 7);
    order.acknowledged().await.unwrap();
}

/// A consumer that takes an event and is never heard of again.
async fn silent(group: &Group) -> (Consumer, EventId) {
    group.create().await.unwrap();
    let consumer = Consumer::new(group.log().name(), group.name(), "silent");
    let taken = group.log().event_log().read(&consumer, 1).await.unwrap();
    assert_eq!((taken.len(), taken[0].attempt), (1, 1));
    (consumer, taken[0].entry.id)
}

pub(crate) async fn what_a_silent_consumer_left_goes_to_another(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..2).await;
    let group = group(&log);
    let (_, id) = silent(&group).await;
    let mut source = group.source::<Order>().await.unwrap();
    let fresh = next(&mut source).await;
    assert_eq!((fresh.n, fresh.attempt()), (1, 1));
    fresh.acknowledge();
    let left = next(&mut source).await;
    assert_eq!((left.n, left.id(), left.attempt()), (0, id, 2));
    left.acknowledged().await.unwrap();
    nothing_pending(&group).await;
}

pub(crate) async fn a_long_job_is_not_run_twice(backend: Backend) {
    // rqse lets any second consumer take what is not acknowledged within a minute.
    let log = log(&backend);
    append(&log, [0]).await;
    let group = group(&log);
    let (mut one, mut other) = (group.source().await.unwrap(), group.source().await.unwrap());
    let order = next(&mut one).await;
    nothing_comes(&mut other, LEASE * 3).await;
    let pending = group.pending(10).await.unwrap();
    assert_eq!((pending.len(), pending[0].attempts), (1, 1));
    assert_eq!(pending[0].consumer, one.consumer().name);
    assert!(pending[0].idle < LEASE, "{:?}", pending[0].idle);
    order.acknowledged().await.unwrap();
    nothing_comes(&mut other, LEASE).await;
}

pub(crate) async fn what_is_given_back_comes_again_after_its_pause(backend: Backend) {
    let log = log(&backend);
    append(&log, [0]).await;
    let mut source = group(&log).source().await.unwrap();
    next(&mut source).await.give_back(Some(LEASE / 2));
    nothing_comes(&mut source, LEASE / 5).await;
    let order = next(&mut source).await;
    assert_eq!((order.n, order.attempt()), (0, 2));
    order.acknowledged().await.unwrap();
}

pub(crate) async fn a_delivery_that_is_dropped_comes_again(backend: Backend) {
    let log = log(&backend);
    append(&log, [0]).await;
    let mut source = group(&log).lease(Duration::from_mins(1)).source().await.unwrap();
    let order = next(&mut source).await;
    drop(order.clone());
    nothing_comes(&mut source, Duration::from_millis(100)).await;
    drop(order);
    // Not only when the lease has ended.
    let order = timeout(Duration::from_secs(10), source.next()).await.unwrap().unwrap().unwrap();
    assert_eq!((order.n, order.attempt()), (0, 2));
    order.acknowledged().await.unwrap();
}

pub(crate) async fn what_fails_too_often_goes_to_the_dead_letters_and_the_stream_goes_on(backend: Backend) {
    // In rqse a poisoned message comes back for ever, with a pause of ten seconds each time.
    let log = log(&backend);
    let id = log.append(numbered(13)).await.unwrap();
    let group = group(&log).attempts(3);
    let mut source = group.source::<Order>().await.unwrap();
    for attempt in 1..=3 {
        let order = next(&mut source).await;
        assert_eq!((order.n, order.attempt()), (13, attempt));
    }
    let dead = timeout(Duration::from_secs(20), source.next()).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(&dead, Error::Dead { id: of, attempts: 3, .. } if *of == id), "{dead}");
    append(&log, [14]).await;
    let order = next(&mut source).await;
    assert_eq!(order.n, 14);
    order.acknowledge();
    nothing_pending(&group).await;
    let letters = all(&log.dead_letters()).await;
    let letter = letters[0].event.as_ref().unwrap();
    assert_eq!(
        (letters.len(), letter.get("n"), letter.kind().as_deref()),
        (1, Some(json!(13)), Some("order"))
    );
    let dead = letter.get("dead").unwrap();
    assert_eq!(
        (&dead["log"], &dead["group"], &dead["id"]),
        (&json!("orders"), &json!("baristas"), &json!(id.to_string()))
    );
    assert_eq!(dead["reason"], "it failed 3 times");
}

pub(crate) async fn what_is_buried_goes_to_the_dead_letters_at_once(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..2).await;
    let group = group(&log);
    let mut source = group.source().await.unwrap();
    next(&mut source).await.bury("no such drink");
    next(&mut source).await.acknowledge();
    nothing_pending(&group).await;
    let letters = all(&log.dead_letters()).await;
    let dead = letters[0].event.as_ref().unwrap().get("dead").unwrap();
    assert_eq!((letters.len(), &dead["reason"], &dead["attempts"]), (1, &json!("no such drink"), &json!(1)));
}

pub(crate) async fn other_kinds_are_acknowledged_unseen_and_nothing_stays_pending(backend: Backend) {
    // rqse's task listeners never acknowledge what is not theirs.
    let log = log(&backend);
    for n in 0..10 {
        let kind = if n % 5 == 0 { "order" } else { "other" };
        log.append(Event::new(kind).with("n", n)).await.unwrap();
    }
    let group = group(&log).select(["order", "refund"]);
    let mut source = group.source::<Order>().await.unwrap();
    for n in [0, 5] {
        let order = next(&mut source).await;
        assert_eq!(order.n, n);
        order.acknowledge();
    }
    nothing_comes(&mut source, Duration::from_millis(50)).await;
    nothing_pending(&group).await;
}

pub(crate) async fn an_event_of_another_form_is_reported_and_goes_to_the_dead_letters(backend: Backend) {
    let log = log(&backend);
    let id = log.append(Event::new("order").with("n", "many")).await.unwrap();
    append(&log, [1]).await;
    let group = group(&log);
    let mut source = group.source::<Order>().await.unwrap();
    let error = source.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::Decode { id: of, .. } if *of == id), "{error}");
    let text = error.to_string();
    assert!(text.starts_with(&format!("reading event {id} of `orders` as ")), "{text}");
    assert!(text.contains("invalid type: string \"many\", expected u64"), "{text}");
    next(&mut source).await.acknowledge();
    nothing_pending(&group).await;
    assert_eq!(all(&log.dead_letters()).await.len(), 1);
}

pub(crate) async fn trimming_never_removes_what_a_group_has_not_acknowledged(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..500).await;
    let (quick, slow) = (group(&log), log.group("slow").lease(LEASE));
    slow.create().await.unwrap();
    let mut source = quick.source::<Order>().await.unwrap();
    let mut held = Vec::new();
    for _ in 0..500 {
        held.push(next(&mut source).await);
    }
    // Nobody of the slow group has read anything.
    assert_eq!(log.trim(Retention::Entries(0)).await.unwrap(), 0);
    assert!(slow.remove().await.unwrap());
    // The first 350 and the last are acknowledged.
    held.iter().take(350).chain(held.last()).for_each(Delivery::acknowledge);
    eventually("they are acknowledged", async || quick.info().await.unwrap().unwrap().pending == 149).await;
    let removed = log.trim(Retention::Entries(0)).await.unwrap();
    // Redis may leave a part of a block.
    assert!((250..=350).contains(&removed), "{removed}");
    assert!(numbers(&all(&log).await).into_iter().eq(removed..500));
    drop(held);
}

pub(crate) async fn deleting_leaves_what_a_group_has_not_acknowledged(backend: Backend) {
    // rqse's receipts delete an event before other groups have read it.
    let log = log(&backend);
    let ids = append(&log, 0..3).await;
    let group = group(&log);
    let mut source = group.source().await.unwrap();
    let (first, second) = (next(&mut source).await, next(&mut source).await);
    first.acknowledged().await.unwrap();
    log.group("late").create().await.unwrap();
    assert_eq!(log.delete(ids.clone()).await.unwrap(), []);
    log.group("late").remove().await.unwrap();
    assert_eq!(log.delete(ids.clone()).await.unwrap(), [ids[0]]);
    second.acknowledged().await.unwrap();
    assert_eq!(log.delete(ids.clone()).await.unwrap(), [ids[1]]);
    assert_eq!(numbers(&all(&log).await), [2]);
}

pub(crate) async fn lag_and_pending_are_numbers(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..10).await;
    let group = group(&log);
    group.create().await.unwrap();
    let info = async || group.info().await.unwrap().unwrap();
    assert_eq!((info().await.lag, info().await.pending, info().await.consumers), (10, 0, 0));
    let consumer = Consumer::new(log.name(), group.name(), "a");
    let read = log.event_log().read(&consumer, 4).await.unwrap();
    let state = info().await;
    assert_eq!((state.lag, state.pending, state.consumers), (6, 4, 1));
    assert_eq!(state.last_delivered, read[3].entry.id);
    let ids = vec![read[0].entry.id, read[2].entry.id];
    assert_eq!(log.event_log().acknowledge(log.name(), group.name(), ids.clone()).await.unwrap(), 2);
    assert_eq!(log.event_log().acknowledge(log.name(), group.name(), ids).await.unwrap(), 0);
    assert_eq!((info().await.lag, info().await.pending), (6, 2));
    assert_eq!(log.info().await.unwrap().len, 10);
}

pub(crate) async fn a_group_is_moved_forward_and_back_and_the_log_is_trimmed_behind_it(backend: Backend) {
    let log = log(&backend);
    let gone = group(&log).seek(EventId::MIN).await;
    assert!(matches!(gone, Err(Error::NoGroup { .. })), "{gone:?}");
    let ids = append(&log, 0..1000).await;
    let gone = group(&log).seek(EventId::MIN).await;
    assert!(matches!(gone, Err(Error::NoGroup { .. })), "{gone:?}");
    group(&log).create().await.unwrap();
    assert_eq!(log.trim(Retention::Entries(0)).await.unwrap(), 0);

    group(&log).seek(ids[899]).await.unwrap();
    let info = group(&log).info().await.unwrap().unwrap();
    assert_eq!((info.last_delivered, info.lag, info.pending), (ids[899], 100, 0));
    let consumer = Consumer::new("orders", "baristas", "one");
    let read = async |count| {
        let read = log.event_log().read(&consumer, count).await.unwrap();
        numbers(&read.into_iter().map(|delivered| delivered.entry).collect::<Vec<_>>())
    };
    assert_eq!(read(2).await, [900, 901]);
    // Back, and what is pending stays so.
    group(&log).seek(ids[889]).await.unwrap();
    assert_eq!(group(&log).pending(10).await.unwrap().len(), 2);
    assert_eq!(read(1).await, [890]);
    assert_eq!(log.trim(Retention::Entries(0)).await.unwrap(), 890);
    assert_eq!(numbers(&all(&log).await).first(), Some(&890));

    // One that waits hears of it.
    group(&log).seek(EventId::MAX).await.unwrap();
    assert_eq!(group(&log).info().await.unwrap().unwrap().lag, 0);
    let waiting = log.event_log().read(&consumer, 1);
    let (waited, ()) = tokio::join!(timeout(Duration::from_secs(5), waiting), async {
        sleep(Duration::from_millis(50)).await;
        append(&log, [1000]).await;
    });
    let waited: Vec<_> = waited.unwrap().unwrap().into_iter().map(|delivered| delivered.entry).collect();
    assert_eq!(numbers(&waited), [1000]);
}

pub(crate) async fn a_consumer_that_ends_leaves_the_group_and_what_it_had(backend: Backend) {
    // rqse leaves every consumer that ever was on the group's list.
    let log = log(&backend);
    append(&log, 0..3).await;
    let group = group(&log).lease(Duration::from_mins(1));
    let mut source = group.source::<Order>().await.unwrap();
    next(&mut source).await.acknowledge();
    let held = next(&mut source).await;
    drop(source);
    drop(held);
    let mut other = group.source::<Order>().await.unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        let order = next(&mut other).await;
        seen.insert(order.n);
        order.acknowledged().await.unwrap();
    }
    assert_eq!(seen, [1, 2].into());
    drop(other);
    let empty = async || {
        let info = group.info().await.unwrap().unwrap();
        (info.pending, info.lag) == (0, 0) && info.consumers <= 1
    };
    eventually("the consumers have left", empty).await;
}

pub(crate) async fn what_a_source_asked_for_before_it_went_falls_to_others_before_its_lease_ends(
    backend: Backend,
) {
    let log = log(&backend);
    append(&log, 0..600).await;
    let lease = Duration::from_mins(2);
    let group = group(&log).lease(lease);
    let started = Instant::now();
    let mut source = group.source::<Order>().await.unwrap();
    // It has asked for more by the time half of the first ones are worked on.
    for _ in 0..200 {
        next(&mut source).await.acknowledged().await.unwrap();
    }
    drop(source);
    let mut other = group.source::<Order>().await.unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < 400 {
        let order = next(&mut other).await;
        seen.insert(order.n);
        order.acknowledge();
    }
    assert_eq!(seen, (200..600).collect());
    assert!(started.elapsed() < lease, "it took as long as a lease");
}

pub(crate) async fn other_kinds_that_a_source_has_not_looked_at_are_acknowledged_when_it_goes(
    backend: Backend,
) {
    let log = log(&backend);
    append(&log, [0]).await;
    log.append_all(vec![Event::new("refund"); 5]).await.unwrap();
    append(&log, [1]).await;
    log.append_all(vec![Event::new("refund"); 5]).await.unwrap();
    let group = group(&log).select(["order"]);
    let mut source = group.source::<Order>().await.unwrap();
    next(&mut source).await.acknowledge();
    drop(source);
    eventually("only the other order is pending", async || {
        let pending = group.pending(20).await.unwrap();
        pending.len() == 1
    })
    .await;
    let mut source = group.source::<Order>().await.unwrap();
    let other = next(&mut source).await;
    // Nobody had begun it.
    assert_eq!((other.n, other.attempt()), (1, 1));
    other.acknowledge();
    nothing_pending(&group).await;
}

pub(crate) async fn a_group_that_does_not_exist_is_named(backend: Backend) {
    let log = log(&backend);
    append(&log, [0]).await;
    let consumer = Consumer::new(log.name(), "nobody", "a");
    let error = log.event_log().read(&consumer, 1).await.unwrap_err();
    assert!(matches!(&error, Error::NoGroup { group, .. } if *group == GroupName::from("nobody")));
    assert_eq!(error.to_string(), "reading `orders`: it has no group `nobody`; create the group first");
    assert!(log.group("nobody").info().await.unwrap().is_none());
    assert!(!log.group("nobody").remove().await.unwrap());
}

pub(crate) async fn a_removed_group_is_made_again_by_its_sources(backend: Backend) {
    let log = log(&backend);
    let group = group(&log);
    let mut source = group.source::<Order>().await.unwrap();
    nothing_comes(&mut source, Duration::from_millis(100)).await;
    assert!(log.remove().await.unwrap());
    append(&log, [5]).await;
    let order = next(&mut source).await;
    assert_eq!(order.n, 5);
    order.acknowledged().await.unwrap();
}

pub(crate) async fn receipts_come_with_the_acknowledgement(backend: Backend) {
    // rqse's workers send them before the work is done.
    let log = log(&backend);
    let id = append(&log, [0]).await[0];
    let group = group(&log).select(["order"]).receipts();
    let mut source = group.source::<Order>().await.unwrap();
    let order = next(&mut source).await;
    assert_eq!(log.info().await.unwrap().len, 1);
    order.acknowledged().await.unwrap();
    nothing_comes(&mut source, Duration::from_millis(50)).await;
    nothing_pending(&group).await;
    let receipt = all(&log).await[1].event.clone().unwrap();
    assert_eq!(
        (receipt.kind().as_deref(), receipt.get("for")),
        (Some("receipt"), Some(json!(id.to_string())))
    );
    assert_eq!(receipt.get("action"), Some(json!("processed")));
}

pub(crate) async fn a_consumer_takes_no_more_than_it_may_have_in_hand(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..10).await;
    let group = group(&log).in_hand(3.try_into().unwrap());
    let mut source = group.source().await.unwrap();
    let mut held = vec![next(&mut source).await, next(&mut source).await, next(&mut source).await];
    nothing_comes(&mut source, LEASE * 2).await;
    assert_eq!(group.info().await.unwrap().unwrap().lag, 7);
    held.remove(1).acknowledge();
    assert_eq!(next(&mut source).await.n, 3);
}

pub(crate) async fn a_consumer_that_comes_back_under_its_name_goes_on_with_what_it_had(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..2).await;
    let group = group(&log).lease(Duration::from_mins(1));
    let (consumer, id) = silent(&group).await;
    let mut source = group.consumer(&consumer.name).source::<Order>().await.unwrap();
    let order = next(&mut source).await;
    assert_eq!((order.id(), order.attempt()), (id, 2));
    order.acknowledge();
    next(&mut source).await.acknowledged().await.unwrap();
}

pub(crate) async fn what_an_answer_that_never_arrived_delivered_is_not_forgotten(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..4).await;
    group(&log).create().await.unwrap();
    let consumer = Consumer::new(log.name(), "baristas", "a");
    let known = log.event_log().read(&consumer, 2).await.unwrap();
    let lost = log.event_log().read(&consumer, 1).await.unwrap();
    let known = known.iter().map(|delivered| delivered.entry.id).collect();
    let found = log.event_log().forgotten(&consumer, known).await.unwrap();
    assert_eq!((found.len(), &found[0].entry, found[0].attempt), (1, &lost[0].entry, 2));
}

pub(crate) async fn an_event_that_stands_twice_in_what_is_settled_is_settled_once(backend: Backend) {
    let (log, receipts) = (log(&backend), backend.events().log("receipts"));
    append(&log, [0, 1]).await;
    group(&log).create().await.unwrap();
    let (raw, consumer) = (log.event_log(), Consumer::new(log.name(), "baristas", "a"));
    let ids: Vec<_> = raw.read(&consumer, 2).await.unwrap().iter().map(|held| held.entry.id).collect();
    let settling = |id: EventId| (id, vec![(receipts.name().clone(), Event::receipt(id, "processed"))]);
    let settled = raw.settle_all(&consumer, [ids[0], ids[0], ids[1]].map(settling).into()).await.unwrap();
    assert_eq!(settled, [true, false, true]);
    assert_eq!(receipts.info().await.unwrap().len, 2);
    nothing_pending(&group(&log)).await;
}

pub(crate) async fn only_its_consumer_settles_an_event(backend: Backend) {
    let log = log(&backend);
    append(&log, [0]).await;
    let group = group(&log);
    let (silent, id) = silent(&group).await;
    let keeper = log.event_log();
    let other = Consumer::new(log.name(), group.name(), "other");
    let done = || vec![(log.name().clone(), Event::new("done"))];
    assert!(!keeper.settle(&other, id, done()).await.unwrap());
    assert_eq!(keeper.set_idle(&other, vec![id], LEASE).await.unwrap(), []);
    assert_eq!(keeper.set_idle(&silent, vec![id], LEASE).await.unwrap(), [id]);
    let claimed = keeper.claim(&other, LEASE, 10).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].attempt), (1, 2));
    assert_eq!(keeper.set_idle(&silent, vec![id], LEASE).await.unwrap(), []);
    assert!(!keeper.settle(&silent, id, done()).await.unwrap());
    assert_eq!(all(&log).await.len(), 1);
    assert!(keeper.settle(&other, id, done()).await.unwrap());
    assert!(!keeper.settle(&other, id, done()).await.unwrap());
    assert_eq!(all(&log).await.len(), 2);
}

pub(crate) async fn elements_read_acknowledge_and_append(backend: Backend) {
    let app = App::with_backend(backend.clone());
    let bar = app.create_loop("bar").unwrap();
    let log = log(&backend);
    append(&log, 0..500).await;
    let served = Arc::new(AtomicU64::new(0));
    let counter = served.clone();
    let serve = bar
        .execute("serve")
        .map(move |order: Delivery<Order>| {
            counter.fetch_add(1, Ordering::Relaxed);
            order.acknowledge();
            json!({"n": order.n * 2})
        })
        .spawn()
        .unwrap();
    let bills = backend.events().log("bills");
    serve.link_sink(bills.sink("bill"), mape::prelude::LinkOptions::new()).unwrap();
    let group = group(&log);
    let orders = group.source::<Order>().await.unwrap();
    serve.feed(orders.filter_map(async |order| order.ok()).boxed());
    eventually("all bills are written", async || bills.info().await.unwrap().len == 500).await;
    assert!(numbers(&all(&bills).await).into_iter().eq((0..500).map(|n| n * 2)));
    assert_eq!(served.load(Ordering::Relaxed), 500);
    nothing_pending(&group).await;
    assert!(app.shutdown(Duration::from_secs(5)).await.is_clean());
    sleep(Duration::from_millis(1)).await;
}
