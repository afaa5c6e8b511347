//! Goals, asked for over HTTP.

use super::site::Site;
use crate::suite::eventually;
use futures::StreamExt;
use mape::app::{App, GoalStatus};
use mape::backend::Backend;
use mape::element::Element;
use mape::goal::{Signal, Verdict};
use reqwest::{Method, StatusCode};
use std::time::Duration;

fn distance(app: &App, car: &str) -> Element<f64, Verdict> {
    let distance = Signal::new("distance", |metres: &f64| *metres).unit("m");
    app.create_loop(car).unwrap().goal("distance", distance.above(20.0)).unwrap()
}

#[tokio::test]
async fn goals_are_told_with_state_margin_and_why() {
    let app = App::new();
    let site = Site::of(&app).await;
    assert_eq!(site.get("/goals").await, (StatusCode::OK, serde_json::json!([])));
    let goal = distance(&app, "car");
    let (_, told) = site.get("/goals").await;
    assert_eq!((&told[0]["state"], &told[0]["margin"]), (&"unknown".into(), &serde_json::Value::Null));
    goal.push(12.0).await.unwrap();
    eventually("it is violated", async || site.get("/goals").await.1[0]["state"] == "violated").await;
    let (_, told) = site.get("/goals").await;
    let mut told = told[0].as_object().unwrap().clone();
    for time in ["at", "since", "heard"] {
        let text = told.remove(time).unwrap();
        assert!(text.as_str().unwrap().ends_with('Z'), "{time}: {text}");
    }
    let expected = serde_json::json!({
        "goal": "car.distance", "state": "violated", "margin": -8.0, "uncertainty": 0.0, "unit": "m",
        "why": "distance 12 m is below 20 m", "formula": "distance >= 20 m", "here": true,
    });
    assert_eq!(serde_json::Value::from(told), expected);
}

#[tokio::test]
async fn goals_of_other_apps_on_the_backend_are_told_as_well() {
    let backend = Backend::memory();
    let (here, there) = (App::with_backend(backend.clone()), App::with_backend(backend));
    let site = Site::of(&here).await;
    distance(&here, "panda");
    distance(&there, "delta").push(25.0).await.unwrap();
    let told = async || {
        let (_, all) = site.get("/goals").await;
        let row = |one: &serde_json::Value| format!("{} {} {}", one["goal"], one["state"], one["here"]);
        all.as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    let expected = [r#""delta.distance" "met" false"#, r#""panda.distance" "unknown" true"#];
    eventually("both are told", async || told().await == expected).await;
}

#[tokio::test]
async fn goals_are_streamed_as_they_change() {
    let app = App::new();
    let goal = distance(&app, "car");
    let site = Site::of(&app).await;
    let answer = site.request(Method::GET, "/goals/stream").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut chunks = answer.bytes_stream();
    let mut text = String::new();
    for (metres, state) in [(None, "unknown"), (Some(25.0), "met"), (Some(12.0), "violated")] {
        if let Some(metres) = metres {
            goal.push(metres).await.unwrap();
        }
        let wanted = format!(r#""state":"{state}""#);
        while !text.contains(&wanted) {
            let chunk = tokio::time::timeout(Duration::from_secs(10), chunks.next()).await.unwrap();
            text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
        }
    }
    assert!(text.contains("event: goals\ndata: ["), "{text}");
}

#[tokio::test]
async fn goals_are_metrics() {
    let app = App::new();
    let goal = distance(&app, "counted_car");
    let site = Site::of(&app).await;
    let metrics = async || site.get("/metrics").await.1.as_str().unwrap().to_owned();
    assert!(metrics().await.contains(r#"mape_goal_margin{goal="counted_car.distance"} NaN"#));
    goal.push(12.0).await.unwrap();
    let violated = r#"mape_goal_state{goal="counted_car.distance",state="violated"} 1"#;
    eventually("it is violated", async || metrics().await.contains(violated)).await;
    let text = metrics().await;
    for line in [
        r#"mape_goal_margin{goal="counted_car.distance"} -8"#,
        r#"mape_goal_violations_total{goal="counted_car.distance"} 1"#,
        "# TYPE mape_goal_state gauge",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn nothing_is_streamed_while_nothing_changes_and_who_comes_later_is_told_at_once() {
    let backend = Backend::memory();
    let (here, there) = (App::with_backend(backend.clone()), App::with_backend(backend));
    distance(&there, "delta").push(25.0).await.unwrap();
    // It is no longer there, and has been silent for so long that it is unknown.
    assert!(there.shutdown(Duration::from_secs(5)).await.is_clean());
    let kept = here.knowledge().hash::<String, GoalStatus>("goals");
    let mut status = kept.get("delta.distance").await.unwrap().unwrap();
    status.heard -= Duration::from_mins(1);
    kept.insert("delta.distance", &status).await.unwrap();
    let site = Site::of(&here).await;
    let mut counts = Vec::new();
    for _ in 0..2 {
        let answer = site.request(Method::GET, "/goals/stream").send().await.unwrap();
        let until = tokio::time::sleep(Duration::from_millis(2_600));
        let chunks: Vec<_> = answer.bytes_stream().take_until(until).collect().await;
        let text: String =
            chunks.into_iter().map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap()).collect();
        counts.push(text.matches("event: goals").count());
    }
    assert_eq!(counts, [1, 1]);
}
