//! The description of the API, and whether the service lives.

use super::site::Site;
use mape::app::App;
use reqwest::StatusCode;

#[tokio::test]
async fn a_service_says_that_it_lives_and_can_do_its_work() {
    let site = Site::of(&App::new()).await;
    assert_eq!(site.get("/health").await.0, StatusCode::OK);
    assert_eq!(site.get("/ready").await.1["backend"], "memory:");
    let (status, body) = site.get("/nothing").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body["detail"].as_str().unwrap().contains("/nothing"), "{body}");
    let (status, body) = site.post("/health", "").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(body["detail"].is_string(), "{body}");
}
