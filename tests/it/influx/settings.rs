//! What configurations say of batches.

use super::defaults::{server, takes_all};
use futures::SinkExt;
use mape::config::Config;
use mape::edge::InfluxSink;
use mape::edge::influxdb::{InfluxSettings, Point};
use serde_json::json;
use std::time::Duration;

#[test]
fn how_long_a_batch_waits_is_a_text_or_a_number_of_seconds_wherever_it_is_read_from() {
    for (given, milliseconds) in [
        (json!("500ms"), Some(500)),
        (json!("1m 30s"), Some(90_000)),
        (json!("2"), Some(2000)),
        (json!(2), Some(2000)),
        (json!(0.25), Some(250)),
        (json!(null), None),
    ] {
        let settings: InfluxSettings = serde_json::from_value(json!({"batch": {"wait": given}})).unwrap();
        assert_eq!(settings.batch.wait, milliseconds.map(Duration::from_millis), "{given}");
        if given == "2" || given.is_null() {
            continue; // Code has numbers: a configuration takes such a text from the environment only, and no null.
        }
        let mut config = Config::builder().text("influxdb: {url: h}").without_environment().build().unwrap();
        config.set("influxdb.batch.wait", given.clone()).unwrap();
        let settings: InfluxSettings = config.get("influxdb").unwrap();
        assert_eq!(settings.batch.wait, milliseconds.map(Duration::from_millis), "{given}");
    }
    for wrong in [json!("soon"), json!(-1), json!(1e300), json!("-1s"), json!(true)] {
        let read = serde_json::from_value::<InfluxSettings>(json!({"batch": {"wait": wrong}}));
        let error = read.unwrap_err().to_string();
        assert!(error.contains("500ms"), "{wrong}: {error}");
    }
}

#[tokio::test]
async fn a_batch_may_wait_longer_than_the_clock_goes() {
    let there = takes_all();
    let config =
        Config::builder().text("influxdb: {batch: {wait: 1e19}}").without_environment().build().unwrap();
    let settings: InfluxSettings = config.get("influxdb").unwrap();
    let longest = InfluxSink::raw(&server(&there)).batch_wait(Duration::MAX);
    for mut sink in [longest, settings.apply(InfluxSink::raw(&server(&there)))] {
        let stats = sink.stats();
        sink.feed(Point::new("m").field("v", 1)).await.unwrap();
        tokio::task::yield_now().await; // It begins to wait.
        sink.close().await.unwrap();
        assert_eq!((stats.written(), stats.dropped()), (1, 0), "{:?}", stats.last_error());
    }
}
