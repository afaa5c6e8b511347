//! Each route with each role.

use super::super::openapi::operations;
use super::*;

/// The least role that a route asks for, as the documentation has it; `None`: nobody is asked for a token.
fn needed(method: &Method, path: &str) -> Option<Role> {
    match (method.as_str(), path) {
        (_, "/health" | "/ready" | "/callbacks/{token}" | "/console/login") => None,
        ("GET", "/workflows/{id}/restart" | "/workflows/restore" | "/live/jobs/{name}") => {
            Some(Role::Operate)
        }
        ("GET", _) | ("POST", "/flows/check") | (_, "/live/clients/{id}/interests/{name}") => {
            Some(Role::Read)
        }
        ("DELETE", path) if path.starts_with("/live/clients/") => Some(Role::Operate),
        ("DELETE", "/models/{model}/shadow") => Some(Role::Operate),
        ("DELETE", _) => Some(Role::Admin),
        (_, path) if path.contains("/links") || path.starts_with("/knowledge") => Some(Role::Admin),
        _ => Some(Role::Operate),
    }
}

#[tokio::test]
async fn each_route_asks_for_its_role() {
    let app = App::new();
    let site = Site::with(Service::new(&app).access(access())).await;
    let document = answer(site.request(Method::GET, "/openapi.json").bearer_auth(READ)).await.1;
    let mut routes: Vec<_> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    for path in
        ["/", "/docs/", "/redoc", "/openapi.json", "/console/loops", "/console/workflows", "/console/login"]
    {
        routes.push((Method::GET, path.to_owned()));
    }
    for (method, path) in routes {
        let needed = needed(&method, &path);
        // Nothing is there under such names, so whatever comes in does no harm.
        let path: String = path
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        let ask = || site.request(method.clone(), &path).header("accept", "application/json");
        let place = format!("{method} {path}");
        let is_let_in =
            |status: StatusCode| status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN;
        let nobody = status(ask()).await;
        assert_eq!(is_let_in(nobody), needed.is_none(), "{place} without a token: {nobody}");
        assert!(needed.is_none() || nobody == StatusCode::UNAUTHORIZED, "{place}");
        let unknown = status(ask().bearer_auth("a-token-of-somebody-else")).await;
        assert_eq!(is_let_in(unknown), needed.is_none(), "{place} with an unknown token: {unknown}");
        for (token, role) in [(READ, Role::Read), (OPERATE, Role::Operate), (ADMIN, Role::Admin)] {
            let got = status(ask().bearer_auth(token)).await;
            let may = needed.is_none_or(|needed| role >= needed);
            assert_eq!(is_let_in(got), may, "{place} as {role}: {got}");
            assert!(may || got == StatusCode::FORBIDDEN, "{place} as {role}: {got}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_told_as_everywhere() {
    let site = Site::with(Service::new(&App::new()).access(access())).await;
    let response = site.request(Method::GET, "/loops").send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert!(body["detail"].as_str().unwrap().contains("Authorization: Bearer"), "{body}");
    let (status, body) = answer(site.request(Method::POST, "/workflows/start").bearer_auth(READ)).await;
    assert_eq!((status, &body["status"]), (StatusCode::FORBIDDEN, &Value::from("Error")));
    assert!(body["message"].as_str().unwrap().contains("role"), "{body}");
}

#[tokio::test]
async fn rules_ask_for_other_roles_of_paths() {
    let app = App::new();
    app.create_loop("brake").unwrap().execute("door").act(|_: u8| ()).spawn().unwrap().expose();
    app.create_loop("radio").unwrap().execute("door").act(|_: u8| ()).spawn().unwrap().expose();
    let access = access()
        .rule(Rule::new("/loops/brake/**", Role::Admin).methods(["POST"]))
        .rule(Rule::new("/loops/*/elements/door", Role::Read));
    let site = Site::with(Service::new(&app).access(access)).await;
    let push =
        |path: &str, token: &str| status(site.request(Method::POST, path).bearer_auth(token).body("1"));
    assert_eq!(push("/loops/brake/elements/door", OPERATE).await, StatusCode::FORBIDDEN);
    assert_eq!(
        push("/loops/br%61ke/elements/door", OPERATE).await,
        StatusCode::FORBIDDEN,
        "however it is written"
    );
    assert_eq!(push("/loops/brake/elements/door", ADMIN).await, StatusCode::OK);
    assert_eq!(push("/loops/radio/elements/door", READ).await, StatusCode::OK);
    let refused = Service::new(&app)
        .access(super::access().rule(Rule::new("loops/**", Role::Read)))
        .listen("127.0.0.1:0");
    assert!(refused.await.unwrap_err().to_string().contains("does not begin with `/`"));
}

#[tokio::test]
async fn a_rule_for_get_holds_for_head_and_for_each_part_of_a_path() {
    let access = access()
        .rule(Rule::new("/loops", Role::Admin).methods(["GET"]))
        .rule(Rule::new("/knowledge/keys/*", Role::Admin));
    let site = Site::with(Service::new(&App::new()).access(access)).await;
    let ask = |method: Method, path: &str| status(site.request(method, path).bearer_auth(OPERATE));
    assert_eq!(ask(Method::HEAD, "/loops").await, StatusCode::FORBIDDEN);
    assert_eq!(ask(Method::GET, "/loops").await, StatusCode::FORBIDDEN);
    assert_eq!(ask(Method::GET, "/knowledge/keys/k.app.a%2Fb").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_signed_endpoint_opens_no_other_route() {
    let endpoints = mape::edge::Endpoints::new();
    let signature = || mape::edge::Signature::github("a secret that both sides have");
    let options = || mape::edge::PostOptions::new().signed(signature());
    let _events = endpoints.source::<Value>("/channels/a", options()).unwrap();
    let _hook = endpoints.source::<Value>("/hooks/a", options()).unwrap();
    let site = Site::with(Service::new(&App::new()).access(access()).endpoints(&endpoints)).await;
    let post = |path: &str| status(site.request(Method::POST, path).body("1"));
    assert_eq!(post("/channels/a").await, StatusCode::UNAUTHORIZED);
    let hook = answer(site.request(Method::POST, "/hooks/a").body("1")).await;
    assert!(
        hook.1["detail"].as_str().unwrap().to_lowercase().contains("sign"),
        "only its signature counts: {hook:?}"
    );
}

#[tokio::test]
async fn an_open_path_needs_no_token_and_routes_know_who_asks() {
    use axum::extract::Extension;
    use axum::routing::{get, post};
    use mape::live::Viewer;
    let who = |Extension(viewer): Extension<Viewer>| async move {
        format!("{viewer} {}", viewer.role.as_deref().unwrap_or("?"))
    };
    let routes = axum::Router::new()
        .route("/hook", get(who).post(who))
        .route("/own", get(who))
        .route("/pay", post(who));
    let access = access()
        .rule(Rule::open("/hook").methods(["POST"]))
        .rule(Rule::new("/pay", Role::Read))
        .rule(Rule::new("/loops/**", Role::Admin));
    let site = Site::with(Service::new(&App::new()).access(access).routes(routes)).await;
    let ask = |method, path, token: Option<&'static str>| {
        let request = site.request(method, path);
        answer(token.into_iter().fold(request, RequestBuilder::bearer_auth))
    };
    assert_eq!(ask(Method::POST, "/hook", None).await, (StatusCode::OK, "anyone ?".into()));
    assert_eq!(ask(Method::GET, "/hook", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Method::GET, "/own", Some(READ)).await.1, "dashboard read");
    assert_eq!(ask(Method::POST, "/pay", Some(READ)).await.1, "dashboard read");
    assert_eq!(ask(Method::GET, "/loops", Some(OPERATE)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(Method::GET, "/loops", Some(ADMIN)).await.0, StatusCode::OK);
}
