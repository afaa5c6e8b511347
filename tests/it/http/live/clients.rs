//! Clients that state more from elsewhere, by their ids.

use super::{Lines, idle, site};
use crate::http::site::{Site, answer};
use mape::live::{Pipeline, Pipelines};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn put(site: &Site, path: &str, body: Value) -> (StatusCode, Value) {
    answer(site.request(Method::PUT, path).body(body.to_string())).await
}

async fn delete(site: &Site, path: &str) -> StatusCode {
    answer(site.request(Method::DELETE, path)).await.0
}

async fn stream(site: &Site, query: &str) -> (Lines, String) {
    let response = site.request(Method::GET, &format!("/live/stream?{query}")).send().await.unwrap();
    let mut lines = Lines::of(response);
    let id = lines.json().await["client"].as_str().unwrap().to_owned();
    (lines, id)
}

#[tokio::test]
async fn interests_are_stated_changed_and_withdrawn_while_connected() {
    let (site, live) = site().await;
    let (mut lines, id) = stream(&site, "names=nothing").await;
    let path = format!("/live/clients/{id}/interests/fast");
    let wanted = json!({"when": "speed gt 10", "names": ["car_*"], "lifetime": 3600});
    let (status, body) = put(&site, &path, wanted).await;
    assert_eq!(status, StatusCode::OK);
    assert!(body["position"].is_string() && body.get("recovered").is_none(), "{body}");
    let publish = |speed: u64| live.publish("car_a", json!({"speed": speed})).unwrap();
    publish(5);
    publish(11);
    assert_eq!(lines.json().await["data"]["speed"], 11);
    put(&site, &path, json!({"when": ["speed", "gt", 20]})).await;
    publish(12);
    publish(21);
    assert_eq!(lines.json().await["data"]["speed"], 21);
    // From where it was.
    let (_, body) = put(&site, &path, json!({"when": "speed eq 12", "since": body["position"]})).await;
    assert_eq!(body["recovered"], true);
    assert_eq!(lines.json().await["data"]["speed"], 12);
    assert_eq!(delete(&site, &path).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&site, &path).await, StatusCode::NOT_FOUND);
    publish(22);
    live.publish("nothing", "the end").unwrap();
    assert_eq!(lines.json().await["data"], "the end");
    drop(lines);
    idle(&live).await;
    assert_eq!(put(&site, &path, json!({})).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn groups_are_joined_and_left() {
    let (site, _live) = site().await;
    let (mut joe, id) = stream(&site, "names=nothing").await;
    let path = format!("/live/clients/{id}/groups/tea");
    let (status, body) = put(&site, &path, json!({"info": {"nick": "joe"}, "presence": true})).await;
    assert_eq!((status, &body["members"][0]["info"]["nick"]), (StatusCode::OK, &json!("joe")));
    let (jane, other) = stream(&site, "names=nothing").await;
    // Without a body, too.
    let joined = answer(site.request(Method::PUT, &format!("/live/clients/{other}/groups/tea"))).await;
    assert_eq!(joined.0, StatusCode::OK, "{}", joined.1);
    assert_eq!(joe.json().await["joined"], true);
    let (_, group) = site.get("/live/groups/tea").await;
    assert_eq!((&group["group"], group["members"].as_array().unwrap().len()), (&json!("tea"), 2));
    assert_eq!(site.post("/live/names/tea", "\"hot\"").await.0, StatusCode::OK);
    assert_eq!(joe.json().await["data"], "hot");
    drop(jane);
    assert_eq!(joe.json().await["joined"], false);
    assert_eq!(delete(&site, &path).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&site, &path).await, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/live/groups/tea").await.1["members"], json!([]));
}

#[tokio::test]
async fn jobs_that_are_asked_for_by_id_come_on_the_stream() {
    let (site, live) = site().await;
    let (mut lines, id) = stream(&site, "names=nothing").await;
    let path = format!("/live/clients/{id}/jobs");
    let list = json!([{"name": "echo", "input": 1}, {"name": "hang"}]);
    let (status, body) = site.post(&path, list.to_string()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let jobs = body["jobs"].as_array().unwrap();
    assert_eq!((&jobs[0]["name"], &jobs[1]["name"]), (&json!("echo"), &json!("hang")));
    let mut told = [lines.json().await, lines.json().await, lines.json().await];
    told.sort_by_key(|line| (line["job"] != jobs[0]["job"], line.get("end").is_some()));
    assert_eq!(
        (&told[0]["data"], &told[1]["end"], &told[2]["data"]),
        (&json!(1), &json!(true), &json!("begun"))
    );
    let hang = format!("{path}/{}", jobs[1]["job"].as_str().unwrap());
    assert_eq!(delete(&site, &hang).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&site, &hang).await, StatusCode::NOT_FOUND);
    crate::suite::eventually("it is cancelled", || async { live.counts().jobs == 0 }).await;
    assert_eq!(site.post(&path, "{\"name\": \"cuont\"}").await.0, StatusCode::NOT_FOUND);
    assert_eq!(delete(&site, &format!("{path}/nonsense")).await, StatusCode::NOT_FOUND);
    assert_eq!(site.post("/live/clients/nobody/jobs", "{\"name\": \"echo\"}").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_there_is_can_be_looked_at() {
    let (site, live) = site().await;
    let (_lines, _) = stream(&site, "names=n").await;
    let (status, body) = site.get("/live").await;
    assert_eq!((status, &body["clients"], &body["jobs"]), (StatusCode::OK, &json!(1), &json!(0)));
    let kinds: Vec<_> = body["kinds"].as_array().unwrap().iter().map(|kind| &kind["name"]).collect();
    assert_eq!(kinds, ["count", "echo", "fail", "hang"]);
    assert!(body["kinds"][0]["element"].as_str().unwrap().ends_with("jobs.count"), "{body}");
    assert_eq!(body["position"], live.position().to_string());
    let (status, body) = site.post("/live/names/n", "{").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
}

#[tokio::test]
async fn a_list_that_is_refused_takes_back_no_job_that_the_client_had_before() {
    let mut settings = mape::live::Settings::default();
    settings.jobs = 2;
    let (site, live) = super::site_with(settings, |service| service).await;
    live.set_pipelines(Pipelines::new().for_jobs(Pipeline::new().dedup())).unwrap();
    let (mut lines, id) = stream(&site, "names=nothing").await;
    let path = format!("/live/clients/{id}/jobs");
    let (_, begun) = site.post(&path, json!({"name": "hang"}).to_string()).await;
    let job = begun["jobs"][0]["job"].as_str().unwrap().to_owned();
    assert_eq!(lines.json().await["data"], "begun");
    let list = json!([{"name": "hang"}, {"name": "hang", "input": 1}, {"name": "hang", "input": 2}]);
    assert_eq!(site.post(&path, list.to_string()).await.0, StatusCode::TOO_MANY_REQUESTS);
    crate::suite::eventually("the others are taken back", || async { live.counts().jobs == 1 }).await;
    assert_eq!(delete(&site, &format!("{path}/{job}")).await, StatusCode::NO_CONTENT);
    crate::suite::eventually("it is cancelled", || async { live.counts().jobs == 0 }).await;
}
