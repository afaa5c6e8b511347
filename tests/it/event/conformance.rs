//! What every log does, group or not.

use crate::suite::eventually;
use futures::future::join_all;
use futures::{SinkExt, StreamExt};
use mape::backend::Backend;
use mape::event::{Entry, Event, EventId, Log, Retention};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The tests of all claims here: `suite! { backend, fresh backend }`, with `start_paused = true` where no server runs.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), event::conformance:
            events_come_back_as_they_were_in_rising_places,
            what_is_appended_as_one_is_one_behind_the_other,
            a_range_has_both_its_ends,
            following_gives_what_is_there_and_what_comes_once_each,
            following_from_now_on_leaves_out_what_was_before,
            a_log_that_does_not_exist_is_empty,
            trimming_keeps_the_newest_entries,
            trimming_by_age_keeps_the_young,
            places_do_not_repeat_when_everything_was_trimmed,
            a_removed_log_is_gone_with_its_groups,
            a_sink_appends_in_order_with_kind_version_and_time,
            a_sink_leaves_out_what_cannot_be_an_event,
            a_sink_that_trims_keeps_the_log_short,
            many_writers_lose_nothing,
        }
    };
}
pub(crate) use suite;

pub(crate) fn log(backend: &Backend) -> Log {
    backend.events().log("orders")
}

pub(crate) fn numbered(n: u64) -> Event {
    Event::new("order").with("n", n)
}

/// The field `n` of each entry.
pub(crate) fn numbers(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.event.as_ref().unwrap().get("n").unwrap().as_u64().unwrap()).collect()
}

pub(crate) async fn all(log: &Log) -> Vec<Entry> {
    log.range(EventId::MIN, EventId::MAX, 100_000).await.unwrap()
}

pub(crate) async fn append(log: &Log, numbers: impl IntoIterator<Item = u64>) -> Vec<EventId> {
    log.append_all(numbers.into_iter().map(numbered).collect()).await.unwrap()
}

pub(crate) async fn events_come_back_as_they_were_in_rising_places(backend: Backend) {
    let log = log(&backend);
    let odd = Event::new("order \"ünï\"\n")
        .with("nothing", json!(null))
        .with("nested", json!({"a": [1, 2.5, "x", {"b": false}], "": "empty name"}))
        .with("name with spaces", "\u{1F600}")
        .with("large", u64::MAX);
    let plain = Event::new("order").stamped();
    let first = log.append(odd.clone()).await.unwrap();
    let second = log.append(plain.clone()).await.unwrap();
    assert!(first < second && first.millis > 1_700_000_000_000, "{first} {second}");
    let entries = all(&log).await;
    assert_eq!(
        entries,
        [Entry { id: first, event: Ok(odd.clone()) }, Entry { id: second, event: Ok(plain) }]
    );
    let names: Vec<_> =
        entries[0].event.as_ref().unwrap().fields().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, odd.fields().map(|(name, _)| name).collect::<Vec<_>>());
}

pub(crate) async fn what_is_appended_as_one_is_one_behind_the_other(backend: Backend) {
    let log = log(&backend);
    let blocks = (0..20).map(|block| {
        let log = log.clone();
        async move { append(&log, (0..10).map(|n| block * 10 + n)).await }
    });
    let ids = join_all(blocks).await;
    assert!(ids.iter().all(|block| block.len() == 10 && block.is_sorted()));
    let entries = all(&log).await;
    assert_eq!(entries.len(), 200);
    for block in numbers(&entries).chunks(10) {
        assert!(block[0] % 10 == 0 && block.is_sorted_by(|a, b| a + 1 == *b), "{block:?}");
    }
}

pub(crate) async fn a_range_has_both_its_ends(backend: Backend) {
    let log = log(&backend);
    let ids = append(&log, 0..5).await;
    let range = async |from, to, count| numbers(&log.range(from, to, count).await.unwrap());
    assert_eq!(range(ids[1], ids[3], 10).await, [1, 2, 3]);
    assert_eq!(range(ids[1], ids[3], 2).await, [1, 2]);
    assert_eq!(range(ids[3], ids[1], 10).await, [0; 0]);
    assert_eq!(range(ids[4].next(), EventId::MAX, 10).await, [0; 0]);
    assert_eq!(range(ids[3].next(), EventId::MAX, 10).await, [4]);
    assert_eq!(ids[3].next().previous(), ids[3]);
}

pub(crate) async fn following_gives_what_is_there_and_what_comes_once_each(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..300).await;
    let mut followed = Box::pin(log.follow(EventId::MIN));
    let (seen, ()) = tokio::join!(
        async {
            let mut seen = Vec::new();
            while seen.len() < 600 {
                seen.push(followed.next().await.unwrap().unwrap());
            }
            numbers(&seen)
        },
        async {
            for n in 300..600 {
                append(&log, [n]).await;
            }
        }
    );
    assert!(seen.into_iter().eq(0..600));
    assert!(timeout(Duration::from_millis(50), followed.next()).await.is_err());
}

pub(crate) async fn following_from_now_on_leaves_out_what_was_before(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..3).await;
    let mut followed = Box::pin(log.follow(EventId::MAX));
    assert!(timeout(Duration::from_millis(50), followed.next()).await.is_err());
    append(&log, [3]).await;
    let entry = timeout(Duration::from_secs(5), followed.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(numbers(&[entry]), [3]);
}

