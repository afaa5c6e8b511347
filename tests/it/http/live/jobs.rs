//! Jobs, answered part by part.

use super::{Events, Lines, Settings, Site, idle, site, site_with};
use crate::http::site::answer;
use crate::suite::eventually;
use mape::live::Live;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

async fn get(site: &Site, path: &str) -> Response {
    site.request(Method::GET, path).send().await.unwrap()
}

async fn post(site: &Site, body: Value) -> Response {
    site.request(Method::POST, "/live/jobs").body(body.to_string()).send().await.unwrap()
}

fn data(lines: &[Value]) -> Vec<Value> {
    lines.iter().filter_map(|line| line.get("data").cloned()).collect()
}

#[tokio::test]
async fn a_job_is_answered_a_line_a_part_and_then_its_end() {
    let (site, _live) = site().await;
    let response = get(&site, "/live/jobs/count?parts=3").await;
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let job = response.headers()["x-mape-job"].to_str().unwrap().to_owned();
    let lines = Lines::of(response).rest().await;
    assert_eq!(data(&lines), [0, 1, 2]);
    assert_eq!(lines[1]["name"], "count");
    assert_eq!(lines[1]["job"], job);
    assert_eq!(lines[1]["nr"], 1);
    assert_eq!(lines[3], json!({"job": job, "name": "count", "end": true, "parts": 3}));
    assert_eq!(lines.len(), 4);
}

#[tokio::test]
async fn parts_come_before_the_job_has_ended() {
    let (site, _live) = site().await;
    let mut lines = Lines::of(get(&site, "/live/jobs/hang").await);
    assert_eq!(lines.json().await["data"], "begun");
}

