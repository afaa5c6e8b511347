//! What elements, links and operators count and measure.

use futures::StreamExt;
use mape::prelude::*;
use mape::telemetry::{Family, Sample, Snapshot, Value};
use std::time::Duration;

pub(crate) fn sample<'a>(family: &'a Family, labels: &[(&str, &str)]) -> Option<&'a Sample> {
    let has = |sample: &Sample, (name, value): &(&str, &str)| {
        sample.labels.iter().any(|(n, v)| n == name && v == value)
    };
    family.samples.iter().find(|sample| labels.iter().all(|label| has(sample, label)))
}

fn value(snapshot: &Snapshot, name: &str, labels: &[(&str, &str)]) -> Value {
    let family = snapshot.family(name).unwrap_or_else(|| panic!("there is no {name}"));
    sample(family, labels).unwrap_or_else(|| panic!("{name} has no {labels:?}")).value.clone()
}

fn histogram(snapshot: &Snapshot, name: &str, labels: &[(&str, &str)]) -> (u64, f64) {
    let Value::Histogram(histogram) = value(snapshot, name, labels) else { panic!("{name} is no histogram") };
    (histogram.count(), histogram.sum)
}

#[tokio::test(start_paused = true)]
async fn what_elements_and_links_count_is_in_a_snapshot() {
    let app = App::new();
    let car = app.level("road").unwrap().create_loop("car").unwrap();
    let odd = |n: u64, out: &mut Out<u64>| {
        if n % 2 == 1 {
            out.emit(n);
            Ok(())
        } else {
            Err(format!("{n} is even"))
        }
    };
    let detect = car.monitor("detect").each(odd).spawn().unwrap();
    let plan = car.plan("plan").act(|_: u64| {}).spawn().unwrap();
    detect.link(&plan).unwrap();
    detect.start().unwrap();
    for n in 1..=5 {
        detect.push(n).await.unwrap();
    }
    crate::suite::eventually("all is worked off", async || plan.info().input.received == 3).await;
    let snapshot = Snapshot::of(&app);
    let of_detect = [("level", "road"), ("loop", "car"), ("element", "detect"), ("role", "monitor")];
    assert_eq!(value(&snapshot, "mape_element_received", &of_detect), Value::Count(5));
    assert_eq!(value(&snapshot, "mape_element_emitted", &of_detect), Value::Count(3));
    assert_eq!(value(&snapshot, "mape_element_errors", &of_detect), Value::Count(2));
    let link = [("from", "car.detect"), ("to", "car.plan")];
    assert_eq!(value(&snapshot, "mape_link_received", &link), Value::Count(3));
    assert_eq!(value(&snapshot, "mape_link_capacity", &link), Value::Number(1024.0));
    let running = [("level", "road"), ("loop", "car"), ("state", "running")];
    assert_eq!(value(&snapshot, "mape_loop_elements", &running), Value::Number(2.0));
    assert_eq!(
        value(&snapshot, "mape_element_state", &[("element", "plan"), ("state", "running")]),
        Value::Number(1.0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_link_measures_how_long_its_items_wait() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let detect = car.monitor("detect").map(|n: u64| n).spawn().unwrap();
    let plan = car.plan("plan").act(|_: u64| {}).spawn().unwrap();
    detect.link(&plan).unwrap();
    detect.start().unwrap();
    for _ in 0..3 {
        plan.pause();
        detect.push(1).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        plan.resume();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (count, sum) = histogram(&Snapshot::of(&app), "mape_link_wait_seconds", &[("to", "car.plan")]);
    assert_eq!((count, sum.round()), (3, 15.0));
    let wait = detect.info().output.links[0].wait;
    assert!((4.0..=10.0).contains(&wait.p50_seconds), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn an_item_that_gives_way_is_not_taken_for_one_that_was_read() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let detect = car.monitor("detect").map(|n: u64| n).spawn().unwrap();
    detect.start().unwrap();
    let mut newest = detect.subscribe_with(LinkOptions::latest()).unwrap();
    detect.push(1).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    detect.push(2).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(newest.next().await, Some(2));
    let (count, sum) = histogram(&Snapshot::of(&app), "mape_link_wait_seconds", &[("from", "car.detect")]);
    assert_eq!((count, sum.round()), (1, 2.0));
}

#[tokio::test(start_paused = true)]
async fn calls_of_asynchronous_functions_are_measured_each() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let slow = |n: u64, out: Emitter<u64>| async move {
        tokio::time::sleep(Duration::from_secs(n)).await;
        out.emit(n).await;
    };
    let one = car.analyze("one").each_async(slow).spawn().unwrap();
    let two = car.analyze("two").each_unordered(4, slow).spawn().unwrap();
    one.start().unwrap();
    two.start().unwrap();
    for n in 1..=4 {
        one.push(n).await.unwrap();
        two.push(n).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(3500)).await;
    let snapshot = Snapshot::of(&app);
    assert_eq!(value(&snapshot, "mape_calls_running", &[("element", "car.two")]), Value::Number(1.0));
    assert_eq!(value(&snapshot, "mape_calls_started", &[("element", "car.two")]), Value::Count(4));
    tokio::time::sleep(Duration::from_secs(20)).await;
    let snapshot = Snapshot::of(&app);
    for element in ["one", "two"] {
        let (count, sum) = histogram(&snapshot, "mape_element_latency_seconds", &[("element", element)]);
        assert_eq!((count, sum.round()), (4, 10.0), "{element}");
    }
}

#[tokio::test(start_paused = true)]
async fn operators_that_hold_items_count_them_under_their_element() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let held =
        car.analyze("held").ops_in(|s| s.delay(Duration::from_secs(10))).map(|n: u64| n).spawn().unwrap();
    held.start().unwrap();
    for n in 0..7 {
        held.push(n).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let labels = [("operator", "delay"), ("element", "car.held")];
    assert_eq!(value(&Snapshot::of(&app), "mape_operator_queued", &labels), Value::Number(7.0));
    held.any().dispose();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let snapshot = Snapshot::of(&app);
    let gone = snapshot.family("mape_operator_queued").and_then(|family| sample(family, &labels));
    assert_eq!(gone, None, "it is gone with its element");
}
