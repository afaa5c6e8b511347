//! What the log loses, and nodes that come and go, are noticed.

use super::{Node, data, next, next_data, node, told};
use crate::suite::eventually;
use futures::FutureExt;
use mape::backend::Backend;
use mape::event::{Event, EventId};
use mape::live::{Delivery, Interest, Live, Position, Settings};
use mape::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

super::claims! { live::nodes::losses:
    who_comes_back_to_a_node_that_begins_is_not_told_that_nothing_is_missing,
    a_gap_in_the_log_is_one_for_who_comes_back,
    what_reached_its_own_clients_alone_is_a_gap_for_who_comes_back,
    what_is_missing_behind_the_hello_of_a_node_is_noticed,
    a_job_that_is_lost_on_its_way_to_another_node_ends,
    what_a_node_asked_for_ends_where_its_words_are_lost,
    who_has_seen_less_than_its_place_says_is_told_so,
    a_node_that_does_not_answer_holds_up_what_it_keeps_once,
    the_node_that_was_there_longest_is_the_first_until_it_goes,
    a_node_that_says_goodbye_is_gone_at_once,
}

/// An entry of a node.
fn said(node: &str, n: u64, kind: &str) -> Event {
    Event::new(kind).with("node", node).with("n", n)
}

/// A part of a node that nobody knows.
fn strange(n: u64) -> Event {
    said("strange", n, "part").with("name", "n").with("data", n)
}

async fn append(node: &Node, events: Vec<Event>) -> Vec<EventId> {
    let log = node.app.logs().log("mape:live");
    let mut ids = Vec::new();
    for event in events {
        ids.push(log.append(event).await.unwrap());
    }
    ids
}

fn at(node: &Node, offset: EventId) -> Position {
    Position { epoch: node.live.position().epoch, offset }
}

/// Lets a node do jobs that begin and do not end; how many were cancelled.
fn waits(node: &Node) -> Arc<AtomicU64> {
    let cancelled = Arc::new(AtomicU64::new(0));
    let counter = cancelled.clone();
    node.does("wait", move |job, parts| {
        let counter = counter.clone();
        async move {
            parts.send("begun").await?;
            tokio::spawn(async move {
                job.cancelled().await;
                counter.fetch_add(1, Ordering::Relaxed);
            });
            std::future::pending().await
        }
    });
    cancelled
}

pub(crate) async fn who_comes_back_to_a_node_that_begins_is_not_told_that_nothing_is_missing(
    backend: Backend,
) {
    let a = node(&backend).await;
    let mut client = a.client();
    client.state("all", Interest::all(), None).unwrap();
    for n in 0..900 {
        a.live.publish("n", n).unwrap();
    }
    a.live.flush().await;
    let Some(Delivery::Part(last)) = next(&mut client, 400).await.pop() else { panic!("they are parts") };
    let since = at(&a, last.offset().unwrap());
    let app = App::with_backend(backend.clone());
    let mut settings = Settings::default();
    settings.history = 2000;
    let live = Live::shared(&app, settings, ());
    let mut clients = Vec::new();
    // It is asked as often as may be until it has begun.
    while live.ready().now_or_never().is_none() {
        let client = live.connect(mape::live::Viewer::default());
        let stated = client.state("all", Interest::all(), Some(&since)).unwrap();
        if stated.recovered == Some(true) {
            clients.push(client);
        }
        tokio::task::yield_now().await;
    }
    for client in &mut clients {
        assert_eq!(next_data(client, 500).await, (400..900).collect::<Vec<_>>());
    }
    let mut client = live.connect(mape::live::Viewer::default());
    assert_eq!(client.state("all", Interest::all(), Some(&since)).unwrap().recovered, Some(true));
    assert_eq!(next_data(&mut client, 500).await, (400..900).collect::<Vec<_>>());
}

