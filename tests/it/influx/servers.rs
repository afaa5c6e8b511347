//! Real servers: what they have afterwards is what was written. That they say so proves nothing.

use super::awkward::{meant, point};
use crate::server::{InfluxDb, VictoriaMetrics};
use futures::{SinkExt, StreamExt};
use mape::edge::influxdb::{Point, Precision};
use mape::edge::{InfluxServer, InfluxSink};
use mape::stream::Lossy;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn v1(server: &InfluxDb, database: &str) -> InfluxServer {
    server.create(database);
    InfluxServer::new(&server.url()).unwrap().bucket(database)
}

/// The values of a database's only field, by time.
fn values(server: &InfluxDb, database: &str) -> Vec<(i64, Value)> {
    let series = server.series(database).into_iter();
    let mut values: Vec<_> = series
        .flat_map(|series| series.values)
        .map(|row| (row[0].as_i64().unwrap(), row[1].clone()))
        .collect();
    values.sort_by_key(|(time, _)| *time);
    values
}

#[tokio::test]
async fn a_million_and_more_would_do_but_twenty_thousand_points_are_all_there_in_every_precision() {
    let server = InfluxDb::start();
    for (precision, unit) in [
        (Precision::Nanoseconds, 1),
        (Precision::Microseconds, 1_000),
        (Precision::Milliseconds, 1_000_000),
        (Precision::Seconds, 1_000_000_000),
    ] {
        let database = format!("p{unit}");
        let mut sink = InfluxSink::raw(&v1(&server, &database)).precision(precision);
        let stats = sink.stats();
        for number in 0..5000 {
            let time = 1_700_000_000_000_000_000 + number * unit;
            sink.feed(Point::new("count").tag("of", "all").field("n", number).at_nanoseconds(time))
                .await
                .unwrap();
        }
        sink.close().await.unwrap();
        assert_eq!((stats.written(), stats.refused()), (5000, 0), "{:?}", stats.last_error());
        let values = values(&server, &database);
        assert_eq!(values.len(), 5000);
        let times = (0..5000).map(|number| 1_700_000_000_000_000_000 / unit * unit + number * unit);
        assert!(values.iter().map(|(time, _)| *time).eq(times));
    }
}

