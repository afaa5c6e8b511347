//! What gets to a collector, and what becomes of the work if it does not.

use super::collector::{Collector, Instead, numbers};
use super::program::{Running, clean, mape};
use crate::http::site::client;
use crate::patterns::example;
use crate::server::free_port;
use crate::suite::eventually;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use std::time::{Duration, Instant};

fn pipeline(collector: &str) -> Running {
    let mut command = example("traced_pipeline");
    clean(&mut command);
    Running::start(command.arg("--demo").env("OTEL_EXPORTER_OTLP_ENDPOINT", collector))
}

fn has_done_its_work(program: &Running) -> bool {
    program.said().iter().filter(|line| line.starts_with("effector")).count() == 4
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_costs_the_spans_and_not_the_work_and_is_told() {
    let begun = Instant::now();
    let mut program = pipeline(&format!("http://127.0.0.1:{}", free_port()));
    assert!(program.ends().await && has_done_its_work(&program), "{:#?}", program.said());
    assert!(begun.elapsed() < Duration::from_secs(10));
    program.says("cannot be sent").await;
    program.says("spans did not get to the collector dropped=").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_holds_the_end_up_for_five_seconds_and_the_work_not_at_all() {
    let collector = Collector::start_with([Instead::Nothing, Instead::Nothing]).await;
    let begun = Instant::now();
    let mut program = pipeline(&collector.url);
    eventually("the work is done", async || has_done_its_work(&program)).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(program.ends().await);
    program.says("the collector takes too long").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_busy_collector_refuses_for_now_is_sent_again_and_all_of_it_arrives() {
    let collector = Collector::start_with([Instead::Answer(503), Instead::Answer(429)]).await;
    let mut program = mape(&["serve", "--backend", "memory:", "--listen", "127.0.0.1:0"]);
    program.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url);
    let mut program = Running::start(&mut program);
    let url = url(&program).await;
    for _ in 0..3 {
        client().get(format!("{url}/loops")).send().await.unwrap();
    }
    let arrived = async || collector.spans().iter().filter(|span| span.name == "GET /loops").count() == 3;
    eventually("all spans arrive", arrived).await;
    program.says("get through again").await;
    assert!(program.terminate().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_collector_rejects_is_told_with_its_reason() {
    let collector = Collector::start_with([Instead::Reject(2)]).await;
    let mut program = pipeline(&collector.url);
    assert!(program.ends().await);
    program.says("the collector did not take all").await;
    program.says("too old").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_arrive_with_counters_gauges_and_histograms_and_headers_with_them() {
    let collector = Collector::start().await;
    let mut program = mape(&["serve", "--backend", "memory:", "--listen", "127.0.0.1:0"]);
    program
        .env("MAPE_TELEMETRY__ENDPOINT", &collector.url)
        .env("MAPE_TELEMETRY__INTERVAL", "100ms")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter2");
    let mut program = Running::start(&mut program);
    let url = url(&program).await;
    client().get(format!("{url}/loops")).send().await.unwrap();
    let tasks =
        async || collector.metric("mape_exporter_exported").is_some_and(|metric| numbers(&metric).len() == 2);
    eventually("spans and metrics were sent and counted", tasks).await;
    let gauge = collector.metric("process_resident_memory_bytes");
    if let Some(gauge) = gauge {
        assert_eq!(gauge.unit, "By");
        assert!(numbers(&gauge)[0].1 > 1e6);
    }
    let histogram = collector.metric("mape_exporter_request_seconds").unwrap();
    assert_eq!(histogram.unit, "s");
    assert!(matches!(histogram.data, Some(Data::Histogram(_))));
    assert!(collector.headers().iter().all(|headers| headers["authorization"] == "Bearer hunter2"));
    assert!(program.terminate().await);
    assert!(!program.said().join("\n").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_trace_is_recorded_that_is_not_sampled() {
    let collector = Collector::start().await;
    let mut program = mape(&["serve", "--backend", "memory:", "--listen", "127.0.0.1:0"]);
    program.env("MAPE_TELEMETRY__ENDPOINT", &collector.url).env("MAPE_TELEMETRY__SAMPLING", "0");
    let mut program = Running::start(&mut program);
    let url = url(&program).await;
    let get = |path: &str| client().get(format!("{url}{path}"));
    get("/loops").send().await.unwrap();
    let said = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0";
    get("/levels").header("traceparent", format!("{said}0")).send().await.unwrap();
    // Whoever began it has decided.
    get("/runs").header("traceparent", format!("{said}1")).send().await.unwrap();
    assert!(program.terminate().await);
    let names: Vec<_> = collector.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["GET /runs"]);
}

async fn url(program: &Running) -> String {
    let said = program.says("the console and the API are at").await;
    said.split_whitespace().last().unwrap().trim_end_matches('/').to_owned()
}
