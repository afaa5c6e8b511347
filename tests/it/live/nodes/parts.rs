//! Parts reach clients of all nodes.

use super::{data, next, next_data, node, node_with, told};
use mape::backend::Backend;
use mape::condition::Condition;
use mape::event::Event;
use mape::live::{Delivery, Interest, Position, Settings};
use mape::prelude::*;
use serde_json::{Value, json};

super::claims! { live::nodes::parts:
    all_nodes_hand_out_what_any_publishes_in_one_order,
    a_client_comes_back_to_another_node_for_exactly_its_gap,
    what_is_not_in_the_log_any_more_is_not_recovered,
    a_server_that_shares_nothing_is_not_disturbed,
    what_is_missing_or_doubled_or_malformed_in_the_log_is_noticed,
    publishing_waits_for_the_log,
    what_every_node_hears_reaches_the_clients_of_each_once_and_is_not_said_to_be_recovered,
}

fn offsets(told: &[Delivery]) -> Vec<(String, Value)> {
    let one = |delivery: &Delivery| match delivery {
        Delivery::Part(part) => Some((part.offset().unwrap().to_string(), part.data().unwrap().clone())),
        _ => None,
    };
    told.iter().filter_map(one).collect()
}

pub(crate) async fn all_nodes_hand_out_what_any_publishes_in_one_order(backend: Backend) {
    let [a, b, c] = [node(&backend).await, node(&backend).await, node(&backend).await];
    let mut clients = [a.client(), b.client(), c.client()];
    for client in &clients {
        client.state("few", Interest::when(Condition::parse("n lt 50").unwrap()), None).unwrap();
        client.state("all", Interest::named(["n*"]), None).unwrap();
    }
    for n in 0..100 {
        let node = [&a, &b, &c][n % 3];
        node.live.publish("numbers", json!({"n": n})).unwrap();
    }
    let mut seen = Vec::new();
    for client in &mut clients {
        seen.push(offsets(&next(client, 100).await));
        assert!(told(client).is_empty(), "none comes twice");
    }
    assert!(seen[0] == seen[1] && seen[1] == seen[2], "{seen:?}");
    assert!(seen[0].is_sorted_by_key(|(offset, _)| offset.parse::<mape::event::EventId>().unwrap()));
    // What one has published stays in its order.
    let of_a: Vec<_> =
        seen[0].iter().filter_map(|(_, data)| data["n"].as_u64()).filter(|n| n % 3 == 0).collect();
    assert!(of_a.is_sorted() && of_a.len() == 34);
}

pub(crate) async fn a_client_comes_back_to_another_node_for_exactly_its_gap(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    let mut client = a.client();
    let before = client.state("all", Interest::named(["n"]), None).unwrap().position;
    for n in 0..10 {
        c.live.publish("n", n).unwrap();
    }
    let seen = next(&mut client, 4).await;
    let Delivery::Part(last) = &seen[3] else { panic!("{seen:?}") };
    let position = Position { epoch: before.epoch.clone(), offset: last.offset().unwrap() };
    drop(client);
    a.live.publish("n", 10).unwrap();
    a.live.flush().await;
    // A node that begins now knows what was before it.
    let d = node(&backend).await;
    let mut back = d.client();
    let stated = back.state("all", Interest::named(["n"]), Some(&position)).unwrap();
    assert_eq!((stated.recovered, &stated.position.epoch), (Some(true), &before.epoch));
    assert_eq!(next_data(&mut back, 7).await, [4, 5, 6, 7, 8, 9, 10]);
    c.live.publish("n", 11).unwrap();
    assert_eq!(next_data(&mut back, 1).await, [11]);
    assert!(told(&mut back).is_empty());
    let mut other = d.client();
    let unknown = Position { epoch: "other".into(), offset: position.offset };
    assert_eq!(other.state("all", Interest::all(), Some(&unknown)).unwrap().recovered, Some(false));
    assert!(told(&mut other).is_empty());
}

pub(crate) async fn what_is_not_in_the_log_any_more_is_not_recovered(backend: Backend) {
    let mut settings = Settings::default();
    settings.shared_history = 50;
    let a = node_with(&backend, settings).await;
    let mut client = a.client();
    let before = client.state("all", Interest::all(), None).unwrap().position;
    for n in 0..500 {
        a.live.publish(&format!("n{n}"), n).unwrap();
        if n % 50 == 0 {
            a.live.flush().await;
        }
    }
    a.live.flush().await;
    let at_490 = next(&mut client, 491).await.pop().unwrap();
    let Delivery::Part(at_490) = at_490 else { panic!("{at_490:?}") };
    let log = a.app.logs().log("mape:live");
    crate::suite::eventually("the log is trimmed", || async { log.info().await.unwrap().len < 300 }).await;
    let b = node(&backend).await;
    let mut back = b.client();
    assert_eq!(back.state("all", Interest::all(), Some(&before)).unwrap().recovered, Some(false));
    let late = Position { epoch: before.epoch.clone(), offset: at_490.offset().unwrap() };
    assert_eq!(back.state("all", Interest::all(), Some(&late)).unwrap().recovered, Some(true));
    assert_eq!(next_data(&mut back, 9).await, (491..500).collect::<Vec<_>>());
}

