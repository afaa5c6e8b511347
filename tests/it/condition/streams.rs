//! Conditions on streams.

use futures::{FutureExt, StreamExt, stream};
use mape::condition::{Condition, ConditionOperators, Conditions};
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Reading {
    sensor: &'static str,
    value: f64,
}

fn readings() -> Vec<Reading> {
    let values = [("a", 1.0), ("b", 20.0), ("a", 30.0), ("c", 4.0)];
    values.map(|(sensor, value)| Reading { sensor, value }).to_vec()
}

#[tokio::test]
async fn filter_by_lets_through_what_fulfils_the_condition_in_order() {
    let condition = Condition::parse("sensor eq a or value gt 10").unwrap();
    let through: Vec<_> = stream::iter(readings()).filter_by(condition).collect().await;
    assert_eq!(through, readings()[..3]);
}

#[tokio::test]
async fn filter_by_lets_other_tasks_run() {
    let condition = Condition::parse("never").unwrap();
    let mut filtered = stream::repeat(json!({})).filter_by(condition);
    // It returns at all.
    assert_eq!(filtered.next().now_or_never(), None);
}

#[tokio::test]
async fn classify_names_all_conditions_that_hold() {
    let set = Conditions::parse("a: sensor eq a, hot: value gt 10, both: :a and :hot").unwrap();
    let classified: Vec<_> = stream::iter(readings()).classify(set).collect().await;
    let classes: Vec<_> = classified.iter().map(|one| one.classes.join(" ")).collect();
    assert_eq!(classes, ["a", "hot", "a hot both", ""]);
    assert_eq!(classified[3].item, readings()[3]);
    assert_eq!(
        serde_json::to_value(&classified[0]).unwrap(),
        json!({"item": {"sensor": "a", "value": 1.0}, "classes": ["a"]})
    );
}

#[tokio::test]
async fn route_by_names_the_first_condition_that_holds_and_drops_nothing() {
    let set = Conditions::parse("hot: value gt 10, a: sensor eq a").unwrap();
    let routed: Vec<_> = stream::iter(readings()).route_by(set).map(|one| one.route).collect().await;
    assert_eq!(routed, [Some("a".into()), Some("hot".into()), Some("hot".into()), None]);
}

#[tokio::test]
async fn what_is_no_json_fulfils_nothing() {
    let items = [HashMap::from([((1, 2), 3)])];
    let all = Condition::parse("not never").unwrap();
    assert_eq!(stream::iter(items.clone()).filter_by(all).count().await, 0);
    let all = Conditions::parse("all: not never").unwrap();
    assert_eq!(stream::iter(items.clone()).classify(all.clone()).next().await.unwrap().classes.len(), 0);
    assert_eq!(stream::iter(items).route_by(all).next().await.unwrap().route, None);
}
