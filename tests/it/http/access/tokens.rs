//! Tokens, and addresses that ask for them.

use super::*;
use jsonwebtoken::{EncodingKey, Header, encode};
use mape::http::{Error, Jwt};
use serde_json::json;

const SECRET: &str = "a secret that has more than thirty-two bytes";

fn jwt(claims: &Value) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn later() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 600
}

#[tokio::test]
async fn web_tokens_are_verified() {
    let access = Access::new().jwt(Jwt::secret(SECRET).issuer("us").audience("mape"));
    let site = Site::with(Service::new(&App::new()).access(access)).await;
    let get = |token: String| status(site.request(Method::GET, "/loops").bearer_auth(token));
    let post = |token: String| status(site.request(Method::POST, "/channels/a").bearer_auth(token).body("1"));
    let good = json!({"sub": "amy", "iss": "us", "aud": "mape", "exp": later(), "role": "read"});
    assert_eq!(get(jwt(&good)).await, StatusCode::OK);
    assert_eq!(post(jwt(&good)).await, StatusCode::FORBIDDEN);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        jwt(&claims)
    };
    assert_eq!(post(with("role", json!(["read", "operate"]))).await, StatusCode::OK);
    for (name, value) in [
        ("role", json!("king")),
        ("role", Value::Null),
        ("iss", json!("them")),
        ("aud", json!("other")),
        ("exp", json!(1)),
        ("nbf", json!(later())),
    ] {
        assert_eq!(get(with(name, value.clone())).await, StatusCode::UNAUTHORIZED, "{name}: {value}");
    }
    let mut timeless = good.clone();
    timeless.as_object_mut().unwrap().remove("exp");
    assert_eq!(get(jwt(&timeless)).await, StatusCode::UNAUTHORIZED);
    let forged = encode(&Header::default(), &good, &EncodingKey::from_secret(b"another")).unwrap();
    assert_eq!(get(forged).await, StatusCode::UNAUTHORIZED);
    // Without a signature: {"alg":"none"}.
    let (_, payload) =
        jwt(&good).split_once('.').map(|(head, rest)| (head.to_owned(), rest.to_owned())).unwrap();
    let payload = payload.split('.').next().unwrap();
    assert_eq!(get(format!("eyJhbGciOiJub25lIn0.{payload}.")).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_browser_brings_its_token_in_a_cookie() {
    let site = Site::with(Service::new(&App::new()).access(access())).await;
    let get = |cookie: String| status(site.request(Method::GET, "/loops").header("cookie", cookie));
    assert_eq!(get(format!("theme=dark; mape_token={READ}")).await, StatusCode::OK);
    assert_eq!(get("mape_token=wrong".to_owned()).await, StatusCode::UNAUTHORIZED);
    let page =
        site.request(Method::GET, "/console/loops").header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert!(page.headers()["location"].to_str().unwrap().starts_with("/console/login"));
}

#[tokio::test]
async fn a_public_address_needs_tokens_or_two_words() {
    let app = App::new();
    let refused = Service::new(&app).listen("0.0.0.0:0").await.unwrap_err();
    assert!(refused.to_string().contains("rest.tokens"), "{refused}");
    assert!(Service::new(&app).access(access()).listen("0.0.0.0:0").await.is_ok());
    assert!(Service::new(&app).access(Access::new().anyone()).listen("0.0.0.0:0").await.is_ok());
    let short =
        Service::new(&app).access(Access::new().token("me", "short", Role::Read)).listen("127.0.0.1:0");
    assert!(short.await.unwrap_err().to_string().contains("rest.tokens.me"));
    let shared = Service::new(&app).access(Access::new().jwt(Jwt::secret("short"))).listen("127.0.0.1:0");
    assert!(shared.await.unwrap_err().to_string().contains("rest.jwt"));
}

#[tokio::test]
async fn secrets_show_themselves_nowhere() {
    let access = access().jwt(Jwt::secret(SECRET));
    let shown = format!("{access:?} {:?}", Service::new(&App::new()).access(access.clone()));
    for secret in [READ, OPERATE, ADMIN, SECRET] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let site = Site::with(Service::new(&App::new()).access(access)).await;
    for path in ["/", "/redoc", "/console/loops", "/topology"] {
        let request = site.request(Method::GET, path).bearer_auth(READ).header("accept", "text/html");
        let text = request.send().await.unwrap().text().await.unwrap();
        assert!(!text.contains(READ), "{path}");
    }
}

#[tokio::test]
async fn routes_of_the_program_s_own_are_served_beside_the_rest_and_ask_for_the_same_tokens() {
    let mine = axum::Router::new().route("/mine/{what}", axum::routing::get(async || "mine"));
    let site = Site::with(Service::new(&App::new()).access(access()).routes(mine)).await;
    assert_eq!(status(site.request(Method::GET, "/mine/page")).await, StatusCode::UNAUTHORIZED);
    let (status, text) = answer(site.request(Method::GET, "/mine/page").bearer_auth(READ)).await;
    assert_eq!((status, text), (StatusCode::OK, "mine".into()));
    let (status, _) = answer(site.request(Method::GET, "/loops").bearer_auth(READ)).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn who_connects_to_a_bound_port_waits_and_it_does_not_serve_without_what_guards_it() {
    let app = App::new();
    let bound = Service::new(&app).bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/loops", bound.address());
    let early = tokio::spawn(answer(client().get(&url)));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!early.is_finished(), "it is neither answered nor refused");
    let serving = bound.with(|service| service.access(access())).serve().unwrap();
    assert_eq!(early.await.unwrap().0, StatusCode::UNAUTHORIZED, "what was changed since holds");
    serving.close(std::time::Duration::from_secs(1)).await;
    let guarded = Service::new(&app).access(access()).bind("0.0.0.0:0").await.unwrap();
    let error = guarded.with(|service| service.access(Access::new())).serve().unwrap_err();
    assert!(matches!(error, Error::Unprotected { .. }), "{error}");
}