#[tokio::test]
async fn users_are_let_in_by_their_password_and_others_given_up_at_once() {
    let server = InfluxDb::secured("s3cret");
    server.create("db");
    let target =
        |password: &str| InfluxServer::new(&server.url()).unwrap().bucket("db").login("admin", password);
    for (password, written) in [("s3cret", 1), ("wrong", 0)] {
        let mut sink = InfluxSink::<f64>::new(&target(password));
        let stats = sink.stats();
        sink.feed(1.5).await.unwrap();
        sink.close().await.unwrap();
        assert_eq!((stats.written(), stats.refused(), stats.retried()), (written, 1 - written, 0));
        let told = stats.last_error().unwrap_or_default();
        assert_eq!(
            written == 0,
            told.contains("answered 401: authorization failed (check the token"),
            "{told}"
        );
    }
    assert_eq!(values(&server, "db").len(), 1);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told() {
    let server = InfluxDb::start();
    let mut sink = InfluxSink::<f64>::new(&InfluxServer::new(&server.url()).unwrap().bucket("nowhere"));
    let stats = sink.stats();
    sink.feed(1.5).await.unwrap();
    sink.close().await.unwrap();
    let told = stats.last_error().unwrap();
    assert!(stats.refused() == 1 && told.contains("database not found"), "{told}");
}

#[tokio::test]
async fn points_of_another_type_or_too_old_are_refused_without_the_others() {
    let server = InfluxDb::start();
    let mut sink = InfluxSink::raw(&v1(&server, "db"));
    let (stats, refusals) = (sink.stats(), sink.refusals());
    let number = |n: i64| Point::new("m").field("v", n).at_nanoseconds(n);
    sink.feed(number(0)).await.unwrap();
    for n in 1..500 {
        let point =
            if n % 100 == 50 { Point::new("m").field("v", "a text").at_nanoseconds(n) } else { number(n) };
        sink.feed(point).await.unwrap();
    }
    sink.close().await.unwrap();
    assert_eq!((stats.written(), stats.refused(), stats.dropped()), (495, 5, 0), "{:?}", stats.last_error());
    assert_eq!(values(&server, "db").len(), 495);
    drop(sink);
    let refusals: Vec<_> = refusals.collect().await;
    let lines = refusals.iter().map(|refusal| match refusal {
        Lossy::Item(refusal) => refusal.value.as_str().unwrap().to_owned(),
        Lossy::Missed(_) => panic!("five fit"),
    });
    let lines: BTreeSet<_> = lines.collect();
    assert_eq!(lines, [50, 150, 250, 350, 450].map(|n| format!("m v=\"a text\" {n}")).into());

    server.ask("", "CREATE DATABASE short WITH DURATION 1d");
    let mut sink = InfluxSink::raw(&InfluxServer::new(&server.url()).unwrap().bucket("short"));
    let stats = sink.stats();
    for n in 0..500 {
        sink.feed(number(n)).await.unwrap();
    }
    sink.close().await.unwrap();
    assert_eq!((stats.written(), stats.refused()), (0, 500));
    assert!(stats.last_error().unwrap().contains("retention policy"), "{:?}", stats.last_error());
}

/// The metric of a point's field, and its value.
type Metric = (BTreeMap<String, String>, f64);

#[tokio::test]
async fn what_victoria_metrics_stores_is_what_was_meant() {
    let server = VictoriaMetrics::start();
    let mut runner = TestRunner::new(Config::default());
    let mut meanings: Vec<Metric> = Vec::new();
    let mut sink = InfluxSink::raw(&InfluxServer::new(&server.url()).unwrap());
    let (stats, mut fed) = (sink.stats(), 0);
    for number in 0..2000_u32 {
        // It keeps numbers, and has reserved `db` and `__name__`.
        let read = meant(&point().new_tree(&mut runner).unwrap().current());
        let value = f64::from(number);
        let fresh = read
            .tags
            .iter()
            .fold(Point::new(read.measurement.clone()), |point, (k, v)| point.tag(k, v.as_str()));
        let Some(field) = read.fields.keys().next() else { continue };
        let fresh =
            fresh.tag("number", number).field(field.clone(), value).at_nanoseconds(1_700_000_000_000_000_000);
        let is_reserved = read.tags.keys().any(|key| key == "db" || key == "__name__");
        if is_reserved || fresh.line(Precision::Nanoseconds).is_err() {
            continue;
        }
        let mut metric = meant(&fresh).tags;
        metric.insert("__name__".to_owned(), format!("{}_{field}", read.measurement));
        meanings.push((metric, value));
        sink.feed(fresh).await.unwrap();
        fed += 1;
    }
    sink.close().await.unwrap();
    assert_eq!(stats.written() + stats.refused(), fed, "{:?}", stats.last_error());
    let stored: Vec<Metric> = server
        .export()
        .into_iter()
        .map(|series| {
            (serde_json::from_value(series["metric"].clone()).unwrap(), series["values"][0].as_f64().unwrap())
        })
        .collect();
    assert_eq!(stored.len() as u64, stats.written());
    let number = |(_, value): &Metric| value.to_bits();
    let stored: BTreeMap<_, _> = stored.into_iter().map(|metric| (number(&metric), metric)).collect();
    let meanings: BTreeMap<_, _> = meanings.into_iter().map(|metric| (number(&metric), metric)).collect();
    for (number, stored) in &stored {
        assert_eq!(Some(stored), meanings.get(number));
    }
    assert!(stored.len() > 300, "{} points could be written", stored.len());
}
