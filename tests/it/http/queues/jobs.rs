//! Jobs that are added, waited for, looked at, taken away, replayed.

use super::World;
use crate::http::site::answer;
use crate::suite::eventually;
use mape::backend::Backend;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// The tests of all claims here: `suite! { backend, fresh backend }`.
macro_rules! suite {
    ($backend:ident, $world:expr) => {
        crate::suite::tests_of! { $backend, $world, (), http::queues::jobs:
            a_job_is_added_and_found_wherever_it_is,
            an_answer_waits_for_the_outcome_and_says_the_id_if_that_takes_too_long,
            a_list_of_jobs_is_added_with_their_delays_levels_and_keys,
            what_is_no_job_is_refused_with_what_is_wrong,
            a_job_that_is_not_due_is_taken_away_and_no_other,
            dead_jobs_are_listed_replayed_and_discarded,
            a_queue_is_listed_paused_resumed_and_removed,
        }
    };
}
pub(crate) use suite;

pub(crate) async fn a_job_is_added_and_found_wherever_it_is(backend: Backend) {
    let world = World::new(backend).await;
    let (status, added) = world.site.post("/queues/reply/jobs", r#"{"data": 21, "priority": 2}"#).await;
    assert_eq!((status, &added["is_new"]), (StatusCode::ACCEPTED, &json!(true)));
    let path = format!("/queues/reply/jobs/{}", added["id"].as_str().unwrap());
    let (status, job) = world.site.get(&path).await;
    assert_eq!((status, &job["state"], &job["data"]), (StatusCode::OK, &json!("waiting"), &json!(21)));
    assert_eq!((&job["priority"], &job["attempt"]), (&json!(2), &json!(1)));
    assert_eq!(world.site.get("/queues/reply/jobs").await.1, json!([job]));
    let _worker = world.work().await;
    eventually("it is done", async || world.site.get(&path).await.1["state"] == "done").await;
    let done = world.site.get(&path).await.1;
    assert_eq!((&done["result"], &done["data"]), (&json!(42), &Value::Null));
    assert_eq!(world.site.get("/queues/reply/jobs?state=done&count=5").await.1, json!([done]));
    let told = world.site.get("/queues/reply/outcomes").await.1;
    assert_eq!(
        (&told[0]["kind"], &told[0]["result"], told.as_array().unwrap().len()),
        (&json!("done"), &json!(42), 1)
    );
    let (status, unknown) = world.site.get("/queues/reply/jobs/nothing").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(unknown["detail"].as_str().unwrap().contains("no job `nothing`"), "{unknown}");
}

pub(crate) async fn an_answer_waits_for_the_outcome_and_says_the_id_if_that_takes_too_long(backend: Backend) {
    let world = World::new(backend).await;
    let (status, late) = world.site.post("/queues/reply/jobs?wait=30ms", r#"{"data": 1}"#).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    let path = format!("/queues/reply/jobs/{}", late["id"].as_str().unwrap());
    assert!(late["detail"].as_str().unwrap().contains(&path), "{late}");
    assert_eq!(world.site.get(&path).await.1["state"], "waiting");
    let _worker = world.work().await;
    let (status, done) = world.site.post("/queues/reply/jobs?wait=20s", r#"{"data": 4, "key": "k"}"#).await;
    assert_eq!((status, &done["kind"], &done["result"]), (StatusCode::OK, &json!("done"), &json!(8)));
    // Whoever comes again with the key is told the same.
    let (status, again) = world.site.post("/queues/reply/jobs?wait=20s", r#"{"data": 5, "key": "k"}"#).await;
    assert_eq!((status, again), (StatusCode::OK, done));
    let (status, dead) = world.site.post("/queues/reply/jobs?wait=20s", r#"{"data": "x"}"#).await;
    assert_eq!((status, &dead["kind"], &dead["attempt"]), (StatusCode::OK, &json!("dead"), &json!(2)));
    assert_eq!(dead["error"], "\"x\" is no number");
    for (wait, wanted) in [("soon", "no length of time"), ("2h", "up to a minute")] {
        let (status, wrong) =
            world.site.post(&format!("/queues/reply/jobs?wait={wait}"), r#"{"data": 1}"#).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong["detail"].as_str().unwrap().contains(wanted), "{wrong}");
    }
}

pub(crate) async fn a_list_of_jobs_is_added_with_their_delays_levels_and_keys(backend: Backend) {
    let world = World::new(backend).await;
    let (status, plain) = world.site.post("/queues/reply/jobs", r#"[{"data": 1}, {"data": 2}]"#).await;
    assert_eq!((status, plain.as_array().unwrap().len()), (StatusCode::ACCEPTED, 2));
    let mixed = r#" [{"data": 3, "priority": 2}, {"data": 4, "delay": "1h"}, {"data": 5, "key": "k"}, {"data": 6, "key": "k", "delay": 90}]"#;
    let (status, added) = world.site.post("/queues/reply/jobs", mixed).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let is_new: Vec<bool> =
        added.as_array().unwrap().iter().map(|one| one["is_new"].as_bool().unwrap()).collect();
    // Which of the two with the key is first is open.
    assert!(is_new[0] && is_new[1] && is_new[2] != is_new[3], "{added}");
    let waiting = world.site.get("/queues/reply/jobs").await.1;
    assert_eq!(waiting[0]["data"], 3, "{waiting}");
    let delayed = world.site.get("/queues/reply/jobs?state=delayed").await.1;
    assert!(delayed.as_array().unwrap().iter().any(|job| job["data"] == 4), "{delayed}");
    let (status, wrong) =
        world.site.post("/queues/reply/jobs", r#"[{"data": 7}, {"data": 8, "priority": 3}]"#).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    let (status, wrong) = world.site.post("/queues/reply/jobs?wait=1s", r#"[{"data": 7}]"#).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    let there = world.queue.stats().await.unwrap();
    assert_eq!(there.waiting.iter().sum::<u64>() + there.delayed, 5, "{there:?}");
}

pub(crate) async fn what_is_no_job_is_refused_with_what_is_wrong(backend: Backend) {
    let world = World::new(backend).await;
    for (body, wanted) in [
        ("", "the body is no job"),
        ("7", "{\"data\": …}"),
        ("{}", "missing field `data`"),
        (r#"{"data": 1, "prio": 2}"#, "unknown field `prio`"),
        (r#"{"data": 1, "delay": "soon"}"#, "`delay`: \"soon\" is no length of time, such as 5s"),
        (r#"{"data": 1, "priority": 3}"#, "it has priority 3, and the queue has 3 (0 to 2)"),
        (r#"{"data": 1, "key": ""}"#, "its key has to have 1 to 500 bytes"),
        (r#"[{"data": 1}, {"data": 1, "delay": true}]"#, "job 1 of the list"),
        (r#"{"data": 1} 2"#, "the body is no JSON"),
    ] {
        let (status, wrong) = world.site.post("/queues/reply/jobs", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {wrong}");
        assert!(wrong["detail"].as_str().unwrap().contains(wanted), "{body}: {wrong}");
    }
    let large = json!({"data": "x".repeat(300)}).to_string();
    let (status, wrong) = world.site.post("/queues/reply/jobs", large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(wrong["detail"].as_str().unwrap().contains("302 bytes, and may have 200 (max_bytes)"), "{wrong}");
    let (status, wrong) = world.site.post("/queues/repyl/jobs", r#"{"data": 1}"#).await;
    assert_eq!(
        (status, &wrong["detail"]),
        (StatusCode::NOT_FOUND, &json!("there is no queue `repyl`; did you mean `reply`?"))
    );
    for (query, wanted) in [("state=wating", "did you mean `waiting`?"), ("count=0", "from 1 to 1000")] {
        let (status, wrong) = world.site.get(&format!("/queues/reply/jobs?{query}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong["detail"].as_str().unwrap().contains(wanted), "{wrong}");
    }
    assert_eq!(world.queue.stats().await.unwrap().waiting, [0, 0, 0]);
}

pub(crate) async fn a_job_that_is_not_due_is_taken_away_and_no_other(backend: Backend) {
    let world = World::new(backend).await;
    let add = async |body: &str| {
        let added = world.site.post("/queues/reply/jobs", body).await.1;
        format!("/queues/reply/jobs/{}", added["id"].as_str().unwrap())
    };
    let (later, now) =
        (add(r#"{"data": 1, "delay": "1h", "priority": 1}"#).await, add(r#"{"data": 2}"#).await);
    let delayed = world.site.get(&later).await.1;
    assert_eq!((&delayed["state"], &delayed["priority"]), (&json!("delayed"), &json!(1)));
    let delete = |path: &str| answer(world.site.request(Method::DELETE, path));
    assert_eq!(delete(&later).await.0, StatusCode::NO_CONTENT);
    assert_eq!(delete(&later).await.0, StatusCode::NOT_FOUND);
    let (status, wrong) = delete(&now).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(wrong["detail"].as_str().unwrap().contains("is waiting"), "{wrong}");
    assert_eq!(world.queue.stats().await.unwrap().waiting.iter().sum::<u64>(), 1);
}

pub(crate) async fn dead_jobs_are_listed_replayed_and_discarded(backend: Backend) {
    let world = World::new(backend).await;
    let worker = world.work().await;
    for body in [r#"{"data": "a"}"#, r#"{"data": "b", "priority": 1}"#, r#"{"data": "c"}"#] {
        assert_eq!(world.site.post("/queues/reply/jobs?wait=20s", body).await.1["kind"], "dead");
    }
    assert_eq!(worker.stop(Duration::from_secs(5)).await, 0);
    let dead = world.site.get("/queues/reply/dead").await.1;
    let data: Vec<&Value> = dead.as_array().unwrap().iter().map(|job| &job["data"]).collect();
    assert_eq!(data, [&json!("b"), &json!("a"), &json!("c")], "{dead}");
    assert_eq!((&dead[0]["error"], &dead[0]["attempt"]), (&json!("\"b\" is no number"), &json!(2)));
    let (b, a) = (dead[0]["job"].as_str().unwrap(), dead[1]["job"].as_str().unwrap());
    assert_eq!(world.site.get(&format!("/queues/reply/jobs/{a}")).await.1["state"], "dead");
    let body = json!({"jobs": [b]}).to_string();
    let (status, replayed) = world.site.post("/queues/reply/dead/replay", body.clone()).await;
    assert_eq!((status, replayed), (StatusCode::OK, json!({"replayed": 1})));
    assert_eq!(world.site.post("/queues/reply/dead/replay", body).await.0, StatusCode::NOT_FOUND);
    let again = world.site.get(&format!("/queues/reply/jobs/{b}")).await.1;
    assert_eq!((&again["state"], &again["attempt"]), (&json!("waiting"), &json!(1)), "{again}");
    let delete = |path: &str| answer(world.site.request(Method::DELETE, path));
    let one = format!("/queues/reply/dead/{a}");
    assert_eq!((delete(&one).await.0, delete(&one).await.0), (StatusCode::NO_CONTENT, StatusCode::NOT_FOUND));
    assert_eq!(world.site.post("/queues/reply/dead/replay", "").await.1, json!({"replayed": 1}));
    assert_eq!(delete("/queues/reply/dead").await.1, json!({"discarded": 0}));
    assert_eq!(
        world.site.post("/queues/reply/dead/replay", "{\"job\": 1}").await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

pub(crate) async fn a_queue_is_listed_paused_resumed_and_removed(backend: Backend) {
    let world = World::new(backend).await;
    let _worker = world.work().await;
    let (status, paused) = world.site.post("/queues/reply/pause", "").await;
    assert_eq!((status, &paused["stats"]["paused"]), (StatusCode::OK, &json!(true)));
    let (status, late) = world.site.post("/queues/reply/jobs?wait=100ms", r#"{"data": 1}"#).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{late}");
    let all = world.site.get("/queues").await.1;
    assert_eq!((&all[0]["name"], &all[0]["settings"]["priorities"]), (&json!("reply"), &json!(3)));
    assert_eq!(world.site.post("/queues/reply/resume", "").await.1["stats"]["paused"], false);
    let path = format!("/queues/reply/jobs/{}", late["id"].as_str().unwrap());
    eventually("it is done", async || world.site.get(&path).await.1["state"] == "done").await;
    assert_eq!(world.site.get("/queues/reply").await.1["stats"]["outcomes"], 1);
    let removed = answer(world.site.request(Method::DELETE, "/queues/reply")).await;
    assert_eq!(removed.0, StatusCode::NO_CONTENT);
    assert_eq!(world.site.get("/queues").await.1, json!([]));
    assert_eq!(world.site.get("/queues/reply").await.0, StatusCode::NOT_FOUND);
}
