//! Pages of other sites, and names that lead here by a trick.

use super::*;

#[tokio::test]
async fn a_page_of_another_site_may_not_ask() {
    let site = Site::of(&App::new()).await;
    let own = site.serving.url();
    for path in ["/loops", "/workflows/1/restart", "/topology/stream"] {
        let ask = |origin: &str| status(site.request(Method::GET, path).header("origin", origin));
        assert_eq!(ask("https://evil.example").await, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(ask("null").await, StatusCode::FORBIDDEN, "{path}");
        assert_ne!(ask(&own).await, StatusCode::FORBIDDEN, "{path}");
        assert_ne!(status(site.request(Method::GET, path)).await, StatusCode::FORBIDDEN, "{path}");
    }
    let other_port = format!("http://127.0.0.1:{}", site.serving.address().port().wrapping_add(1));
    assert_eq!(
        status(site.request(Method::GET, "/loops").header("origin", other_port)).await,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_foreign_name_of_the_host_is_refused() {
    let site = Site::of(&App::new()).await;
    let ask = |host: &str| status(site.request(Method::GET, "/loops").header("host", host));
    for host in
        ["evil.example", "evil.example:6060", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"]
    {
        assert_eq!(ask(host).await, StatusCode::FORBIDDEN, "{host}");
    }
    for host in ["localhost", "localhost:1", "127.0.0.1", "127.0.0.9:80", "[::1]:6060", "LOCALHOST"] {
        assert_eq!(ask(host).await, StatusCode::OK, "{host}");
    }
    let known = Site::with(Service::new(&App::new()).access(Access::new().allow_host("robot.local"))).await;
    let ask = |host: &str| status(known.request(Method::GET, "/loops").header("host", host));
    assert_eq!(ask("robot.local:6060").await, StatusCode::OK);
    assert_eq!(ask("other.local").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn other_sites_may_ask_only_if_they_are_named() {
    let preflight = |site: &Site, origin: &str| {
        let request = site.request(Method::OPTIONS, "/loops").header("origin", origin);
        request
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization")
    };
    let closed = Site::of(&App::new()).await;
    let response = preflight(&closed, "https://dash.example").send().await.unwrap();
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    let open =
        Site::with(Service::new(&App::new()).access(Access::new().allow_origin("https://dash.example")))
            .await;
    let response = preflight(&open, "https://dash.example").send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "https://dash.example");
    let asked =
        open.request(Method::GET, "/loops").header("origin", "https://dash.example").send().await.unwrap();
    assert_eq!(
        (asked.status(), &asked.headers()["access-control-allow-origin"]),
        (StatusCode::OK, &"https://dash.example".parse().unwrap())
    );
    assert_eq!(
        status(open.request(Method::GET, "/loops").header("origin", "https://evil.example")).await,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_picture_in_a_page_of_another_site_changes_nothing() {
    let site = Site::of(&App::new()).await;
    let ask =
        |from: &str| status(site.request(Method::GET, "/workflows/1/restart").header("sec-fetch-site", from));
    for from in ["cross-site", "same-site"] {
        assert_eq!(ask(from).await, StatusCode::FORBIDDEN, "{from}");
    }
    for from in ["same-origin", "none"] {
        assert_eq!(ask(from).await, StatusCode::NOT_FOUND, "{from}");
    }
}