#[tokio::test]
async fn a_browser_gets_events_and_is_told_not_to_come_back() {
    let (site, _live) = site().await;
    let request = |last: Option<&str>| {
        let request =
            site.request(Method::GET, "/live/jobs/count?parts=2").header("accept", "text/event-stream");
        match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        }
    };
    let response = request(None).send().await.unwrap();
    let mut events = Events::of(response);
    let job = events.any().await.unwrap().id.unwrap();
    assert_eq!(job.len(), 16);
    for n in 0..2 {
        let event = events.next().await;
        assert_eq!((event.kind.as_str(), &event.data["data"]), ("", &json!(n)));
        assert!(event.id.unwrap().contains(':'));
    }
    let event = events.next().await;
    assert_eq!((event.kind.as_str(), &event.data["parts"]), ("end", &json!(2)));
    assert_eq!(events.any().await, None);
    assert_eq!(request(Some(&job)).send().await.unwrap().status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_goes_wrong_is_a_part() {
    let (site, _live) = site().await;
    let lines = Lines::of(get(&site, "/live/jobs/fail").await).rest().await;
    assert_eq!(lines[0]["data"], "before");
    assert_eq!(lines[1]["error"], "no more coffee");
    assert_eq!(lines[2]["parts"], 2);
    let lines = Lines::of(get(&site, "/live/jobs/count?parts=many").await).rest().await;
    assert!(lines[0]["error"].as_str().unwrap().contains("invalid type"), "{lines:?}");
    assert_eq!(lines[1]["end"], true);
}

#[tokio::test]
async fn the_input_is_what_stands_behind_the_question_mark_or_in_the_body() {
    let (site, _live) = site().await;
    let lines =
        Lines::of(get(&site, "/live/jobs/echo?a=1&b=x%20y&c=true&c=2&d={\"e\":[]}").await).rest().await;
    assert_eq!(lines[0]["data"], json!({"a": 1, "b": "x y", "c": [true, 2], "d": {"e": []}}));
    let lines = Lines::of(get(&site, "/live/jobs/echo").await).rest().await;
    assert_eq!(lines[0]["data"], json!({}));
    let lines = Lines::of(post(&site, json!({"name": "echo", "input": [1, "2"]})).await).rest().await;
    assert_eq!(lines[0]["data"], json!([1, "2"]));
    let lines = Lines::of(post(&site, json!({"name": "echo"})).await).rest().await;
    assert_eq!(lines[0]["data"], Value::Null);
}

#[tokio::test]
async fn many_jobs_are_one_answer() {
    let (site, live) = site().await;
    let jobs: Vec<_> = (0..50).map(|n| json!({"name": "count", "input": {"parts": n % 5}})).collect();
    let response = post(&site, jobs.into()).await;
    assert!(response.headers().get("x-mape-job").is_none());
    let lines = Lines::of(response).rest().await;
    for (index, line) in lines[..50].iter().enumerate() {
        assert_eq!((&line["accepted"], &line["index"]), (&json!(true), &json!(index)));
    }
    let ends: Vec<_> = lines.iter().filter(|line| line["end"] == true).collect();
    assert_eq!((ends.len(), data(&lines).len()), (50, 100));
    for (index, line) in lines[..50].iter().enumerate() {
        let of_it: Vec<_> = lines[50..].iter().filter(|other| other["job"] == line["job"]).cloned().collect();
        assert_eq!(data(&of_it), (0..index % 5).collect::<Vec<_>>());
        assert_eq!(of_it.last().unwrap()["end"], true);
    }
    idle(&live).await;
}

#[tokio::test]
async fn of_a_list_all_are_begun_or_none() {
    let (site, live) = site().await;
    let (status, body) =
        site.post("/live/jobs", json!([{"name": "hang"}, {"name": "cuont"}]).to_string()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let detail = body["detail"].as_str().unwrap();
    assert!(detail.contains("did you mean `count`?"), "{detail}");
    idle(&live).await;
    for (body, told) in [
        ("[]", "1 to 1000"),
        ("[{\"name\": \"echo\"}, {\"nam\": 1}]", "[1]: "),
        ("{\"name\": \"echo\", \"imput\": 1}", "imput"),
        ("7", "wrong shape"),
        ("{", "no JSON"),
    ] {
        let (status, answer) = site.post("/live/jobs", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {answer}");
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains(told) || detail.contains("wrong shape"), "{body}: {detail}");
    }
    let too_many: Vec<_> = (0..1001).map(|_| json!({"name": "echo"})).collect();
    assert_eq!(
        site.post("/live/jobs", json!(too_many).to_string()).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn more_than_may_be_under_way_are_refused_and_told_when_to_ask_again() {
    let mut settings = Settings::default();
    settings.jobs = 2;
    let (site, live) = site_with(settings, |service| service).await;
    let (one, two) = (get(&site, "/live/jobs/hang").await, get(&site, "/live/jobs/hang").await);
    let third = get(&site, "/live/jobs/hang").await;
    assert_eq!(third.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(third.headers()["retry-after"], "1");
    drop(two);
    eventually("there is room again", || async {
        get(&site, "/live/jobs/count?parts=1").await.status() == StatusCode::OK
    })
    .await;
    // None of a list for which there is no room.
    let list = json!([{"name": "hang"}, {"name": "hang"}]);
    assert_eq!(post(&site, list).await.status(), StatusCode::TOO_MANY_REQUESTS);
    drop(one);
    idle(&live).await;
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_what_only_it_wanted() {
    let (site, live) = site().await;
    let mut lines = Lines::of(get(&site, "/live/jobs/hang").await);
    lines.json().await;
    assert_eq!(running(&live), 1);
    drop(lines);
    idle(&live).await;
}

#[tokio::test]
async fn a_service_without_a_live_server_says_so() {
    let site = Site::of(&mape::app::App::new()).await;
    let (status, body) = answer(site.request(Method::GET, "/live/jobs/count")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body["detail"].as_str().unwrap().contains("no live server"), "{body}");
}

fn running(live: &Live) -> usize {
    live.counts().jobs
}

#[tokio::test]
async fn who_only_looks_begins_no_job() {
    let (site, live) = site().await;
    let looked = site.request(Method::HEAD, "/live/jobs/hang").send().await.unwrap();
    assert_eq!(looked.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(live.counts().jobs, 0);
}
