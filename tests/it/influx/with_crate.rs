//! Points and queries of the crate `influxdb2`.

use crate::http::edge::peer::StandIn;
use futures::{SinkExt, TryStreamExt};
use influxdb2::models::{DataPoint, FieldValue, Query, WriteDataPoint};
use mape::edge::influxdb::{Point, Precision};
use mape::edge::{InfluxSink, InfluxSource};
use proptest::prelude::*;
use serde_json::{Value, json};

fn value(number: u8, text: &str) -> FieldValue {
    match number % 4 {
        0 => FieldValue::from(text),
        1 => f64::from(number).into(),
        2 => i64::from(number).into(),
        _ => (number > 100).into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// What is taken of it is what was put into it, or nothing.
    #[test]
    fn no_data_point_becomes_another(
        measurement in super::awkward::text(),
        tags in prop::collection::btree_map(super::awkward::text(), super::awkward::text(), 0..3),
        fields in prop::collection::btree_map(super::awkward::text(), (any::<u8>(), super::awkward::text()), 1..3),
        time in any::<Option<i64>>(),
    ) {
        let mut builder = DataPoint::builder(measurement.clone());
        let mut wanted = Point::new(measurement);
        for (name, value) in &tags {
            builder = builder.tag(name, value);
            wanted = wanted.tag(name, value.as_str());
        }
        for (name, (number, text)) in &fields {
            builder = builder.field(name, value(*number, text));
            wanted = match value(*number, text) {
                FieldValue::String(text) => wanted.field(name, text),
                FieldValue::F64(number) => wanted.field(name, number),
                FieldValue::I64(number) => wanted.field(name, number),
                FieldValue::Bool(truth) => wanted.field(name, truth),
            };
        }
        if let Some(time) = time {
            builder = builder.timestamp(time);
            wanted = wanted.at_nanoseconds(time);
        }
        if let Ok(point) = Point::try_from(builder.build().unwrap()) {
            prop_assert_eq!(point, wanted);
        }
    }
}

#[test]
fn what_the_crate_would_corrupt_is_refused_and_the_rest_is_taken() {
    let data = || DataPoint::builder("m").field("v", 1.5).timestamp(7);
    let line = |point: DataPoint| Point::try_from(point)?.line(Precision::Nanoseconds);
    assert_eq!(
        line(data().tag("t", "old town").build().unwrap()).unwrap().unwrap(),
        r"m,t=old\ town v=1.5 7"
    );
    let quoted = data().field("text", r#"C:\ "x""#).build().unwrap();
    assert_eq!(line(quoted).unwrap().unwrap(), r#"m text="C:\\ \"x\"",v=1.5 7"#);
    for point in [
        data().tag("t", "ends\\").build().unwrap(),
        data().tag("t", "two\nlines v=2").build().unwrap(),
        data().field("w", f64::NAN).build().unwrap(),
        data().field("text", "ends\\").build().unwrap(),
    ] {
        let mut written = Vec::new();
        point.write_data_point_to(&mut written).unwrap();
        assert!(line(point).is_err(), "{}", String::from_utf8_lossy(&written));
    }
}

#[tokio::test]
async fn its_points_go_through_the_sink_and_its_client_is_a_source() {
    const ANSWER: &str = "#datatype,string,long,double\r\n#group,false,false,false\r\n#default,_result,,\r\n\
        ,result,table,_value\r\n,,0,1.5\r\n";
    let there = StandIn::answering(|_, posted| {
        if posted.target.contains("query") {
            ANSWER.into()
        } else {
            axum::http::StatusCode::NO_CONTENT.into()
        }
    });
    let mut sink = InfluxSink::<DataPoint>::raw(&super::defaults::server(&there));
    let stats = sink.stats();
    for tag in ["good", "bad\\"] {
        sink.feed(DataPoint::builder("m").tag("t", tag).field("v", 1).timestamp(1).build().unwrap())
            .await
            .unwrap();
    }
    sink.close().await.unwrap();
    assert_eq!((stats.written(), stats.refused()), (1, 1));
    assert_eq!(super::defaults::lines(&there), ["m,t=good v=1i 1"]);
    let client = influxdb2::Client::new(format!("http://{}", there.peer.service()), "town", "t0ken");
    let rows: Vec<Value> =
        InfluxSource::influxdb2(client, Query::new("from()".to_owned())).try_collect().await.unwrap();
    assert_eq!(rows[0]["_value"], json!(1.5));
    let client = influxdb2::Client::new("http://127.0.0.1:1", "town", "t0ken");
    let error =
        InfluxSource::<Value>::influxdb2(client, Query::new(String::new())).try_next().await.unwrap_err();
    assert!(!error.to_string().contains("t0ken"), "{error}");
}
