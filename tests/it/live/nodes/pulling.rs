//! Parts of which other nodes know values alone.

use super::{data, next, next_data, node, node_with, told};
use mape::backend::Backend;
use mape::condition::Condition;
use mape::live::{Extract, Interest, Settings};
use serde_json::{Value, json};

super::claims! { live::nodes::pulling:
    a_client_on_a_gets_data_cached_on_c,
    pulled_parts_come_in_their_order,
    who_asked_elsewhere_gets_all_of_it,
    what_is_not_kept_any_more_is_told,
    a_gap_across_what_is_elsewhere_is_not_recovered,
}

fn order(n: u64, mail: &str) -> Value {
    json!({"customer": {"mail": mail}, "order": {"id": n, "sum": n * 10}, "rest": "x".repeat(1000)})
}

fn when(condition: &str) -> Interest {
    Interest::when(Condition::parse(condition).unwrap())
}

/// The ids of the next orders.
async fn ids(client: &mut mape::live::Client, count: usize) -> Vec<Value> {
    next_data(client, count).await.iter().map(|data| data["order"]["id"].clone()).collect()
}

pub(crate) async fn a_client_on_a_gets_data_cached_on_c(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    c.live.extract("orders", Extract::paths(["customer.mail", "order.id"]));
    let [mut joe, mut third, mut here, mut nobody] = [a.client(), a.client(), c.client(), a.client()];
    joe.state("mine", when("** contains joe@doe.com"), None).unwrap();
    third.state("third", when("order.id eq 3"), None).unwrap();
    // What is judged on the values does not find what only the rest has; where the rest is, it does.
    nobody.state("much", when("order.sum ge 40"), None).unwrap();
    here.state("much", when("order.sum ge 40"), None).unwrap();
    for n in 0..6 {
        let mail = if n % 2 == 0 { "joe@doe.com" } else { "jane@doe.com" };
        c.live.publish("orders", order(n, mail)).unwrap();
    }
    assert_eq!(next_data(&mut joe, 3).await, [0, 2, 4].map(|n| order(n, "joe@doe.com")));
    assert_eq!(ids(&mut third, 1).await, [3]);
    assert_eq!(ids(&mut here, 2).await, [4, 5]);
    // The log has values alone.
    let log = c.app.logs().log("mape:live");
    let entries = log.range(mape::event::EventId::MIN, mape::event::EventId::MAX, 100).await.unwrap();
    assert!(entries.iter().all(|entry| !entry.event.as_ref().unwrap().to_string().contains("xxx")));
    assert!(told(&mut nobody).is_empty());
}

pub(crate) async fn pulled_parts_come_in_their_order(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    c.live.extract("orders", Extract::with(|order| order["customer"]["mail"].clone()));
    let mut all = a.client();
    all.state("all", Interest::named(["orders"]), None).unwrap();
    for n in 0..300 {
        c.live.publish("orders", order(n, "a@b.c")).unwrap();
    }
    assert_eq!(ids(&mut all, 300).await, (0..300).collect::<Vec<_>>());
    assert!(told(&mut all).is_empty());
}

pub(crate) async fn who_asked_elsewhere_gets_all_of_it(backend: Backend) {
    let mut settings = Settings::default();
    settings.cache_bytes = 0;
    let [a, c] = [node(&backend).await, node_with(&backend, settings).await];
    c.does("orders", |job, parts| async move {
        for n in 0..job.input_as()? {
            parts.send(order(n, "a@b.c")).await?;
        }
        Ok(())
    });
    c.live.extract("orders", Extract::paths(["customer.mail"]));
    a.sees("orders").await;
    let mut client = a.client();
    client.ask("orders", 5).unwrap();
    assert_eq!(ids(&mut client, 5).await, [0, 1, 2, 3, 4]);
}

pub(crate) async fn what_is_not_kept_any_more_is_told(backend: Backend) {
    let mut settings = Settings::default();
    settings.cache_bytes = 0;
    let [a, c] = [node(&backend).await, node_with(&backend, settings).await];
    c.live.extract("orders", Extract::paths(["order.id"]));
    let mut client = a.client();
    client.state("one", when("order.id eq 1"), None).unwrap();
    for n in 0..3 {
        c.live.publish("orders", order(n, "a@b.c")).unwrap();
    }
    let lost = "error: a part that may be of interest is lost: the process that published it does not keep it any more";
    assert_eq!(data(&next(&mut client, 1).await[0]).unwrap(), lost);
    assert!(told(&mut client).is_empty());
}

pub(crate) async fn a_gap_across_what_is_elsewhere_is_not_recovered(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    c.live.extract("orders", Extract::paths(["order.id"]));
    let mut client = a.client();
    let before = client.state("other", Interest::named(["other"]), None).unwrap().position;
    c.live.publish("orders", order(1, "a@b.c")).unwrap();
    c.live.publish("other", "then").unwrap();
    assert_eq!(next_data(&mut client, 1).await, ["then"]);
    let [back, there] = [a.client(), c.client()];
    assert_eq!(back.state("o", Interest::named(["orders"]), Some(&before)).unwrap().recovered, Some(false));
    assert_eq!(back.state("other", Interest::named(["other"]), Some(&before)).unwrap().recovered, Some(true));
    assert_eq!(there.state("o", Interest::named(["orders"]), Some(&before)).unwrap().recovered, Some(true));
}
