//! Every line says what the point is, to whoever reads it.

use super::awkward::{meant, point};
use super::parser::{Read, read};
use crate::server::InfluxDb;
use crate::suite::eventually;
use futures::SinkExt;
use mape::edge::influxdb::{FieldValue, Point, Precision};
use mape::edge::{InfluxServer, InfluxSink};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_written_is_read_by_another_as_it_was_meant(points in prop::collection::vec(point(), 1..4)) {
        let lines = points.iter().filter_map(|point| Some((point, point.line(Precision::Nanoseconds).ok()??)));
        let (meanings, lines): (Vec<_>, Vec<_>) = lines.map(|(point, line)| (meant(point), line)).unzip();
        prop_assert_eq!(read(&lines.join("\n")), meanings);
    }

    #[test]
    fn only_what_a_line_cannot_say_is_refused(point in point()) {
        let read = meant(&point);
        let keys: Vec<_> = read.tags.keys().chain(read.fields.keys()).collect();
        let names = [&read.measurement].into_iter().chain(keys.iter().copied()).chain(read.tags.values());
        let backslash = |text: &String| {
            text.ends_with('\\') || ["\\,", "\\=", "\\ ", "\\\""].iter().any(|pair| text.contains(pair))
        };
        let skipped = |text: &String| text.starts_with(['\t', '\0']);
        let bad = names.clone().any(|text| backslash(text) || text.contains('\n') || text.is_empty())
            || keys.iter().any(|key| *key == "time")
            || read.fields.keys().chain([&read.measurement]).any(skipped)
            || read.measurement.starts_with('#')
            || !(i64::MIN + 2..i64::MAX).contains(&read.time.unwrap());
        match point.line(Precision::Nanoseconds) {
            Err(_) => prop_assert!(bad),
            Ok(Some(_)) => prop_assert!(!bad),
            Ok(None) => prop_assert!(read.fields.is_empty()),
        }
    }
}

/// What InfluxDB has stored of a database.
fn stored(server: &InfluxDb, database: &str) -> Vec<Read> {
    let mut all = Vec::new();
    for series in server.series(database) {
        let tags: std::collections::BTreeMap<_, _> =
            series.tags.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        for row in series.values {
            let mut cells = series.columns.iter().cloned().zip(row);
            let time = cells.next().unwrap().1.as_i64();
            let fields =
                cells.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, field(&value)));
            all.push(Read {
                measurement: series.name.clone(),
                tags: tags.clone(),
                fields: fields.collect(),
                time,
            });
        }
    }
    all
}

fn field(value: &Value) -> super::parser::Field {
    use super::parser::Field;
    match value {
        Value::Bool(truth) => Field::Boolean(*truth),
        Value::String(text) => Field::Text(text.clone()),
        number => Field::Float(number.as_f64().unwrap()),
    }
}

/// JSON says nothing of integers and floats; types in one measurement must not differ.
fn comparable(mut read: Read) -> Read {
    use super::parser::Field;
    for value in read.fields.values_mut() {
        if let Field::Integer(number) = value {
            *value = Field::Float(*number as f64);
        }
    }
    read
}

#[tokio::test]
async fn what_influxdb_stores_is_what_was_meant() {
    let server = InfluxDb::start();
    server.create("texts");
    let mut runner = TestRunner::new(Config::default());
    let mut meanings: Vec<Read> = Vec::new();
    let target = InfluxServer::new(&server.url()).unwrap().bucket("texts");
    let mut sink = InfluxSink::raw(&target);
    let stats = sink.stats();
    for number in 0..3000 {
        let point = point().new_tree(&mut runner).unwrap().current();
        let read = meant(&point);
        // Servers want one type of a field, and a series of its own for each shows what is lost; InfluxQL gives
        // no times before the year 1678, and no tag and field of one name apart.
        let tag = format!("n{number}");
        let clash = read.fields.keys().any(|key| read.tags.contains_key(key));
        let floats = read
            .fields
            .values()
            .all(|value| !matches!(value, super::parser::Field::Integer(n) if n.unsigned_abs() > 1 << 50));
        if clash || !floats {
            continue;
        }
        let json = serde_json::to_value(&point).unwrap();
        // InfluxQL has no names with these.
        let measurement = json["measurement"].as_str().unwrap().replace(['\0', '\r'], "");
        let measurement = format!("{measurement}{tag}");
        let mut fresh = Point::new(measurement).at_nanoseconds(number * 1_000);
        for (name, value) in json["tags"].as_object().unwrap() {
            fresh = fresh.tag(name, value.as_str().unwrap());
        }
        for (name, value) in json["fields"].as_object().unwrap() {
            fresh = fresh.field(name, serde_json::from_value::<FieldValue>(value.clone()).unwrap());
        }
        if fresh.line(Precision::Nanoseconds).is_ok_and(|line| line.is_some()) {
            meanings.push(comparable(meant(&fresh)));
        }
        sink.feed(fresh).await.unwrap();
    }
    sink.close().await.unwrap();
    eventually("all is written", async || stats.queued() == 0).await;
    assert_eq!(stats.written(), meanings.len() as u64, "{:?}", stats.last_error());
    assert!(meanings.len() > 500, "{} points could be written", meanings.len());
    let mut stored = stored(&server, "texts");
    let key = |read: &Read| read.time;
    stored.sort_by_key(key);
    meanings.sort_by_key(key);
    for (stored, meant) in stored.iter().zip(&meanings) {
        assert_eq!(stored, meant);
    }
    assert_eq!(stored.len(), meanings.len());
}
