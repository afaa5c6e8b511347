//! What PyMAPE's observer did wrong, and what is written of items by default.

use crate::http::edge::peer::{Reply, StandIn};
use crate::suite::eventually;
use axum::http::StatusCode;
use flate2::read::GzDecoder;
use futures::SinkExt;
use mape::app::App;
use mape::edge::influxdb::{FieldValue, Point};
use mape::edge::{InfluxServer, InfluxSink};
use mape::element::{ElementPath, LinkOptions, Message};
use serde::Serialize;
use std::io::Read;
use std::time::{Duration, SystemTime};

/// The lines of a body as it was sent.
pub(super) fn unpacked(body: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(body).read_to_string(&mut text).unwrap();
    text
}

/// All lines that a stand-in was sent.
pub(super) fn lines(there: &StandIn) -> Vec<String> {
    let bodies = there.posted();
    bodies
        .iter()
        .flat_map(|posted| unpacked(&posted.body).lines().map(String::from).collect::<Vec<_>>())
        .collect()
}

pub(super) fn takes_all() -> StandIn {
    StandIn::answering(|_, _| Reply::from(StatusCode::NO_CONTENT))
}

pub(super) fn server(there: &StandIn) -> InfluxServer {
    InfluxServer::new(&there.peer.service()).unwrap().org("town").bucket("water")
}