pub(crate) async fn a_gap_in_the_log_is_one_for_who_comes_back(backend: Backend) {
    let a = node(&backend).await;
    let mut client = a.client();
    client.state("all", Interest::all(), None).unwrap();
    let ids = append(&a, [1, 2, 5, 6].map(strange).to_vec()).await;
    assert_eq!(next_data(&mut client, 4).await, [1, 2, 5, 6]);
    let mut recovered = Vec::new();
    for id in ids {
        let back = a.client();
        recovered.push(back.state("all", Interest::all(), Some(&at(&a, id))).unwrap().recovered.unwrap());
    }
    assert_eq!(recovered, [false, false, true, true]);
    // The same at a node that reads it later.
    let b = node(&backend).await;
    let back = b.client();
    let before = at(&a, client.state("n", Interest::all(), None).unwrap().position.offset.previous());
    assert_eq!(back.state("all", Interest::all(), Some(&before)).unwrap().recovered, Some(true));
}

pub(crate) async fn what_reached_its_own_clients_alone_is_a_gap_for_who_comes_back(backend: Backend) {
    let a = node(&backend).await;
    let id = a.live.nodes()[0].id.clone();
    let mut client = a.client();
    client.state("all", Interest::all(), None).unwrap();
    // What has a lower number counts as doubled: as if the log had lost it.
    append(&a, vec![said(&id, 1000, "what"), strange(1)]).await;
    let first = next(&mut client, 1).await;
    let Delivery::Part(first) = &first[0] else { panic!("{first:?}") };
    let before = at(&a, first.offset().unwrap());
    a.live.publish("n", "lost").unwrap();
    a.live.flush().await;
    append(&a, vec![said(&id, 1001, "what")]).await;
    let lost = next(&mut client, 1).await;
    assert!(matches!(&lost[0], Delivery::Part(part) if part.offset().is_none()), "{lost:?}");
    let recovered = |since| a.client().state("all", Interest::all(), Some(since)).unwrap().recovered;
    assert_eq!(recovered(&before), Some(false));
    append(&a, vec![strange(2)]).await;
    assert_eq!(next_data(&mut client, 1).await, [2]);
    assert_eq!(recovered(&before), Some(false));
    assert_eq!(recovered(&a.live.position()), Some(true));
}

pub(crate) async fn what_is_missing_behind_the_hello_of_a_node_is_noticed(backend: Backend) {
    let a = node(&backend).await;
    let mut client = a.client();
    client.state("all", Interest::all(), None).unwrap();
    append(&a, vec![Event::new("hello").with("node", "strange"), strange(4)]).await;
    let told = next(&mut client, 2).await;
    assert!(matches!(told[0], Delivery::Missed { count: 3 }), "{told:?}");
    assert_eq!(data(&told[1]).unwrap(), 4);
}

pub(crate) async fn a_job_that_is_lost_on_its_way_to_another_node_ends(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    let id = a.live.nodes()[0].id.clone();
    waits(&c);
    a.sees("wait").await;
    // What has a lower number counts as doubled, so nobody hears of it.
    let ids = append(&a, vec![said(&id, 1000, "what"), strange(1)]).await;
    eventually("it is read", || async { a.live.position().offset == ids[1] }).await;
    let mut client = a.client();
    client.ask("wait", ()).unwrap();
    a.live.flush().await;
    append(&a, vec![said(&id, 1001, "what")]).await;
    let told = next(&mut client, 2).await;
    assert_eq!(data(&told[0]).unwrap(), "error: it was lost on its way to another process");
    assert!(matches!(told[1], Delivery::Ended { .. }), "{told:?}");
}

pub(crate) async fn what_a_node_asked_for_ends_where_its_words_are_lost(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    let id = a.live.nodes()[0].id.clone();
    let cancelled = waits(&c);
    a.sees("wait").await;
    let mut client = a.client();
    client.ask("wait", ()).unwrap();
    assert_eq!(next_data(&mut client, 1).await, ["begun"]);
    append(&a, vec![said(&id, 1000, "what")]).await;
    let told = next(&mut client, 2).await;
    assert_eq!(data(&told[0]).unwrap(), "error: it may have been lost on its way to another process");
    assert!(matches!(told[1], Delivery::Ended { .. }), "{told:?}");
    eventually("it is cancelled", || async { cancelled.load(Ordering::Relaxed) == 1 }).await;
}

