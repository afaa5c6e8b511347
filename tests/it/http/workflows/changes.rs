//! Changes of runs, as they happen.

use super::world::World;
use crate::http::site::Site;
use futures::{Stream, StreamExt, stream};
use mape::backend::Backend;
use mape::knowledge::Transaction;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;

/// The tests of all claims here: `suite! { backend, fresh backend }`.
macro_rules! suite {
    ($backend:ident, $world:expr) => {
        crate::suite::tests_of! { $backend, $world, (), http::workflows::changes:
            every_change_of_every_run_is_told_as_it_happens,
            the_changes_of_one_run_begin_with_how_far_it_is,
            a_service_that_closes_ends_what_it_tells,
        }
    };
}
pub(crate) use suite;

/// It takes less than a second, unless the machine has much to do.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a service tells: events with their data.
pub(super) struct Told(Pin<Box<dyn Stream<Item = (String, Value)> + Send>>);

impl Told {
    pub(super) async fn by(site: &Site, path: &str) -> Self {
        let response = site.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let state = (response, String::new(), VecDeque::new());
        Self(Box::pin(stream::unfold(state, |(mut response, mut text, mut events)| async move {
            loop {
                if let Some(event) = events.pop_front() {
                    return Some((event, (response, text, events)));
                }
                text.push_str(&String::from_utf8_lossy(&response.chunk().await.ok()??));
                while let Some((event, rest)) = text.clone().split_once("\n\n") {
                    let field = |name: &str| {
                        event
                            .lines()
                            .find_map(|line| line.strip_prefix(name))
                            .map(|value| value.trim().to_owned())
                    };
                    if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                        events.push_back((name, serde_json::from_str(&data).unwrap()));
                    }
                    text = rest.into();
                }
            }
        })))
    }

    /// What is told next.
    pub(super) async fn next(&mut self) -> (String, Value) {
        timeout(PATIENCE, self.0.next()).await.expect("it is told in time").expect("it goes on")
    }

    /// The next change that is one like this.
    pub(super) async fn until(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let (name, data) = self.0.next().await.expect("it goes on");
                assert_eq!(name, "run", "{data}");
                if is_it(&data) {
                    return data;
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{what} is told in time"))
    }
}

pub(crate) async fn every_change_of_every_run_is_told_as_it_happens(backend: Backend) {
    let world = World::new(backend).await;
    let (mut told, mut also) =
        (Told::by(&world.site, "/events").await, Told::by(&world.site, "/events").await);
    let id = world.begin("human:approve (- question: on? -) → never:a", Value::Null).await;
    for told in [&mut told, &mut also] {
        let change = told.until("its beginning", |change| change["id"] == id).await;
        assert_eq!(change["state"], "RUNNING");
        assert!(change["causes"].as_array().unwrap().contains(&json!("begin")), "{change}");
    }
    drop(also);
    world.until_step(&id, 1, "active").await;
    world.post(&format!("/runs/{id}/steps/1/end"), json!({})).await;
    let change = told
        .until("the end of a step", |change| change["causes"].as_array().unwrap().contains(&json!("ended")))
        .await;
    assert_eq!((&change["id"], &change["steps"]), (&json!(id), &json!([1])));
    let has = |cause: &'static str| {
        move |change: &Value| change["causes"].as_array().unwrap().contains(&json!(cause))
    };
    world.post(&format!("/runs/{id}/pause"), None).await;
    told.until("a pause", has("pause")).await;
    world.post(&format!("/runs/{id}/resume"), None).await;
    told.until("its end", has("resume")).await;
    world.post(&format!("/runs/{id}/terminate"), None).await;
    world.post(&format!("/runs/{id}/terminate"), None).await;
    told.until("a termination", |change| change["state"] == "TERMINATED").await;
    world.delete(&format!("/runs/{id}")).await;
    told.until("that it is gone", |change| change["id"] == id && change["state"].is_null()).await;
    // After a while without anybody who listens, too.
    drop(told);
    let mut told = Told::by(&world.site, "/events").await;
    let other = world.begin("t:a", Value::Null).await;
    told.until("the end of another run", |change| change["id"] == other && change["state"] == "FINISHED")
        .await;
}

pub(crate) async fn the_changes_of_one_run_begin_with_how_far_it_is(backend: Backend) {
    let world = World::new(backend).await;
    let one = world.begin("human:approve (- question: on? -)", Value::Null).await;
    world.until_step(&one, 1, "active").await;
    let mut told = Told::by(&world.site, &format!("/events?run=workflow:{one}")).await;
    let first = json!({"id": one, "state": "RUNNING", "causes": [], "steps": []});
    assert_eq!(told.next().await, ("run".to_owned(), first));
    world.run("t:a", Value::Null, "FINISHED").await;
    world.post(&format!("/runs/{one}/steps/1/end"), json!({})).await;
    let change = told.until("its end", |change| change["state"] == "FINISHED").await;
    assert_eq!(change["id"], one);
    assert_eq!(world.get("/events?run=nope").await.0, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/events?more=1").await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn who_cannot_be_told_everything_is_told_that_something_was_missed() {
    let world = World::new(Backend::memory()).await;
    let mut told = Told::by(&world.site, "/events").await;
    let many = (0..5_000).fold(Transaction::new(), |many, n| many.hset(format!("mape:run:r{n}"), "0", "{}"));
    world.engine.app().backend().store().commit(many).await.unwrap();
    let missed = async {
        loop {
            let (name, data) = told.next().await;
            if name == "missed" {
                return data;
            }
        }
    };
    assert!(timeout(Duration::from_secs(5), missed).await.unwrap()["missed"].as_u64().unwrap() > 3_000);
}

pub(crate) async fn a_service_that_closes_ends_what_it_tells(backend: Backend) {
    let world = World::new(backend).await;
    let mut told = Told::by(&world.site, "/events").await;
    let World { site, .. } = world;
    let Site { serving, .. } = site;
    let closed = tokio::spawn(serving.close(Duration::from_secs(5)));
    assert!(timeout(Duration::from_secs(2), told.0.next()).await.unwrap().is_none());
    timeout(Duration::from_secs(2), closed).await.unwrap().unwrap();
}