fn at(nanoseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

#[derive(Clone, Debug, Serialize)]
struct Flow {
    value: f64,
    sector: &'static str,
    note: Option<&'static str>,
}

const FLOW: Flow = Flow { value: 42.5, sector: "old town", note: None };

#[tokio::test]
async fn no_configuration_is_needed_and_the_time_of_a_message_is_its_own() {
    let there = takes_all();
    let app = App::new();
    let flows = app.create_loop("water").unwrap().monitor("flows").map_message(Flow::clone).spawn().unwrap();
    let sink = InfluxSink::new(&server(&there));
    let stats = sink.stats();
    flows.link_sink(sink, LinkOptions::new()).unwrap();
    flows.start().unwrap();
    let meter = ElementPath::new("water", "meter");
    flows
        .push(Message::new(FLOW).at(at(1_500_000_000_000_000_007)).from(&meter).to("water.pump"))
        .await
        .unwrap();
    assert!(app.shutdown(Duration::from_secs(10)).await.is_clean());
    // Nothing of its way: each message would begin a series of its own.
    assert_eq!(lines(&there), [r"Message,sector=old\ town value=42.5 1500000000000000007"]);
    assert_eq!((stats.written(), stats.queued()), (1, 0));
}

#[tokio::test]
async fn tags_fields_time_and_measurement_are_what_one_says() {
    let there = takes_all();
    let server = server(&there);
    let mut sink = InfluxSink::<Flow>::new(&server)
        .measurement("flow")
        .tags(|flow| ("in", flow.sector))
        .fields(|flow| {
            vec![
                ("litres", FieldValue::from(flow.value)),
                ("note", flow.note.into()),
                ("fast", (flow.value > 9.0).into()),
            ]
        })
        .time(|_| at(7));
    sink.feed(FLOW).await.unwrap();
    sink.close().await.unwrap();
    let mut sink = InfluxSink::<Flow>::new(&server)
        .fields(|_| [("a", 1), ("b", 2)])
        .tags(|_| None::<(&str, &str)>)
        .time(|_| at(8));
    sink.feed(FLOW).await.unwrap();
    sink.close().await.unwrap();
    let mut sink = InfluxSink::points(&server, |n: i64| Point::new("count").field("n", n).at_nanoseconds(n));
    sink.send_all(&mut futures::stream::iter([Ok(1), Ok(2)])).await.unwrap();
    sink.close().await.unwrap();
    let wanted =
        [r"flow,in=old\ town fast=true,litres=42.5 7", "Flow a=1i,b=2i 8", "count n=1i 1", "count n=2i 2"];
    assert_eq!(lines(&there), wanted);
}

#[tokio::test]
async fn an_item_without_a_field_is_skipped_and_one_that_cannot_be_written_refused_and_both_are_told() {
    let there = takes_all();
    let mut sink =
        InfluxSink::<Flow>::new(&server(&there)).fields(|flow| ("note", flow.note)).time(|_| at(1));
    let (stats, refusals) = (sink.stats(), sink.refusals());
    sink.feed(FLOW).await.unwrap();
    sink.feed(Flow { note: Some("leak"), ..FLOW }).await.unwrap();
    sink.feed(Flow { note: Some("leak"), sector: "C:\\", ..FLOW }).await.unwrap();
    sink.close().await.unwrap();
    assert_eq!((stats.written(), stats.skipped(), stats.refused(), stats.dropped()), (1, 1, 1, 0));
    drop(sink);
    let refused: Vec<_> = futures::StreamExt::collect(refusals).await;
    let [mape::stream::Lossy::Item(refusal)] = refused.as_slice() else { panic!("{refused:?}") };
    assert!(refusal.error.to_string().contains("backslash"), "{}", refusal.error);
    assert_eq!(refusal.value["tags"]["sector"], "C:\\");
}

#[tokio::test]
async fn what_cannot_be_written_is_seen_in_the_counters_and_at_the_metrics() {
    let there = StandIn::answering(|_, _| {
        (StatusCode::UNAUTHORIZED, r#"{"code":"unauthorized","message":"unauthorized access"}"#).into()
    });
    let server = server(&there).token("s3cret-token").unwrap();
    let mut sink = InfluxSink::<f64>::new(&server);
    let stats = sink.stats();
    sink.feed(1.0).await.unwrap();
    sink.close().await.unwrap();
    let told = stats.last_error().unwrap();
    assert!(told.contains("401: unauthorized access") && told.contains("check the token"), "{told}");
    assert_eq!((stats.refused(), stats.written(), there.posted().len()), (1, 0, 1));
    let shown = format!("{server:?} {sink:?} {told}");
    assert!(!shown.contains("s3cret"), "{shown}");
    let metrics = mape::telemetry::Snapshot::of(&App::new()).text(mape::telemetry::Format::Prometheus);
    let line = metrics
        .lines()
        .find(|line| line.starts_with("mape_sink_refused_total") && line.contains(&there.peer.service()));
    assert!(line.is_some_and(|line| line.ends_with(" 1")), "{line:?}");
}

#[tokio::test]
async fn dropping_a_sink_loses_what_is_left_and_counts_it() {
    let there = StandIn::answering(|_, _| Reply::from(StatusCode::SERVICE_UNAVAILABLE));
    let mut sink = InfluxSink::<f64>::new(&server(&there));
    let stats = sink.stats();
    for n in 0..10 {
        sink.feed(f64::from(n)).await.unwrap();
    }
    drop(sink);
    eventually("the loss is counted", async || stats.dropped() == 10).await;
    assert_eq!(stats.queued(), 0);
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn each_request_is_logged_if_that_is_asked_for_and_no_secret_with_it() {
    let there = takes_all();
    let (log, _guard) = crate::redis::log::Log::listen();
    for debug in [false, true] {
        let server = server(&there).token("s3cret-token").unwrap().debug(debug);
        let mut sink = InfluxSink::<f64>::new(&server);
        sink.feed(1.0).await.unwrap();
        sink.close().await.unwrap();
    }
    let said = log.all();
    let requests: Vec<_> = said.iter().filter(|(_, line)| line.contains("wrote to InfluxDB")).collect();
    let [(tracing::Level::INFO, line)] = requests.as_slice() else { panic!("{said:?}") };
    assert!(
        line.contains("points=1") && line.contains("status=204") && line.contains("api/v2/write"),
        "{line}"
    );
    assert!(!said.iter().any(|(_, line)| line.contains("s3cret")), "{said:?}");
}
