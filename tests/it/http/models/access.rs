//! Who may do what with models.

use super::{bytes, path, row};
use crate::http::site::Site;
use mape::app::App;
use mape::http::{Access, Role, Service};
use mape::infer::{Models, Settings};
use reqwest::{Method, StatusCode};
use serde_json::json;

const READ: &str = "a-token-that-reads";
const OPERATE: &str = "a-token-that-operates";
const ADMIN: &str = "a-token-that-may-do-all";

#[tokio::test]
async fn who_looks_changes_nothing_who_operates_swaps_and_who_owns_removes() {
    let models = Models::new();
    for (version, file) in [("1", "mlp.onnx"), ("2", "mlp-2.onnx"), ("shadow", "mlp.onnx")] {
        models.load("interest", Some(version), path(file), Settings::default()).await.unwrap();
    }
    let access = Access::new().token("dashboard", READ, Role::Read).token("operator", OPERATE, Role::Operate);
    let access = access.token("owner", ADMIN, Role::Admin);
    let site = Site::with(Service::new(&App::new()).models(&models).access(access)).await;
    let asked = async |token: &str, method: Method, path: &str, body: Vec<u8>| {
        let request = site.request(method, path).bearer_auth(token).body(body);
        request.send().await.unwrap().status()
    };
    let version = || json!({"version": "2"}).to_string().into_bytes();
    let all = [
        (Method::GET, "/models", Vec::new(), Role::Read),
        (Method::GET, "/models/interest", Vec::new(), Role::Read),
        (Method::PUT, "/models/interest", bytes("mlp.onnx"), Role::Operate),
        (Method::POST, "/models/interest/run", row().to_string().into_bytes(), Role::Operate),
        (Method::PUT, "/models/interest/shadow", version(), Role::Operate),
        (Method::DELETE, "/models/interest/shadow", Vec::new(), Role::Operate),
        (Method::POST, "/models/interest/swap", version(), Role::Operate),
        (Method::POST, "/models/interest/rollback", Vec::new(), Role::Operate),
        (Method::DELETE, "/models/interest/versions/shadow", Vec::new(), Role::Admin),
        (Method::DELETE, "/models/interest", Vec::new(), Role::Admin),
    ];
    for (method, path, body, needed) in all {
        for (token, role) in [(READ, Role::Read), (OPERATE, Role::Operate), (ADMIN, Role::Admin)] {
            // Who may not is asked first, so that what is done by the first who may is not undone before.
            let may = role >= needed;
            let status = asked(token, method.clone(), path, body.clone()).await;
            assert_eq!(status != StatusCode::FORBIDDEN, may, "{method} {path} as {role}: {status}");
        }
    }
    assert!(models.list().is_empty());
    let nobody = site.request(Method::GET, "/models").send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
}
