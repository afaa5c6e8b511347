//! Interests on streams of lines and events.

use super::{Event, Events, Lines, Site, idle, site, site_with};
use crate::suite::eventually;
use mape::app::App;
use mape::http::Service;
use mape::live::{Live, Settings, Viewer};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

async fn stream(site: &Site, query: &str) -> Response {
    site.request(Method::GET, &format!("/live/stream?{query}")).send().await.unwrap()
}

async fn events(site: &Site, query: &str, last: Option<&str>) -> Events {
    let mut request =
        site.request(Method::GET, &format!("/live/stream?{query}")).header("accept", "text/event-stream");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    Events::of(request.send().await.unwrap())
}

#[tokio::test]
async fn what_fulfils_a_condition_comes_from_any_job_and_name() {
    let (site, live) = site().await;
    let mut lines = Lines::of(stream(&site, "interest=**%20contains%20joe@doe.com").await);
    let hello = lines.json().await;
    assert_eq!(hello["client"].as_str().unwrap().len(), 32);
    assert!(hello["position"].as_str().unwrap().contains(':') && hello.get("recovered").is_none());
    live.publish("orders", json!({"by": {"mail": "joe@doe.com"}})).unwrap();
    live.publish("orders", json!({"by": {"mail": "jane@doe.com"}})).unwrap();
    site.post("/live/jobs", json!({"name": "echo", "input": ["for joe@doe.com"]}).to_string()).await;
    let first = lines.json().await;
    assert_eq!((&first["name"], &first["data"]["by"]["mail"]), (&json!("orders"), &json!("joe@doe.com")));
    let second = lines.json().await;
    assert_eq!((&second["name"], &second["data"][0]), (&json!("echo"), &json!("for joe@doe.com")));
    assert!(second["job"].is_string());
}

#[tokio::test]
async fn names_conditions_groups_and_lifetimes_go_together() {
    let (site, live) = site().await;
    let query = "names=car_*,bike&interest=speed%20gt%2010&group=race&lifetime=1d";
    let mut lines = Lines::of(stream(&site, query).await);
    lines.json().await;
    live.connect(Viewer::named("joe")).join("race", "hi", false, None).unwrap();
    for joined in [true, false] {
        let told = lines.json().await;
        assert_eq!((&told["member"]["name"], &told["joined"]), (&json!("joe"), &json!(joined)));
    }
    live.publish("car_a", json!({"speed": 11})).unwrap();
    live.publish("car_a", json!({"speed": 10})).unwrap();
    live.publish("train", json!({"speed": 99})).unwrap();
    live.publish("bike", json!({"speed": 12})).unwrap();
    live.publish("race", "go").unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(lines.json().await["data"].clone());
    }
    assert_eq!(seen, [json!({"speed": 11}), json!({"speed": 12}), json!("go")]);
}

#[tokio::test]
async fn an_interest_ends_with_its_lifetime() {
    let (site, _live) = site().await;
    let mut events = events(&site, "all=true&lifetime=50ms", None).await;
    assert_eq!(events.next().await.kind, "hello");
    let Event { kind, data, .. } = events.next().await;
    assert_eq!((kind.as_str(), data), ("expired", json!({"interest": "0", "expired": true})));
}

#[tokio::test]
async fn a_browser_that_comes_back_gets_what_it_missed() {
    let (site, live) = site().await;
    let mut first = events(&site, "names=n", None).await;
    let hello = first.next().await;
    assert_eq!(hello.id.as_deref(), hello.data["position"].as_str());
    live.publish("n", 1).unwrap();
    let seen = first.next().await;
    drop(first);
    live.publish("n", 2).unwrap();
    live.publish("m", "not asked for").unwrap();
    live.publish("n", 3).unwrap();
    let mut again = events(&site, "names=n", seen.id.as_deref()).await;
    let hello = again.next().await;
    assert_eq!(hello.data["recovered"], true);
    assert_eq!(hello.id, None, "what it missed is still to come");
    assert_eq!([again.next().await.data["data"].clone(), again.next().await.data["data"].clone()], [2, 3]);
    // Before anything has come, it comes back to where it began.
    let mut third = events(&site, "names=n", hello.data["position"].as_str()).await;
    assert_eq!(third.next().await.data["recovered"], true);
    let mut lost = events(&site, "names=n&since=other:0-1", None).await;
    let hello = lost.next().await;
    assert_eq!(hello.data["recovered"], false);
    assert!(hello.id.is_some());
}