pub(crate) async fn a_log_that_does_not_exist_is_empty(backend: Backend) {
    let log = log(&backend);
    let info = log.info().await.unwrap();
    assert_eq!((info.len, info.last, info.groups), (0, EventId::MIN, Vec::new()));
    assert_eq!(all(&log).await, []);
    assert_eq!(log.trim(Retention::Entries(0)).await.unwrap(), 0);
    assert_eq!(log.delete(vec![EventId::new(1, 0)]).await.unwrap(), []);
    assert!(!log.remove().await.unwrap());
    assert_eq!(log.append_all(Vec::new()).await.unwrap(), []);
}

pub(crate) async fn trimming_keeps_the_newest_entries(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..1000).await;
    let removed = log.trim(Retention::Entries(10)).await.unwrap();
    let left = numbers(&all(&log).await);
    // Redis trims whole blocks of a hundred.
    assert!(removed >= 800 && left.len() as u64 == 1000 - removed && left.len() >= 10, "{removed}");
    assert!(left.into_iter().eq(removed..1000));
    assert_eq!(log.trim(Retention::Entries(5000)).await.unwrap(), 0);
}

pub(crate) async fn trimming_by_age_keeps_the_young(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..1000).await;
    sleep(Duration::from_millis(700)).await;
    append(&log, 1000..1010).await;
    let removed = log.trim(Retention::Age(Duration::from_millis(350))).await.unwrap();
    assert!((800..=1000).contains(&removed), "{removed}");
    assert!(numbers(&all(&log).await).into_iter().eq(removed..1010));
}

pub(crate) async fn places_do_not_repeat_when_everything_was_trimmed(backend: Backend) {
    let log = log(&backend);
    let before = append(&log, 0..5).await;
    assert_eq!(log.delete(before.clone()).await.unwrap(), before);
    assert_eq!(all(&log).await, []);
    let info = log.info().await.unwrap();
    assert_eq!((info.len, Some(&info.last)), (0, before.last()));
    assert!(append(&log, [5]).await[0] > before[4]);
}

pub(crate) async fn a_removed_log_is_gone_with_its_groups(backend: Backend) {
    let log = log(&backend);
    append(&log, 0..5).await;
    log.group("g").create().await.unwrap();
    assert!(log.remove().await.unwrap());
    let info = log.info().await.unwrap();
    assert_eq!((info.len, info.groups), (0, Vec::new()));
    assert!(!log.remove().await.unwrap());
}

#[derive(Serialize)]
struct Order {
    n: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
}

pub(crate) async fn a_sink_appends_in_order_with_kind_version_and_time(backend: Backend) {
    let log = log(&backend);
    let mut sink = log.sink::<Order>("order");
    for n in 0..1000 {
        sink.feed(Order { n, kind: None }).await.unwrap();
    }
    sink.send(Order { n: 1000, kind: Some("own") }).await.unwrap();
    let entries = all(&log).await;
    assert!(numbers(&entries).into_iter().eq(0..=1000));
    let first = entries[0].event.as_ref().unwrap();
    assert_eq!(first.kind().as_deref(), Some("order"));
    assert_eq!(first.get("apiVersion"), Some(json!("v1")));
    let at = first.get("at").unwrap();
    let at = at.as_str().unwrap();
    assert!(at.len() == 32 && at.ends_with("+00:00"), "{at}");
    assert!(entries[1000].event.as_ref().unwrap().is("own"));
    assert_eq!((sink.stats().appended(), sink.stats().failures()), (1001, 0));
}

pub(crate) async fn a_sink_leaves_out_what_cannot_be_an_event(backend: Backend) {
    let log = log(&backend);
    let mut sink = log.sink::<serde_json::Value>("order");
    for item in [json!(1), json!({"n": 2}), json!(["no"]), json!({"n": 3})] {
        sink.send(item).await.unwrap();
    }
    assert_eq!(numbers(&all(&log).await), [2, 3]);
    assert_eq!((sink.stats().appended(), sink.stats().refused()), (2, 2));
}

pub(crate) async fn a_sink_that_trims_keeps_the_log_short(backend: Backend) {
    let log = log(&backend);
    let mut sink = log.sink::<Order>("order").keep(Retention::Entries(100));
    for n in 0..5000 {
        sink.feed(Order { n, kind: None }).await.unwrap();
    }
    sink.flush().await.unwrap();
    let left = numbers(&all(&log).await);
    assert!((100..=2000).contains(&left.len()) && left.last() == Some(&4999), "{}", left.len());
}

pub(crate) async fn many_writers_lose_nothing(backend: Backend) {
    let writers = (0..8).map(|writer| {
        let log = log(&backend);
        tokio::spawn(async move {
            for n in 0..100 {
                log.append(numbered(writer * 100 + n)).await.unwrap();
            }
        })
    });
    for written in join_all(writers).await {
        written.unwrap();
    }
    let mut seen = numbers(&all(&log(&backend)).await);
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..800));
    eventually("it is counted", async || log(&backend).info().await.unwrap().len == 800).await;
}
