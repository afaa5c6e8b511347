//! Who may listen, ask, join and publish.

use super::{Lines, Settings, Talk, site_with};
use crate::http::site::{Site, answer};
use mape::http::{Access, Role, Rule};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;

const READER: &str = "a-token-for-readers";
const JANE: &str = "a-token-for-jane-alone";
const JOE: &str = "a-token-for-joe-alone";
const ADMIN: &str = "a-token-for-admins";

async fn guarded() -> Site {
    let access = Access::new()
        .token("reader", READER, Role::Read)
        .token("jane", JANE, Role::Operate)
        .token("joe", JOE, Role::Operate)
        .token("ada", ADMIN, Role::Admin)
        .rule(Rule::new("/live/jobs/hang", Role::Admin))
        .rule(Rule::new("/live/names/staff", Role::Admin))
        .rule(Rule::new("/live/groups/staff", Role::Admin));
    site_with(Settings::default(), |service| service.access(access)).await.0
}

fn ask(site: &Site, token: &str, method: Method, path: &str, body: &str) -> RequestBuilder {
    site.request(method, path).bearer_auth(token).body(body.to_owned())
}

async fn status(site: &Site, token: &str, method: Method, path: &str, body: &str) -> StatusCode {
    ask(site, token, method, path, body).send().await.unwrap().status()
}

#[tokio::test]
async fn readers_listen_and_do_nothing_else() {
    let site = guarded().await;
    assert_eq!(site.get("/live").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&site, READER, Method::GET, "/live", "").await, StatusCode::OK);
    let mut lines =
        Lines::of(ask(&site, READER, Method::GET, "/live/stream?names=n", "").send().await.unwrap());
    let id = lines.json().await["client"].as_str().unwrap().to_owned();
    let echo = "{\"name\": \"echo\"}";
    for (method, path, body) in [
        (Method::GET, "/live/jobs/echo", ""),
        (Method::POST, "/live/jobs", echo),
        (Method::POST, &format!("/live/clients/{id}/jobs"), echo),
        (Method::POST, "/live/names/n", "1"),
        (Method::PUT, &format!("/live/clients/{id}/groups/tea"), ""),
    ] {
        let refused = status(&site, READER, method.clone(), path, body).await;
        assert_eq!(refused, StatusCode::FORBIDDEN, "{method} {path}");
    }
    // What it listens to is its own affair.
    let path = format!("/live/clients/{id}/interests/mine");
    assert_eq!(status(&site, READER, Method::PUT, &path, "{\"names\": [\"m\"]}").await, StatusCode::OK);
    assert_eq!(status(&site, JANE, Method::POST, "/live/names/m", "1").await, StatusCode::OK);
    assert_eq!(lines.json().await["data"], 1);
    assert_eq!(status(&site, READER, Method::DELETE, &path, "").await, StatusCode::NO_CONTENT);

    let header = format!("Bearer {READER}");
    let mut talk = Talk::with(&site, "/live/socket", &[("authorization", &header)]).await.unwrap();
    talk.next().await;
    for refused in [json!({"ask": {"name": "echo"}}), json!({"publish": {"name": "n", "data": 1}})] {
        let answer = talk.ask(refused).await;
        assert_eq!(answer["status"], 403, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains("needs the role operate"), "{answer}");
    }
    assert!(talk.ask(json!({"interest": {"name": "x", "names": ["n"]}})).await["ok"] == true);
    assert!(talk.ask(json!({"join": {"group": "tea"}})).await["ok"] == true);
    assert!(Talk::with(&site, "/live/socket", &[]).await.is_err());
}

#[tokio::test]
async fn rules_for_a_path_hold_whichever_way_it_is_asked_for() {
    let site = guarded().await;
    let hang = "{\"name\": \"hang\"}";
    assert_eq!(status(&site, JANE, Method::GET, "/live/jobs/hang", "").await, StatusCode::FORBIDDEN);
    assert_eq!(status(&site, JANE, Method::POST, "/live/jobs", hang).await, StatusCode::FORBIDDEN);
    let list = format!("[{{\"name\": \"echo\"}}, {hang}]");
    assert_eq!(status(&site, JANE, Method::POST, "/live/jobs", &list).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&site, ADMIN, Method::POST, "/live/jobs", hang).await, StatusCode::OK);
    assert_eq!(status(&site, JANE, Method::GET, "/live/stream?group=staff", "").await, StatusCode::FORBIDDEN);
    let header = format!("Bearer {JANE}");
    let mut talk = Talk::with(&site, "/live/socket", &[("authorization", &header)]).await.unwrap();
    talk.next().await;
    for refused in [
        json!({"ask": {"name": "hang"}}),
        json!({"publish": {"name": "staff", "data": 1}}),
        json!({"join": {"group": "staff"}}),
    ] {
        assert_eq!(talk.ask(refused.clone()).await["status"], 403, "{refused}");
    }
    assert_eq!(talk.ask(json!({"publish": {"name": "n", "data": 1}})).await["ok"], true);
}

#[tokio::test]
async fn nobody_speaks_for_the_client_of_somebody_else() {
    let site = guarded().await;
    let mut lines =
        Lines::of(ask(&site, JANE, Method::GET, "/live/stream?names=n", "").send().await.unwrap());
    let id = lines.json().await["client"].as_str().unwrap().to_owned();
    let interest = format!("/live/clients/{id}/interests/0");
    let jobs = format!("/live/clients/{id}/jobs");
    assert_eq!(status(&site, JOE, Method::PUT, &interest, "{}").await, StatusCode::FORBIDDEN);
    assert_eq!(status(&site, JOE, Method::DELETE, &interest, "").await, StatusCode::FORBIDDEN);
    assert_eq!(status(&site, JOE, Method::POST, &jobs, "{\"name\": \"echo\"}").await, StatusCode::FORBIDDEN);
    assert_eq!(status(&site, JANE, Method::POST, &jobs, "{\"name\": \"echo\"}").await, StatusCode::ACCEPTED);
    assert_eq!(status(&site, ADMIN, Method::DELETE, &interest, "").await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn pages_of_other_sites_neither_listen_nor_ask() {
    let (site, _live) = site_with(Settings::default(), |service| {
        service.access(Access::new().allow_origin("https://dashboard.example"))
    })
    .await;
    let from = |origin: &'static str, path: &str| site.request(Method::GET, path).header("origin", origin);
    let foreign = "https://evil.example";
    assert_eq!(answer(from(foreign, "/live/stream?all=true")).await.0, StatusCode::FORBIDDEN);
    assert!(Talk::with(&site, "/live/socket", &[("origin", foreign)]).await.is_err());
    let known = "https://dashboard.example";
    assert!(Talk::with(&site, "/live/socket", &[("origin", known)]).await.is_ok());
    // A picture in a page of another site says nothing of where it is from, but the browser does.
    let picture = |site: &Site| {
        site.request(Method::GET, "/live/jobs/count?parts=1").header("sec-fetch-site", "cross-site")
    };
    assert_eq!(answer(picture(&site)).await.0, StatusCode::FORBIDDEN);
    let response = picture(&site).header("origin", known).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["access-control-expose-headers"], "x-mape-job");
}
