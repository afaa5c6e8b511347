//! The description of the API, pages about it, and whether the service lives.

use super::site::Site;
use mape::app::App;
use reqwest::{Method, StatusCode};
use serde_json::Value;

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

/// Every operation of the description: method, path, and what is said of it.
pub(crate) fn operations(document: &Value) -> Vec<(Method, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| {
            (method.to_uppercase().parse().unwrap(), path.clone(), operation.clone())
        })
    });
    all.collect()
}

#[tokio::test]
async fn the_description_is_whole() {
    let site = Site::of(&App::new()).await;
    let (status, document) = site.get("/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let operations = operations(&document);
    assert!(operations.len() > 20, "{}", operations.len());
    for (method, path, operation) in operations {
        let place = format!("{method} {path}");
        assert!(
            operation["summary"].as_str().is_some_and(|text| text.ends_with('.')),
            "{place} has no summary"
        );
        assert_ne!(operation["tags"][0], Value::Null, "{place} has no tag");
        let named: Vec<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let told: Vec<_> = parameters
            .iter()
            .filter(|one| one["in"] == "path")
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(named, told, "{place}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let is_error = status.starts_with(['4', '5']);
            assert!(
                !is_error || response["content"]["application/json"]["schema"].is_object(),
                "{place}: {status}"
            );
        }
    }
    let mut unknown = Vec::new();
    references(&document, &document, &mut unknown);
    assert_eq!(unknown, Vec::<String>::new(), "they refer to nothing");
}

fn references(of: &Value, document: &Value, unknown: &mut Vec<String>) {
    match of {
        Value::Object(map) => {
            if let Some(to) = map.get("$ref").and_then(Value::as_str)
                && document.pointer(to.trim_start_matches('#')).is_none()
            {
                unknown.push(to.to_owned());
            }
            map.values().for_each(|value| references(value, document, unknown));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, document, unknown)),
        _ => {}
    }
}

#[tokio::test]
async fn the_pages_about_the_api_come_from_the_program_itself() {
    let site = Site::of(&App::new()).await;
    let get = |path: &'static str| site.request(Method::GET, path).send();
    let page = get("/redoc").await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let text = page.text().await.unwrap();
    assert!(text.contains("/loops/{loop}/elements/{element}"), "operations are read");
    assert!(
        !text.contains("<script") && !text.contains("http://") && !text.contains("https://"),
        "nothing from outside"
    );
    assert_eq!(get("/docs").await.unwrap().status(), StatusCode::SEE_OTHER);
    let page = get("/docs/").await.unwrap().text().await.unwrap();
    assert!(page.contains("swagger-ui"), "{page}");
    for file in ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/swagger-initializer.js"] {
        assert_eq!(get(file).await.unwrap().status(), StatusCode::OK, "{file}");
    }
    let (status, body) = site.get("/docs/nothing.js").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body["detail"].is_string(), "{body}");
}