#[tokio::test]
async fn a_quiet_stream_gives_signs_of_life() {
    let (site, live) = site_with(Settings::default(), |s| s.heartbeat(Duration::from_millis(20))).await;
    let mut quiet = events(&site, "all=true", None).await;
    quiet.next().await;
    assert!(quiet.any().await.unwrap().is_comment && quiet.any().await.unwrap().is_comment);
    let mut lines = Lines::of(stream(&site, "all=true").await);
    lines.json().await;
    assert_eq!((lines.next().await.as_deref(), lines.next().await.as_deref()), (Some(""), Some("")));
    live.publish("n", 1).unwrap();
    assert_eq!(quiet.next().await.data["data"], 1);
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_with_the_place() {
    let (site, _live) = site().await;
    for (query, told) in [
        ("", "say what you want"),
        ("interrest=x", "did you mean `interest`?"),
        ("interest=a%20qe%201", "did you mean `eq`?"),
        ("interest=[\"a\",\"qe\",1]", "qe"),
        ("names=x&lifetime=soon", "length of time"),
        ("names=x&since=yesterday", "no position"),
        (&format!("names={}", "x".repeat(201)), "200 bytes"),
        (&format!("group={}", "x".repeat(201)), "200 bytes"),
    ] {
        let (status, body) = site.get(&format!("/live/stream?{query}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {body}");
        assert!(body["detail"].as_str().unwrap().contains(told), "{query}: {body}");
    }
    let (_, body) = site.get("/live/stream?interest=a%20qe%201").await;
    assert_eq!((&body["line"], &body["column"]), (&json!(1), &json!(3)));
}

#[tokio::test]
async fn a_service_that_closes_tells_its_clients() {
    let (site, live) = site().await;
    let mut lines = Lines::of(stream(&site, "all=true").await);
    lines.json().await;
    let mut client = live.connect(mape::live::Viewer::default());
    client.state("all", mape::live::Interest::all(), None).unwrap();
    live.publish("n", 1).unwrap();
    let closing = tokio::spawn(site.serving.close(Duration::from_secs(10)));
    assert_eq!(lines.json().await["data"], 1);
    assert_eq!(lines.json().await, json!({"closed": "shutting_down"}));
    assert_eq!(lines.next().await, None);
    closing.await.unwrap();
    // The live server goes on: others may have it, too.
    live.publish("n", 2).unwrap();
    eventually("only its own clients have gone", || async { live.counts().clients == 1 }).await;
    let told = futures::StreamExt::next(&mut client).await;
    assert!(matches!(told, Some(mape::live::Delivery::Part(_))));
}

#[tokio::test]
async fn the_routes_can_be_mounted_in_a_server_of_ones_own() {
    let (_app, live) = super::counting(Settings::default());
    let router = axum::Router::new().nest("/mine", mape::http::live(&live));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let url = format!("http://{address}/mine/live/jobs/count?parts=2");
    let lines = Lines::of(crate::http::site::client().get(url).send().await.unwrap()).rest().await;
    assert_eq!(lines.iter().filter_map(|line| line.get("data")).collect::<Vec<&Value>>(), [0, 1]);
    serving.abort();
}

#[tokio::test]
async fn what_was_missed_of_names_and_groups_comes_once_and_in_its_order() {
    let (site, live) = site().await;
    let start = live.position();
    for (n, name) in ["n", "tea", "n", "m", "tea", "n"].into_iter().enumerate() {
        live.publish(name, json!({"n": n})).unwrap();
    }
    let query = format!("names=n*,m&interest=n%20ge%200&interest=n%20lt%209&group=tea&since={start}");
    let mut lines = Lines::of(stream(&site, &query).await);
    assert_eq!(lines.json().await["recovered"], true);
    live.publish("n", json!({"n": 6})).unwrap();
    let mut seen = Vec::new();
    while seen.len() < 7 {
        seen.extend(lines.json().await["data"].get("n").cloned());
    }
    assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn events_have_the_positions_of_the_history_that_they_are_in() {
    let app = App::new();
    let live = Live::shared(&app, Settings::default(), ());
    let site = Site::with(Service::new(&app).live(&live)).await;
    live.ready().await;
    let mut events = events(&site, "names=n", None).await;
    events.next().await;
    live.publish("n", 1).unwrap();
    let before = live.position().epoch;
    assert!(events.next().await.id.unwrap().starts_with(&format!("{before}:")));
    // As if the server had lost everything.
    app.knowledge().value::<String>("live.epoch").set("another").await.unwrap();
    eventually("it is noticed", || async { &*live.position().epoch == "another" }).await;
    live.publish("n", 2).unwrap();
    let second = events.next().await;
    assert_eq!(second.data["data"], 2);
    assert!(second.id.unwrap().starts_with("another:"));
}

#[tokio::test]
async fn a_stream_ends_when_the_last_of_its_interests_is_over() {
    let (site, live) = site().await;
    let response = site.request(Method::GET, "/live/stream?names=x&lifetime=50ms").send().await.unwrap();
    let lines = Lines::of(response).rest().await;
    assert_eq!(lines.last().unwrap()["expired"], true, "{lines:?}");
    idle(&live).await;
}
