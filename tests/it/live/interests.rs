//! What clients care for, and what they missed.

use super::{told, waiting};
use futures::StreamExt;
use mape::condition::Condition;
use mape::live::{
    Delivered, Delivery, Error, Interest, Join, Live, Position, Rules, Security, Settings, Viewer,
};
use mape::prelude::*;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

fn when(text: &str) -> Interest {
    Interest::when(Condition::parse(text).unwrap())
}

#[tokio::test(start_paused = true)]
async fn everything_that_contains_a_value_at_any_depth_for_the_next_ten_seconds() {
    let live = Live::new(&App::new());
    let mut client = live.connect(Viewer::default());
    client.state("joe", when("** contains joe@doe.com").lasting(Duration::from_secs(10)), None).unwrap();
    let deep = json!({"order": [{"customer": {"mails": ["x@y.z", "joe@doe.com"]}}]});
    live.publish("orders", deep.clone()).unwrap();
    live.publish("orders", json!({"customer": "jane@doe.com"})).unwrap();
    live.publish("mails", "joe@doe.com").unwrap();
    assert_eq!(waiting(&mut client), [deep, json!("joe@doe.com")]);
    sleep(Duration::from_millis(9999)).await;
    live.publish("mails", "joe@doe.com").unwrap();
    assert_eq!(waiting(&mut client).len(), 1);
    sleep(Duration::from_millis(1)).await;
    live.publish("mails", "joe@doe.com").unwrap();
    assert!(waiting(&mut client).is_empty());
    let told = client.next().await;
    assert!(matches!(&told, Some(Delivery::Expired { interest }) if &**interest == "joe"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_interest_is_over_at_its_moment_even_before_anybody_looks() {
    let live = Live::new(&App::new());
    let mut client = live.connect(Viewer::default());
    client.state("all", Interest::all().lasting(Duration::ZERO), None).unwrap();
    live.publish("x", 1).unwrap();
    assert!(waiting(&mut client).is_empty());
}

#[tokio::test(start_paused = true)]
async fn interests_are_changed_and_withdrawn_while_connected() {
    let live = Live::new(&App::new());
    let mut client = live.connect(Viewer::default());
    client.state("n", when("n gt 5"), None).unwrap();
    let publish = |n: u64| live.publish("n", json!({"n": n})).unwrap();
    publish(3);
    publish(7);
    client.state("n", when("n lt 5"), None).unwrap();
    publish(3);
    publish(7);
    assert!(client.withdraw("n") && !client.withdraw("n"));
    publish(3);
    assert_eq!(waiting(&mut client), [json!({"n": 7}), json!({"n": 3})]);
}

#[tokio::test(start_paused = true)]
async fn a_part_comes_once_for_several_interests() {
    let live = Live::new(&App::new());
    let mut client = live.connect(Viewer::default());
    client.state("all", Interest::all(), None).unwrap();
    client.state("n", when("n eq 1"), None).unwrap();
    client.state("names", Interest::named(["a*", "ab"]), None).unwrap();
    client.join("ab", json!({}), false, None).unwrap();
    live.publish("ab", json!({"n": 1})).unwrap();
    assert_eq!(waiting(&mut client).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn names_are_patterns_also_of_what_comes_later() {
    let live = Live::new(&App::new());
    let mut client = live.connect(Viewer::default());
    live.publish("car_a.speed", 1).unwrap();
    client.state("cars", Interest::named(["car_?.speed"]), None).unwrap();
    live.publish("car_a.speed", 2).unwrap();
    live.publish("car_b.speed", 3).unwrap();
    live.publish("truck.speed", 4).unwrap();
    assert_eq!(waiting(&mut client), [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_gets_exactly_the_gap_or_is_told_that_it_is_not_known() {
    let mut settings = Settings::default();
    settings.history = 10;
    let live = Live::with(&App::new(), settings, ());
    let publish = |n: u64| live.publish("n", json!({"n": n})).unwrap();
    let mut client = live.connect(Viewer::default());
    let start = client.state("n", when("n gt 1"), None).unwrap().position;
    (0..5).for_each(publish);
    let seen = told(&mut client);
    let Some(Delivery::Part(last)) = seen.last() else { panic!() };
    let position = Position { epoch: start.epoch.clone(), offset: last.offset().unwrap() };
    drop(client);
    (5..12).for_each(publish);

    let mut client = live.connect(Viewer::default());
    let stated = client.state("n", when("n gt 6"), Some(&position)).unwrap();
    assert_eq!(stated.recovered, Some(true));
    publish(12);
    let numbers: Vec<_> = waiting(&mut client).iter().map(|d| d["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [7, 8, 9, 10, 11, 12]);

    // What was behind the beginning is not kept any more; and other histories are not known.
    for unknown in [start.clone(), Position { epoch: "other".into(), offset: position.offset }] {
        let mut client = live.connect(Viewer::default());
        assert_eq!(client.state("n", when("n gt 6"), Some(&unknown)).unwrap().recovered, Some(false));
        assert!(waiting(&mut client).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_comes_once_for_several_interests_and_too_much_of_it_is_not_recovered() {
    let mut settings = Settings::default();
    settings.client_buffer = 10;
    let live = Live::with(&App::new(), settings, ());
    let start = live.position();
    (0..10).for_each(|n| live.publish("n", json!({"n": n})).unwrap());
    let mut client = live.connect(Viewer::default());
    let both = [("all", Interest::named(["n"])), ("some", when("n gt 3"))];
    assert_eq!(client.state_all(both.clone(), Some(&start)).unwrap().recovered, Some(true));
    assert_eq!(waiting(&mut client).len(), 10);
    live.publish("n", json!({"n": 10})).unwrap();
    let mut again = live.connect(Viewer::default());
    assert_eq!(again.state_all(both, Some(&start)).unwrap().recovered, Some(false));
    assert!(waiting(&mut again).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_forgotten_is_not_said_to_be_recovered() {
    let mut settings = Settings::default();
    settings.names = 10;
    let live = Live::with(&App::new(), settings, ());
    let start = live.position();
    for n in 0..20 {
        live.publish(&format!("n{n}"), n).unwrap();
    }
    let client = live.connect(Viewer::default());
    assert_eq!(client.state("n", Interest::named(["n0"]), Some(&start)).unwrap().recovered, Some(false));
    let now = live.position();
    assert_eq!(client.state("n", Interest::named(["n0"]), Some(&now)).unwrap().recovered, Some(true));
}

#[tokio::test(start_paused = true)]
async fn security_decides_who_sees_what_also_of_the_past() {
    struct Owned;
    impl Security for Owned {
        fn may_see(&self, viewer: &Viewer, part: &Delivered) -> bool {
            part.data().is_none_or(|data| data["owner"].as_str() == viewer.name.as_deref())
        }
    }
    let live = Live::with(&App::new(), Settings::default(), Owned);
    let start = live.position();
    let mut joe = live.connect(Viewer::named("joe"));
    joe.state("all", Interest::all(), None).unwrap();
    live.publish("x", json!({"owner": "joe", "n": 1})).unwrap();
    live.publish("x", json!({"owner": "jane", "n": 2})).unwrap();
    assert_eq!(waiting(&mut joe), [json!({"owner": "joe", "n": 1})]);
    let mut jane = live.connect(Viewer::named("jane"));
    assert_eq!(jane.state("all", Interest::all(), Some(&start)).unwrap().recovered, Some(true));
    assert_eq!(waiting(&mut jane), [json!({"owner": "jane", "n": 2})]);
}

#[tokio::test(start_paused = true)]
async fn a_client_states_only_so_many_interests() {
    let mut settings = Settings::default();
    settings.interests = 2;
    let live = Live::with(&App::new(), settings, ());
    let client = live.connect(Viewer::default());
    client.state("a", Interest::all(), None).unwrap();
    client.join("g", (), false, None).unwrap();
    assert!(matches!(client.state("b", Interest::all(), None), Err(Error::Interests { limit: 2 })));
    client.state("a", when("x"), None).unwrap();
    client.withdraw("a");
    client.state("b", Interest::all(), None).unwrap();
}

#[tokio::test(start_paused = true)]
async fn thousands_of_interests_find_the_same_as_trying_each() {
    let live = Live::new(&App::new());
    let mut clients = Vec::new();
    for n in 0..2000_u64 {
        let client = live.connect(Viewer::default());
        let text = match n % 4 {
            0 => format!("user.id eq {n}"),
            1 => format!("** contains user{n}@doe.com"),
            2 => format!("user.age gt {}", n % 90),
            _ => format!("user.id ne {n} and user.age lt {}", n % 60),
        };
        let condition = Condition::parse(&text).unwrap();
        client.state("mine", Interest::when(condition.clone()), None).unwrap();
        clients.push((client, condition));
    }
    let since = Instant::now();
    let data: Vec<_> = (0..40_u64)
        .map(|n| json!({"user": {"id": n * 37, "age": n * 2, "mails": [format!("user{}@doe.com", n * 41)]}}))
        .collect();
    for data in &data {
        live.publish("users", data.clone()).unwrap();
    }
    for (client, condition) in &mut clients {
        let wanted: Vec<_> = data.iter().filter(|data| condition.holds(data)).cloned().collect();
        assert_eq!(waiting(client), wanted, "{condition}");
    }
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn declared_rules_decide_who_sees_what_and_errors_are_seen_by_nobody_they_are_not_for() {
    let rules: Rules = serde_json::from_value(json!([
        {"names": ["orders"], "may": ["see"], "own": "/customer"},
        {"names": ["orders"], "may": ["see"], "roles": ["admin"], "when": "sum gt 10"},
    ]))
    .unwrap();
    let live = Live::with(&App::new(), Settings::default(), rules);
    let mut joe = live.connect(Viewer::named("joe"));
    let mut ada = live.connect(Viewer::named("ada").with_role("admin"));
    let mut nobody = live.connect(Viewer::default());
    for client in [&joe, &ada, &nobody] {
        client.state("all", Interest::all(), None).unwrap();
    }
    live.publish("orders", json!({"customer": "joe", "sum": 5})).unwrap();
    live.publish("orders", json!({"customer": "jane", "sum": 50})).unwrap();
    live.publish("orders", json!({"customer": null, "sum": 5})).unwrap();
    live.publish("news", 1).unwrap();
    assert_eq!(waiting(&mut joe), [json!({"customer": "joe", "sum": 5}), json!(1)]);
    assert_eq!(waiting(&mut ada), [json!({"customer": "jane", "sum": 50}), json!(1)]);
    assert_eq!(waiting(&mut nobody), [1]);
    let wrong = json!([{"names": ["x"], "when": "a qe 1"}]);
    let wrong = serde_json::from_value::<Rules>(wrong).unwrap_err().to_string();
    assert!(wrong.contains("there is no operator `qe`"), "{wrong}");
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_comes_once_and_in_order_for_interests_and_groups_together() {
    let live = Live::new(&App::new());
    let start = live.position();
    for (n, name) in ["a", "tea", "b", "a", "tea", "c"].into_iter().enumerate() {
        live.publish(name, n).unwrap();
    }
    let mut client = live.connect(Viewer::default());
    let interests = [("a", Interest::named(["a"])), ("any", Interest::named(["a", "[bt]*"]))];
    let stated = client.state_and_join(interests, [Join::new("tea")], Some(&start)).unwrap();
    assert_eq!((stated.recovered, stated.position), (Some(true), live.position()));
    assert_eq!(waiting(&mut client), [0, 1, 2, 3, 4]);
    live.publish("tea", 6).unwrap();
    assert_eq!(waiting(&mut client), [6]);
}

#[tokio::test(start_paused = true)]
async fn names_that_are_listened_to_are_bounded_and_patterns_keep_none() {
    let mut settings = Settings::default();
    settings.names = 3;
    let live = Live::with(&App::new(), settings, ());
    let mut client = live.connect(Viewer::default());
    client.state("any", Interest::named(["*"]), None).unwrap();
    for n in 0..20 {
        live.publish(&format!("n{n}"), n).unwrap();
        assert!(live.counts().names <= 3);
    }
    assert_eq!(waiting(&mut client).len(), 20);
    client.state("some", Interest::named(["a", "b"]), None).unwrap();
    let other = live.connect(Viewer::default());
    for (names, is_refused) in
        [(["c", "d"], true), (["a", "c"], false), (["b", "d"], true), (["d*", "e?"], false)]
    {
        let refused =
            matches!(other.state("x", Interest::named(names), None), Err(Error::Names { limit: 3 }));
        assert_eq!(refused, is_refused, "{names:?}");
    }
    other.state("x", Interest::named(["a", "c"]), None).unwrap();
    assert!(matches!(other.join("d", (), false, None), Err(Error::Names { .. })));
    for n in 0..20 {
        live.publish(&format!("n{n}"), n).unwrap();
        assert!(live.counts().names <= 4, "the last one, that nobody holds");
    }
    assert_eq!(waiting(&mut client).len(), 20);
    client.withdraw("some");
    other.state("x", Interest::named(["d"]), None).unwrap();
    live.publish("d", 1).unwrap();
    let many = (0..101).map(|n| format!("n{n}*"));
    let refused =
        client.state("many", Interest::named(many.map(|name| mape::channel::Pattern::new(&name))), None);
    assert!(matches!(refused, Err(Error::Patterns { limit: 100 })));
}
