//! Logs, as people and programs read them.

use super::program::{Running, mape};
use crate::http::site::client;
use serde_json::Value;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn served(variables: &[(&str, &str)]) -> (Running, String) {
    let mut command = mape(&["serve", "--backend", "memory:", "--listen", "127.0.0.1:0"]);
    let program = Running::start(command.envs(variables.iter().copied()));
    let said = program.says("the console and the API are at").await;
    // The line may be one of JSON.
    let url = said.split("are at ").last().unwrap().split(['"', ' ']).next().unwrap();
    let url = url.trim_end_matches('/').to_owned();
    (program, url)
}

/// Has a task say something, in a trace.
async fn greet(url: &str) {
    let run = serde_json::json!({"flow": "log:info(- message: hello -)"});
    let begin =
        client().post(format!("{url}/runs")).body(run.to_string()).header("content-type", "application/json");
    let begin = begin.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    assert!(begin.send().await.unwrap().status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_for_programs_is_an_object_with_the_task_and_its_trace() {
    let (mut program, url) = served(&[("MAPE_TELEMETRY__LOG_FORMAT", "json"), ("LOG_LEVEL", "DEBUG")]).await;
    greet(&url).await;
    program.says("hello").await;
    assert!(program.terminate().await);
    let said = program.said();
    // Also what the program says of itself.
    let lines: Vec<Value> = said.iter().map(|line| serde_json::from_str(line).expect(line)).collect();
    let find = |text: &str| {
        let found = lines.iter().find(|line| line.to_string().contains(text));
        found.unwrap_or_else(|| panic!("{text}: {said:#?}")).clone()
    };
    let hello = find("hello");
    assert_eq!(
        (&hello["level"], &hello["task"], &hello["trace_id"]),
        (&"INFO".into(), &"log:info".into(), &TRACE.into())
    );
    assert_eq!(hello["span_id"].as_str().unwrap().len(), 16);
    assert!(hello["uptime_ms"].is_u64() && hello["timestamp"].as_str().unwrap().ends_with('Z'));
    let request = find("\"method\":\"POST\"");
    assert_eq!((&request["client"], &request["trace_id"]), (&"127.0.0.1".into(), &TRACE.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_for_people_names_the_client_or_the_server_and_the_task() {
    let (mut program, url) =
        served(&[("MAPE_TELEMETRY__LOG", "info,mape::http=debug"), ("MAPE_TELEMETRY__COLORS", "always")])
            .await;
    greet(&url).await;
    let hello = program.says("hello").await;
    assert!(hello.contains(" INFO [S] ") && hello.contains("log:info: "), "{hello}");
    let request = program.says("request").await;
    assert!(request.contains("\u{1b}[95m[127.0.0.1] request"), "{request}");
    assert!(program.terminate().await);
    // No terminal, no colours; nor with NO_COLOR.
    let (mut program, url) = served(&[("LOG_LEVEL", "info"), ("NO_COLOR", "1")]).await;
    greet(&url).await;
    let hello = program.says("hello").await;
    assert!(!hello.contains('\u{1b}'), "{hello}");
    assert!(program.terminate().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_level_of_everybody_is_read_and_ours_is_stronger() {
    let (mut program, url) = served(&[("LOG_LEVEL", "WARNING")]).await;
    greet(&url).await;
    client().get(format!("{url}/loops")).send().await.unwrap();
    assert!(program.terminate().await);
    assert!(program.said().iter().all(|line| !line.contains("hello")), "{:#?}", program.said());
    let (mut program, url) = served(&[("LOG_LEVEL", "WARNING"), ("MAPE_TELEMETRY__LOG", "info")]).await;
    greet(&url).await;
    program.says("hello").await;
    assert!(program.terminate().await);
}
