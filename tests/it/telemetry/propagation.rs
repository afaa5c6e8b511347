//! Where a trace goes through this library, also where nobody records spans.

use super::stand_in::StandIn;
use crate::http::site::Site;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use futures::{SinkExt, StreamExt};
use mape::app::App;
use mape::backend::Backend;
use mape::channel::{Envelope, Incoming};
use mape::edge::{Endpoints, PostOptions, PostSink};
use mape::element::{Call, ElementPath, LinkOptions, Message};
use mape::http::Service;
use mape::stream::trace::TraceContext;
use mape::workflow::{Engine, Invocation, Task, Tasks, Worker};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER: &str = "00-00000000000000000000000000000007-0000000000000009-01";

fn context() -> TraceContext {
    TraceContext::parse(PARENT, Some("vendor=1")).unwrap()
}

/// What a task, method or request sees of its trace.
fn seen() -> Value {
    let context = TraceContext::current();
    json!(context.map(|context| format!("{context} {}", context.state().unwrap_or_default())))
}

fn expected() -> Value {
    json!(format!("{PARENT} vendor=1"))
}

#[test]
fn a_message_keeps_its_trace_on_its_way_and_in_writing() {
    let path = ElementPath::new("car", "detect");
    let message = Message::new(1).traced_by(&context());
    assert_eq!((message.trace(), message.context()), (TRACE, Some(&context())));
    let hopped = message.hop(&path).hop_with(&path, "two");
    // Nobody records spans: what came in goes out.
    assert_eq!((hopped.trace(), hopped.context()), (TRACE, Some(&context())));
    let written = serde_json::to_value(&hopped).unwrap();
    assert_eq!((&written["traceparent"], &written["tracestate"]), (&json!(PARENT), &json!("vendor=1")));
    let back: Message<String> = serde_json::from_value(written).unwrap();
    assert_eq!(back.context(), Some(&context()));
    let packed: Message<i32> = rmp_serde::from_slice(&rmp_serde::to_vec(&message).unwrap()).unwrap();
    assert_eq!(packed.context(), Some(&context()));
    assert_eq!(Message::new(2).caused_by(&message).context(), Some(&context()));
}

#[test]
fn a_message_of_before_is_read_and_one_that_is_not_traced_is_written_as_before() {
    let mut written = serde_json::to_value(Message::new(1)).unwrap();
    let mut names: Vec<_> = written.as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(names, ["at", "dst", "hops", "id", "src", "trace", "value"]);
    let back: Message<i32> = serde_json::from_value(written.clone()).unwrap();
    assert_eq!((back.context(), back.trace()), (None, back.id()));
    // What is wrong, or of another trace, is left out.
    for parent in ["nonsense", OTHER] {
        written["traceparent"] = json!(parent);
        assert_eq!(serde_json::from_value::<Message<i32>>(written.clone()).unwrap().context(), None);
    }
}

#[test]
fn what_brings_a_message_is_its_last_step_unless_it_is_of_another_trace() {
    let mut written = serde_json::to_value(Message::new(1)).unwrap();
    written.as_object_mut().unwrap().remove("trace");
    let read = |written: &Value| serde_json::from_value::<Message<i32>>(written.clone()).unwrap();
    assert_eq!(context().run(|| read(&written)).context(), Some(&context()));
    assert_eq!(read(&written).trace(), written["id"].as_str().unwrap());
    written["trace"] = json!(TRACE);
    assert_eq!(context().run(|| read(&written)).context(), Some(&context()));
    let other: TraceContext = OTHER.parse().unwrap();
    assert_eq!(other.run(|| read(&written)).context(), None);
    assert_eq!(context().run(|| Message::new(3)).trace(), TRACE);
}

