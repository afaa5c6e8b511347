//! What queries give.

use crate::http::edge::peer::{Posted, StandIn};
use crate::server::InfluxDb;
use axum::http::StatusCode;
use futures::{SinkExt, StreamExt, TryStreamExt};
use mape::edge::influxdb::Point;
use mape::edge::{Error, InfluxServer, InfluxSink, InfluxSource};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, PartialEq, Deserialize)]
struct Row {
    time: i64,
    n: i64,
    of: Option<String>,
}

#[tokio::test]
async fn influxql_gives_what_was_written_however_much_it_is() {
    let server = InfluxDb::start();
    server.create("db");
    let target = InfluxServer::new(&server.url()).unwrap().bucket("db");
    let mut sink = InfluxSink::raw(&target);
    for n in 0..25_000_i64 {
        sink.feed(Point::new("count").tag("of", "all").field("n", n).at_nanoseconds(n)).await.unwrap();
    }
    sink.close().await.unwrap();
    let rows: Vec<Row> =
        InfluxSource::influxql(&target, "SELECT n FROM count GROUP BY \"of\"").try_collect().await.unwrap();
    assert!(rows.iter().map(|row| (row.time, row.n)).eq((0..25_000).map(|n| (n, n))));
    assert!(rows.iter().all(|row| row.of.as_deref() == Some("all")));

    let mut none = InfluxSource::<Row>::influxql(&target, "SELECT n FROM nothing");
    assert!(none.next().await.is_none());
    let mut wrong = InfluxSource::<Row>::influxql(&target, "SELECT FROM");
    let error = wrong.next().await.unwrap().unwrap_err();
    assert!(
        matches!(&error, Error::Answered { status: 400, detail, .. } if detail.contains("parsing")),
        "{error}"
    );
    assert!(wrong.next().await.is_none());
    let mut other = InfluxSource::<Row>::influxql(&target, "SELECT mean(n) FROM count");
    let error = other.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("missing field `n`"), "{error}");
}

const ANSWER: &str = "#datatype,string,long,dateTime:RFC3339,double,string\r\n#group,false,false,false,false,true\r\n\
    #default,_result,,,,\r\n,result,table,_time,_value,sector\r\n,,0,2026-01-01T00:00:00Z,1.5,north\r\n\
    ,,0,2026-01-01T00:00:01Z,2,\"old, town\"\r\n\r\n";

#[tokio::test]
async fn flux_is_asked_for_as_api_v2_wants_it() {
    let there = StandIn::answering(|_, _| ANSWER.into());
    let server = InfluxServer::new(&there.peer.service()).unwrap().org("town").token("t0ken").unwrap();
    let query = r#"from(bucket: "water")"#;
    let rows: Vec<Value> = InfluxSource::flux(&server, query).try_collect().await.unwrap();
    assert_eq!(
        rows,
        [
            json!({"result": "_result", "table": 0, "_time": "2026-01-01T00:00:00Z", "_value": 1.5, "sector": "north"}),
            json!({"result": "_result", "table": 0, "_time": "2026-01-01T00:00:01Z", "_value": 2.0, "sector": "old, town"}),
        ]
    );
    let [Posted { target, headers, body }] = &there.posted()[..] else { panic!("one request") };
    assert_eq!(target, "/api/v2/query?org=town");
    assert_eq!(
        (&headers["authorization"], &headers["accept"]),
        (&"Token t0ken".parse().unwrap(), &"application/csv".parse().unwrap())
    );
    assert_eq!(headers["content-type"], "application/json");
    let asked: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(asked["query"], query);
    assert_eq!(asked["dialect"]["annotations"], json!(["datatype", "group", "default"]));
}

#[tokio::test]
async fn a_refused_query_is_an_error_with_the_reason() {
    let there = StandIn::answering(|_, _| {
        (StatusCode::BAD_REQUEST, r#"{"code":"invalid","message":"compilation failed"}"#).into()
    });
    let server = InfluxServer::new(&there.peer.service()).unwrap();
    let error = InfluxSource::<Value>::flux(&server, "from(").try_next().await.unwrap_err();
    assert!(error.to_string().ends_with("answered 400: compilation failed"), "{error}");
    let away = InfluxServer::new("127.0.0.1:1").unwrap();
    let error = InfluxSource::<Value>::flux(&away, "x").try_next().await.unwrap_err();
    assert!(matches!(error, Error::NoAnswer { .. }));
}
