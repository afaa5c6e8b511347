//! Schedules over HTTP.

use super::World;
use crate::http::site::answer;
use mape::backend::Backend;
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_schedule_is_kept_shown_changed_and_taken_away() {
    let world = World::new(Backend::memory()).await;
    let put = |name: &str, body: serde_json::Value| {
        answer(
            world
                .site
                .request(Method::PUT, &format!("/queues/reply/schedules/{name}"))
                .body(body.to_string()),
        )
    };
    let (status, kept) =
        put("fetch", json!({"cron": "0 3 * * *", "zone": "Europe/Berlin", "data": {"a": 1}, "priority": 1}))
            .await;
    assert_eq!(
        (status, &kept["name"], &kept["zone"]),
        (StatusCode::OK, &json!("fetch"), &json!("Europe/Berlin"))
    );
    assert!(kept["next"].as_str().unwrap().contains("03:00:00"), "{kept}");
    assert_eq!(world.site.get("/queues/reply/schedules").await.1, json!([kept]));
    let (_, changed) = put("fetch", json!({"cron": "@hourly"})).await;
    assert_eq!(world.site.get("/queues/reply/schedules/fetch").await.1, changed);
    assert_eq!((&changed["data"], &changed["priority"]), (&json!(null), &json!(0)));
    let delayed = world.site.get("/queues/reply/jobs?state=delayed").await.1;
    assert_eq!(delayed[0]["schedule"], "fetch");
    for (body, wanted) in [
        (json!({"cron": "61 * * * *"}), "`cron`"),
        (json!({"cron": "@daily", "zone": "Europe/Atlantis"}), "`zone`"),
        (json!({"cron": "@daily", "priority": 3}), "it has priority 3"),
        (json!({"cron": "0 0 30 2 *"}), ""),
        (json!({"cron": "@daily", "key": 1}), "unknown field `key`"),
    ] {
        let (status, wrong) = put("wrong", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(wrong["detail"].as_str().unwrap().contains(wanted), "{wrong}");
    }
    let delete = || answer(world.site.request(Method::DELETE, "/queues/reply/schedules/fetch"));
    assert_eq!((delete().await.0, delete().await.0), (StatusCode::NO_CONTENT, StatusCode::NOT_FOUND));
    let (status, unknown) = world.site.get("/queues/reply/schedules/fetch").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(unknown["detail"].as_str().unwrap().contains("no schedule `fetch`"), "{unknown}");
}
