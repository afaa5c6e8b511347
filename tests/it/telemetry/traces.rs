//! One trace through several processes, as a collector sees it.

use super::collector::{Collector, Seen};
use super::program::{Running, clean, mape};
use crate::http::site::client;
use crate::patterns::example;
use crate::server::{RedisServer, free_port};
use crate::suite::eventually;
use serde_json::Value;
use std::collections::BTreeSet;

const INTERNAL: i32 = 1;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

/// The spans of a trace from its beginning on, each behind the one before; there is one way only.
fn way(spans: &[Seen], trace: &str) -> Vec<Seen> {
    let of_trace: Vec<&Seen> = spans.iter().filter(|span| span.trace == trace).collect();
    let (mut way, mut parent) = (Vec::<Seen>::new(), String::new());
    while way.len() < of_trace.len() {
        let next: Vec<&&Seen> = of_trace.iter().filter(|span| span.parent == parent).collect();
        assert_eq!(next.len(), 1, "behind `{parent}` of {of_trace:#?}");
        parent.clone_from(&next[0].id);
        way.push((*next[0]).clone());
    }
    way
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_one_trace_from_the_sensor_to_the_effector_in_three_processes() {
    let (collector, redis) = (Collector::start().await, RedisServer::start());
    let planner = format!("127.0.0.1:{}", free_port());
    let start = |role: &str| {
        let mut command = example("traced_pipeline");
        clean(&mut command);
        command.args(["--role", role, "--backend", &redis.url(), "--planner", &planner]);
        Running::start(command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url))
    };
    let (mut effector, mut plan) = (start("effector"), start("planner"));
    plan.says("listens on").await;
    let mut sensor = start("sensor");
    for program in [&mut sensor, &mut plan, &mut effector] {
        assert!(program.ends().await, "{:#?}", program.said());
    }

    let spans = collector.spans();
    let traces: BTreeSet<&str> =
        spans.iter().filter(|span| span.service == "effector").map(|span| span.trace.as_str()).collect();
    assert_eq!(traces.len(), 4, "{spans:#?}");
    // Those that travelled by themselves: a batch is a request of its own.
    let ways: Vec<Vec<Seen>> = traces.iter().map(|trace| way(&spans, trace)).collect();
    let single: Vec<&Vec<Seen>> = ways.iter().filter(|way| way.len() == 7).collect();
    assert!(!single.is_empty(), "{ways:#?}");
    for way in single {
        let told: Vec<_> =
            way.iter().map(|span| (span.service.as_str(), span.name.as_str(), span.kind)).collect();
        let post = format!("POST http://{planner}/loops/plan/elements/policy");
        assert_eq!(
            told,
            [
                ("sensor", "car.speed", INTERNAL),
                ("sensor", post.as_str(), CLIENT),
                ("planner", "POST /loops/{loop}/elements/{element}", SERVER),
                ("planner", "plan.policy", INTERNAL),
                ("planner", "append commands", PRODUCER),
                ("effector", "process commands", CONSUMER),
                ("effector", "engine.limit", INTERNAL),
            ]
        );
        assert_eq!(way[1].attributes["http.response.status_code"], "200");
        assert_eq!(way[2].attributes["client"], "127.0.0.1");
        assert_eq!(way[3].attributes["element"], "plan.policy");
    }
    // In a batch each message goes on behind its own step.
    for way in ways.iter().filter(|way| way.len() != 7) {
        let names: Vec<_> = way.iter().map(|span| span.name.as_str()).collect();
        assert_eq!(
            names,
            ["car.speed", "plan.policy", "append commands", "process commands", "engine.limit"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_in_the_trace_of_whoever_began_it_and_so_are_its_tasks_in_another_process() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let (collector, redis) = (Collector::start().await, RedisServer::start());
    let start = |name: &str, arguments: &[&str]| {
        let mut command = mape(arguments);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url).env("OTEL_SERVICE_NAME", name);
        Running::start(command.args(["--backend", &redis.url()]))
    };
    let mut worker = start("worker", &["worker"]);
    worker.says("ready").await;
    let mut server = start("server", &["serve", "--no-engine", "--listen", "127.0.0.1:0"]);
    let said = server.says("the console and the API are at").await;
    let url = said.split_whitespace().last().unwrap().trim_end_matches('/').to_owned();

    let begin =
        client().post(format!("{url}/workflows/start")).body("log:info → wait:delay(- duration: 0.01 -)");
    let begin = begin.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let answer = begin.header("tracestate", "vendor=1").send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    let id = serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()["workflow"]
        .as_str()
        .unwrap()
        .to_owned();
    let state = format!("{id}:state");
    eventually("the run is over", async || redis.cli(&["GET", &state]).contains("FINISHED")).await;
    assert!(worker.terminate().await && server.terminate().await, "{:#?}", worker.said());

    let spans = collector.spans();
    let find = |name: &str| {
        let found: Vec<_> = spans.iter().filter(|span| span.name == name && span.trace == TRACE).collect();
        assert_eq!(found.len(), 1, "{name}: {spans:#?}");
        found[0].clone()
    };
    let request = find("POST /workflows/start");
    assert_eq!((request.service.as_str(), request.parent.as_str()), ("server", "00f067aa0ba902b7"));
    assert_eq!(request.state, "vendor=1");
    let run = spans.iter().find(|span| span.name.starts_with("begin ") && span.trace == TRACE).unwrap();
    assert_eq!((run.service.as_str(), &run.parent), ("server", &request.id));
    for name in ["task log:info", "task wait:delay"] {
        let task = find(name);
        assert_eq!((task.service.as_str(), &task.parent), ("worker", &run.id), "{spans:#?}");
        assert_eq!(task.attributes["workflow"], id.trim_start_matches("workflow:"));
    }
}
