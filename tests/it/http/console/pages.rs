//! Every page, as it is loaded.

use super::super::site::Site;
use super::demo::Demo;
use super::is_clean;
use crate::server::Tab;
use mape::app::App;
use reqwest::StatusCode;
use reqwest::header::{self, HeaderValue};

#[tokio::test(flavor = "multi_thread")]
async fn every_page_loads_without_complaints_and_asks_nobody_else() {
    let demo = Demo::start().await;
    let [finished, failed, asking, going] = demo.runs().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/")).await;
    for path in [
        "/".to_owned(),
        "/console/loops".to_owned(),
        "/console/loops/car_panda/error".to_owned(),
        "/console/loops#car_panda.error".to_owned(),
        "/console/workflows".to_owned(),
        format!("/console/workflows/{finished}"),
        format!("/console/workflows/{failed}?vertical=true"),
        format!("/console/workflows/{asking}"),
        format!("/workflow?id={going}"),
        "/console/start".to_owned(),
        "/console/knowledge".to_owned(),
        "/console/channels".to_owned(),
        "/console/queues".to_owned(),
        "/console/login".to_owned(),
    ] {
        tab.go(&site.url(&path)).await;
        tab.until("the page says what it is", "document.querySelector('h1')?.textContent.trim().length > 0")
            .await;
    }
    is_clean(&tab, &site);
}

#[tokio::test]
async fn what_pages_load_is_kept_by_browsers_and_pages_say_what_they_may_load() {
    let site = Site::of(&App::new()).await;
    let asset = |tag: Option<HeaderValue>| {
        let request = site.client.get(site.url("/console/assets/console.css"));
        match tag {
            Some(tag) => request.header(header::IF_NONE_MATCH, tag),
            None => request,
        }
    };
    let first = asset(None).send().await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    let tag = first.headers()[header::ETAG].clone();
    assert_eq!(asset(Some(tag)).send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
    assert_eq!(site.get("/console/assets/nothing").await.0, StatusCode::NOT_FOUND);
    let page = site.client.get(site.url("/")).header(header::ACCEPT, "text/html").send().await.unwrap();
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let text = page.text().await.unwrap();
    assert!(text.contains("There are no loops in this program"), "{text}");
}

#[tokio::test]
async fn programs_are_told_the_version_at_the_address_where_people_see_the_overview() {
    let site = Site::of(&App::new()).await;
    let (status, version) = site.get("/").await;
    assert_eq!((status, &version["littleflow"]), (StatusCode::OK, &"v0.13.0".into()));
}