pub(crate) async fn a_server_that_shares_nothing_is_not_disturbed(_: Backend) {
    let backend = Backend::memory();
    let alone = mape::live::Live::new(&App::with_backend(backend.clone()));
    let node = node(&backend).await;
    let mut client = alone.connect(mape::live::Viewer::default());
    client.state("all", Interest::all(), None).unwrap();
    node.live.publish("n", 1).unwrap();
    alone.publish("n", 2).unwrap();
    // Without a log in between it is there at once.
    assert_eq!(told(&mut client).iter().filter_map(data).collect::<Vec<_>>(), [2]);
    assert!(alone.nodes().is_empty());
    alone.ready().await;
    alone.flush().await;
}

pub(crate) async fn what_is_missing_or_doubled_or_malformed_in_the_log_is_noticed(backend: Backend) {
    let a = node(&backend).await;
    let mut client = a.client();
    client.state("all", Interest::all(), None).unwrap();
    let log = a.app.logs().log("mape:live");
    let part = |n: u64, data: Value| {
        Event::new("part").with("node", "strange").with("n", n).with("name", "n").with("data", data)
    };
    let entries = vec![
        part(7, json!("first")),
        part(8, json!("second")),
        part(8, json!("second, again")),
        Event::new("part").with("node", "strange"),
        Event::new("what").with("node", "strange").with("n", 9),
        part(10, json!(null)),
        part(14, json!("after three")),
        part(u64::MAX, json!("never")),
        part(15, json!({"deep": [1, {"a": "b"}]})),
    ];
    log.append_all(entries).await.unwrap();
    let told = next(&mut client, 6).await;
    let seen: Vec<_> = told.iter().filter_map(data).collect();
    let expected = [
        json!("first"),
        json!("second"),
        json!(null),
        json!("after three"),
        json!({"deep": [1, {"a": "b"}]}),
    ];
    assert_eq!(seen, expected);
    assert!(matches!(told[3], Delivery::Missed { count: 3 }), "{told:?}");
    a.live.publish("n", "on").unwrap();
    assert_eq!(next_data(&mut client, 1).await, ["on"]);
}

#[tokio::test(start_paused = true)]
async fn a_client_may_be_ahead_of_the_node_it_comes_to() {
    let a = node(&Backend::memory()).await;
    let mut first = a.client();
    first.state("all", Interest::all(), None).unwrap();
    a.live.publish("n", 1).unwrap();
    assert_eq!(next_data(&mut first, 1).await, [1]);
    let mut client = a.client();
    let mut ahead = a.live.position();
    ahead.offset = ahead.offset.next();
    // It says that it has seen what this node will read next.
    let stated = client.state("all", Interest::all(), Some(&ahead)).unwrap();
    assert_eq!((stated.recovered, stated.position), (Some(true), ahead));
    for n in 2..5 {
        a.live.publish("n", n).unwrap();
    }
    assert_eq!(next_data(&mut first, 3).await, [2, 3, 4]);
    assert_eq!(told(&mut client).iter().filter_map(data).collect::<Vec<_>>(), [3, 4]);
    let mut never = a.live.position();
    never.offset = mape::event::EventId::MAX;
    assert_eq!(client.state("all", Interest::all(), Some(&never)).unwrap().recovered, Some(false));
}

pub(crate) async fn publishing_waits_for_the_log(backend: Backend) {
    let a = node(&backend).await;
    let mut settings = Settings::default();
    settings.client_buffer = 100_000;
    let b = node_with(&backend, settings).await;
    let mut client = b.client();
    client.state("all", Interest::named(["n"]), None).unwrap();
    let numbers = futures::stream::iter(0..30_000_u32);
    numbers.map(Ok).forward(a.live.results("n")).await.unwrap();
    // More than may wait, and none was lost.
    assert_eq!(next_data(&mut client, 30_000).await, (0..30_000).collect::<Vec<_>>());
}

pub(crate) async fn what_every_node_hears_reaches_the_clients_of_each_once_and_is_not_said_to_be_recovered(
    backend: Backend,
) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    let (mut at_a, mut at_c) = (a.client(), c.client());
    for client in [&at_a, &at_c] {
        client.state("all", Interest::all(), None).unwrap();
    }
    a.live.publish("news", 1).unwrap();
    assert_eq!(
        (next_data(&mut at_a, 1).await, next_data(&mut at_c, 1).await),
        (vec![json!(1)], vec![json!(1)])
    );
    let before = a.live.position();
    for node in [&a, &c] {
        node.live.publish_here("car_a", 2).unwrap();
    }
    c.live.publish("news", 3).unwrap();
    for client in [&mut at_a, &mut at_c] {
        assert_eq!(next_data(client, 2).await, [2, 3]);
        assert!(told(client).is_empty());
    }
    let back = a.client();
    let cars = back.state("cars", Interest::named(["car_a"]), Some(&before)).unwrap();
    let news = back.state("news", Interest::named(["news"]), Some(&before)).unwrap();
    assert_eq!((cars.recovered, news.recovered), (Some(false), Some(true)));
}