#[tokio::test]
async fn a_sink_that_posts_passes_the_trace_of_a_single_message_on() {
    type Got = Arc<Mutex<Vec<HeaderMap>>>;
    async fn take(State(got): State<Got>, headers: HeaderMap) {
        got.lock().unwrap().push(headers);
    }
    let got = Got::default();
    let peer = StandIn::serve(Router::new().route("/take", post(take)).with_state(got.clone())).await;
    let address = &peer.address;

    let mut sink = PostSink::<Message<i32>>::new(address, "/take").unwrap();
    sink.send(Message::new(1).traced_by(&context())).await.unwrap();
    sink.send(Message::new(2)).await.unwrap();
    let mut plain = PostSink::<i32>::new(address, "/take").unwrap();
    plain.send(3).await.unwrap();
    let got = got.lock().unwrap().clone();
    assert_eq!(
        (&got[0]["traceparent"], &got[0]["tracestate"]),
        (&PARENT.parse().unwrap(), &"vendor=1".parse().unwrap())
    );
    // Nobody records spans, so there is nothing to be said of the others.
    assert!(got[1..].iter().all(|headers| !headers.contains_key("traceparent")), "{got:?}");
}

#[tokio::test]
async fn a_port_and_an_endpoint_take_a_message_without_trace_into_that_of_the_request() {
    let app = App::new();
    let policy = app.create_loop("car").unwrap().plan("policy").map_message(|n: &i32| *n).spawn().unwrap();
    policy.expose();
    let endpoints = Endpoints::new();
    let mut source = endpoints.source::<Message<i32>>("/hook", PostOptions::new()).unwrap();
    let site = Site::with(Service::new(&app).endpoints(&endpoints)).await;
    let mut out = policy.subscribe();

    let mut message = serde_json::to_value(Message::new(1)).unwrap();
    message.as_object_mut().unwrap().remove("trace");
    for path in ["/loops/car/elements/policy", "/hook"] {
        let request = site.request(reqwest::Method::POST, path).body(message.to_string());
        let request = request.header("traceparent", PARENT).header("tracestate", "vendor=1");
        assert!(request.send().await.unwrap().status().is_success());
    }
    assert_eq!(out.next().await.unwrap().context(), Some(&context()));
    assert_eq!(source.next().await.unwrap().context(), Some(&context()));
}

#[tokio::test]
async fn an_envelope_says_the_trace_of_its_message_and_is_otherwise_as_before() {
    let backend = Backend::memory();
    let mut raw = backend.channels().subscribe(["speed"]).await.unwrap();
    let mut source = Box::pin(backend.channels().source::<Message<i32>>(["speed"]).await.unwrap().received());
    let mut sink = backend.channels().sink::<Message<i32>>("speed");
    sink.send(Message::new(1).traced_by(&context())).await.unwrap();
    sink.send(Message::new(2)).await.unwrap();

    let Some(Incoming::Delivery(first)) = raw.next().await else { panic!("nothing came") };
    let envelope: Envelope<Value> = serde_json::from_slice(&first.payload).unwrap();
    assert_eq!(
        (envelope.traceparent.as_deref(), envelope.tracestate.as_deref()),
        (Some(PARENT), Some("vendor=1"))
    );
    let Some(Incoming::Delivery(second)) = raw.next().await else { panic!("nothing came") };
    let keys: Value = serde_json::from_slice(&second.payload).unwrap();
    let mut keys: Vec<_> = keys.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    assert_eq!(keys, ["at", "epoch", "kind", "seq", "src", "value"]);
    let received = source.next().await.unwrap();
    assert_eq!(received.origin.unwrap().context, Some(context()));
}

#[tokio::test]
async fn an_event_says_its_trace_and_so_does_its_delivery() {
    let backend = Backend::memory();
    let log = backend.events().log("orders");
    let mut source = log.group("baristas").source::<Value>().await.unwrap();
    let mut sink = log.sink::<Value>("order");
    context().scope(sink.send(json!({"cups": 2}))).await.unwrap();
    let delivery = source.next().await.unwrap().unwrap();
    assert_eq!(delivery.event().json("traceparent"), Some(format!("\"{PARENT}\"").as_str()));
    assert_eq!(delivery.context(), Some(&context()));
    delivery.acknowledge();
    sink.send(json!({"cups": 1})).await.unwrap();
    let delivery = source.next().await.unwrap().unwrap();
    assert_eq!((delivery.event().has("traceparent"), delivery.context()), (false, None));
    delivery.acknowledge();
}

