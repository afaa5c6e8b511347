//! Pipelines over HTTP, and from the configuration.

use super::{Lines, Settings, Site, site, site_with};
use crate::http::site::answer;
use mape::config::Config;
use mape::http::{Access, Role};
use mape::live::{Live, Pipeline, Pipelines};
use mape::prelude::*;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn put(site: &Site, kind: &str, body: &str) -> (StatusCode, Value) {
    let request = site.request(Method::PUT, "/live/pipelines").header("content-type", kind);
    answer(request.body(body.to_owned())).await
}

async fn rollback(site: &Site) -> (StatusCode, Value) {
    answer(site.request(Method::POST, "/live/pipelines/rollback")).await
}

#[tokio::test]
async fn pipelines_are_shown_replaced_and_taken_back() {
    let (site, live) = site().await;
    let none = json!({"jobs": [], "results": []});
    assert_eq!(site.get("/live/pipelines").await, (StatusCode::OK, none.clone()));
    assert_eq!(rollback(&site).await.0, StatusCode::CONFLICT);
    let one = json!({"jobs": [{"stages": ["in_order"]}], "results": []});
    assert_eq!(put(&site, "application/json", &one.to_string()).await, (StatusCode::OK, one.clone()));
    let yaml = "results:\n  - names: [count]\n    stages:\n      - batch: {most: 10, within: 50ms}\n";
    let (status, two) = put(&site, "application/yaml; charset=utf-8", yaml).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(two["results"][0]["stages"][0]["batch"]["within"], "50ms");
    // What is shown is what is taken.
    assert_eq!(put(&site, "application/json", &two.to_string()).await.1, two);
    let response = site.request(Method::GET, "/live/jobs/count?parts=3").send().await.unwrap();
    let lines = Lines::of(response).rest().await;
    assert_eq!((&lines[0]["data"], &lines[1]["end"]), (&json!([0, 1, 2]), &json!(true)));
    live.set_pipelines(Pipelines::new().for_jobs(Pipeline::new().parallel(1))).unwrap();
    assert_eq!(rollback(&site).await, (StatusCode::OK, two.clone()));
    assert_eq!(site.get("/live/pipelines").await.1, two);
}

#[tokio::test]
async fn what_is_wrong_is_answered_with_its_place_and_changes_nothing() {
    let (site, live) = site().await;
    let good = Pipelines::new().for_jobs(Pipeline::named(["ec*"]).in_order());
    live.set_pipelines(good.clone()).unwrap();
    for (kind, body, line, column, path) in [
        ("application/yaml", "jobs:\n - stages:\n   - parallel: 0\n", 3, 6, "jobs[0].stages[0].parallel"),
        ("application/json", "{\"jobs\": [\n  {\"stages\": [\"dedub\"]}]}", 2, 15, "jobs[0].stages[0]"),
        ("application/json", "{\"jobs\":\n", 2, 0, ""),
        ("text/yaml", "jobs: {", 1, 7, ""),
    ] {
        let (status, problem) = put(&site, kind, body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("{line}:{column}: ")) && detail.contains(path), "{detail}");
        let place = (&problem["line"], &problem["column"], &problem["path"]);
        assert_eq!(place, (&json!(line), &json!(column), &json!(path)));
    }
    assert_eq!(*live.pipelines(), good);
    let taken = || {
        let all = mape::stream::meter::all();
        all.iter().find(|meter| meter.name() == "jobs ec*").unwrap().counter(0)
    };
    let before = taken();
    let response = site.request(Method::GET, "/live/jobs/echo?a=1").send().await.unwrap();
    assert_eq!(Lines::of(response).rest().await.len(), 2);
    assert_eq!(taken(), before + 1);
}

#[tokio::test]
async fn who_may_operate_may_replace_pipelines_and_who_reads_sees_them() {
    let (reads, operates) = ("a-token-that-reads", "a-token-that-operates");
    let access = Access::new().token("reader", reads, Role::Read).token("operator", operates, Role::Operate);
    let (site, _live) = site_with(Settings::default(), |service| service.access(access)).await;
    for (token, method, path, wanted) in [
        (reads, Method::GET, "/live/pipelines", StatusCode::OK),
        (reads, Method::PUT, "/live/pipelines", StatusCode::FORBIDDEN),
        (reads, Method::POST, "/live/pipelines/rollback", StatusCode::FORBIDDEN),
        (operates, Method::PUT, "/live/pipelines", StatusCode::OK),
        (operates, Method::POST, "/live/pipelines/rollback", StatusCode::OK),
    ] {
        let request = site.request(method.clone(), path).bearer_auth(token).body("{}");
        assert_eq!(answer(request).await.0, wanted, "{method} {path}");
    }
}

fn configured(text: &str) -> Result<Pipelines, String> {
    let config =
        Config::builder().text(text).without_environment().build().map_err(|error| error.to_string())?;
    let live = Live::new(&App::new());
    live.configured(&config).map_err(|error| error.to_string())?;
    Ok((*live.pipelines()).clone())
}

#[tokio::test]
async fn pipelines_of_the_configuration_are_put_in_force_and_wrong_ones_told_with_the_line() {
    let text = "
live:
  pipelines:
    jobs:
      - names: [customers]
        stages:
          - dedup
          - batch: {most: 100, within: 1s}
";
    let wanted = Pipeline::named(["customers"]).dedup().batch(100, std::time::Duration::from_secs(1));
    assert_eq!(configured(text).unwrap(), Pipelines::new().for_jobs(wanted));
    assert_eq!(configured("live: {heartbeat: 5s}").unwrap(), Pipelines::new());
    for (from, to, error) in [
        (
            "most: 100",
            "most: 0",
            "config.yaml:8: `live.pipelines.jobs[0].stages[1].batch.most`: must be 1 to 10000, not 0",
        ),
        ("dedup", "dedub", "config.yaml:7: `live.pipelines.jobs.0.stages.0"),
        (
            "- dedup\n",
            "- dedup\n          - in_order\n",
            "config.yaml:8: `live.pipelines.jobs[0].stages[1]`: `in_order` must be the last",
        ),
        (
            "pipelines:\n",
            "pipelines_file: x.yaml\n  pipelines:\n",
            "config.yaml:3: `live.pipelines` and `live.pipelines_file` are both given",
        ),
    ] {
        let told = configured(&text.replace(from, to)).unwrap_err();
        assert!(told.contains(error), "{told}");
    }
    let told = configured("live:\n  pipelines_file: /nowhere/p.yaml\n").unwrap_err();
    assert!(told.starts_with("config.yaml:2: the pipelines in `/nowhere/p.yaml` can't be read"), "{told}");
}