/// Values of a part of a node that never answers.
fn kept_elsewhere(n: u64) -> Event {
    said("strange", n, "part").with("name", "orders").with("values", n)
}

pub(crate) async fn who_has_seen_less_than_its_place_says_is_told_so(backend: Backend) {
    let a = node(&backend).await;
    let mut client = a.client();
    client.state("all", Interest::all(), None).unwrap();
    append(&a, vec![kept_elsewhere(1)]).await;
    a.live.publish("n", "later").unwrap();
    let told_first = next(&mut client, 1).await;
    let Delivery::Part(later) = &told_first[0] else { panic!("{told_first:?}") };
    assert_eq!(data(&told_first[0]).unwrap(), "later");
    let since = at(&a, later.offset().unwrap());
    let recovered = || a.client().state("all", Interest::all(), Some(&since)).unwrap().recovered;
    assert_eq!(recovered(), Some(false), "what is before it is still to come");
    let late = next(&mut client, 1).await;
    let Delivery::Part(part) = &late[0] else { panic!("{late:?}") };
    assert!(part.error().is_some() && part.offset().is_none(), "{late:?}");
    assert_eq!(recovered(), Some(true));
    // Who goes meanwhile does not know that it has missed something.
    append(&a, vec![kept_elsewhere(2)]).await;
    a.live.publish("n", "later").unwrap();
    let told_then = next(&mut client, 1).await;
    let Delivery::Part(later) = &told_then[0] else { panic!("{told_then:?}") };
    let since = at(&a, later.offset().unwrap());
    drop(client);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let back = a.client();
    assert_eq!(back.state("all", Interest::named(["orders"]), Some(&since)).unwrap().recovered, Some(false));
    assert_eq!(back.state("n", Interest::named(["n"]), Some(&since)).unwrap().recovered, Some(true));
}

pub(crate) async fn a_node_that_does_not_answer_holds_up_what_it_keeps_once(backend: Backend) {
    let a = node(&backend).await;
    let mut client = a.client();
    client.state("all", Interest::all(), None).unwrap();
    let log = a.app.logs().log("mape:live");
    log.append_all((1..=300).map(kept_elsewhere).collect()).await.unwrap();
    let began = Instant::now();
    let told_all = next(&mut client, 300).await;
    let lost = "error: a part that may be of interest is lost: the process that has it does not answer";
    assert!(told_all.iter().all(|told| data(told).unwrap() == lost), "{told_all:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(told(&mut client).is_empty());
}

pub(crate) async fn the_node_that_was_there_longest_is_the_first_until_it_goes(backend: Backend) {
    let mut nodes = Vec::new();
    for _ in 0..5 {
        nodes.push(node(&backend).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
        let first: Vec<_> = nodes.iter().map(|node| node.live.is_first()).collect();
        assert!(first[0] && first[1..].iter().all(|first| !first), "{first:?}");
    }
    nodes[0].live.close();
    nodes[0].live.flush().await;
    assert!(!nodes[0].live.is_first(), "others know that it goes");
    let began = Instant::now();
    eventually("the next one is", || async { nodes[1].live.is_first() }).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(nodes[2..].iter().all(|node| !node.live.is_first()));
    assert!(Live::new(&App::new()).is_first());
}

pub(crate) async fn a_node_that_says_goodbye_is_gone_at_once(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    waits(&c);
    a.sees("wait").await;
    let mut client = a.client();
    client.ask("wait", ()).unwrap();
    assert_eq!(next_data(&mut client, 1).await, ["begun"]);
    let began = Instant::now();
    c.live.close();
    let told = next(&mut client, 2).await;
    assert_eq!(data(&told[0]).unwrap(), "error: the process that did it is gone");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(a.live.nodes().len(), 1);
    assert!(a.live.is_first());
}