#[tokio::test]
async fn a_method_is_called_in_the_trace_of_the_request_or_of_the_call() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let exec = car
        .execute("exec")
        .export("seen", |(): ()| Ok::<_, std::convert::Infallible>(seen()))
        .act(|_: i32| {})
        .spawn()
        .unwrap();
    exec.expose();
    let site = Site::of(&app).await;
    let call = site.request(reqwest::Method::POST, "/loops/car/elements/exec/methods/seen").body("null");
    let call = call.header("traceparent", PARENT).header("tracestate", "vendor=1");
    let (status, answer) = crate::http::site::answer(call).await;
    assert!(status.is_success(), "{answer}");
    assert_eq!(answer, expected());

    let caller = car.plan("caller").map(|call: Call| call).spawn().unwrap();
    caller.link_calls(&exec).unwrap();
    let (call, reply) = Call::new("seen", ()).traced_by(&context()).with_reply::<Value>();
    caller.push(call).await.unwrap();
    assert_eq!(reply.get().await.unwrap(), expected());
}

fn looking(name: &str) -> Task {
    Task::new(name, |_: Invocation| async { Ok(json!({"seen": seen()})) })
}

#[tokio::test]
async fn a_run_and_its_tasks_are_in_the_trace_of_the_request_that_began_it() {
    let app = App::new();
    let tasks = Tasks::new()
        .with(looking("here"))
        .with(Task::sync("sync", |_: &Invocation| Ok(json!({"seen": seen()}))));
    let engine = Engine::with(tasks.and_others()).start(&app).await.unwrap();
    let site = Site::with(Service::new(&app).engine(&engine)).await;
    for flow in ["here", "sync"] {
        let begin = site
            .request(reqwest::Method::POST, "/runs")
            .body(json!({"flow": flow}).to_string())
            .header("content-type", "application/json");
        let begin = begin.header("traceparent", PARENT).header("tracestate", "vendor=1");
        let (_, answer) = crate::http::site::answer(begin).await;
        let id = answer["id"].as_str().unwrap().into();
        let run = engine.attach(id).await.unwrap();
        assert_eq!(run.output().await.unwrap().unwrap()["seen"], expected());
    }
    // Also where another program does it: it learns of the trace by the event.
    let worker = Worker::new("apart", Tasks::new().with(looking("there"))).start(&app).await.unwrap();
    let run = context().scope(engine.run("there", Value::Null)).await.unwrap();
    assert_eq!(run.output().await.unwrap().unwrap()["seen"], expected());
    let run = engine.run("there", Value::Null).await.unwrap();
    assert_eq!(run.output().await.unwrap().unwrap()["seen"], Value::Null);
    worker.drain().await;
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_run_that_waits_for_an_engine_keeps_its_trace() {
    let app = App::new();
    let engine = Engine::with(Tasks::new().with(looking("here")));
    let runs = mape::workflow::Workflows::new(app.backend());
    let id = context().scope(runs.submit(None, "here", Value::Null)).await.unwrap();
    let engine = engine.start(&app).await.unwrap();
    let run = engine.attach(id).await.unwrap();
    assert_eq!(run.output().await.unwrap().unwrap()["seen"], expected());
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_sink_between_elements_loses_no_trace() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let policy = car.plan("policy").map_message(|n: &i32| *n).spawn().unwrap();
    policy.link_sink(app.channels().sink("plans"), LinkOptions::new()).unwrap();
    let mut plans = app.channels().source::<Message<i32>>(["plans"]).await.unwrap();
    policy.push(Message::new(1).traced_by(&context())).await.unwrap();
    let message = plans.next().await.unwrap().unwrap();
    assert_eq!((message.context(), message.hops().len()), (Some(&context()), 1));
}
