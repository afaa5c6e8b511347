//! Who may do what.

mod limits;
mod origins;
mod roles;
mod tokens;

use super::site::{Site, answer, client};
use mape::app::App;
use mape::http::{Access, Role, Rule, Service};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

const READ: &str = "a-token-that-reads";
const OPERATE: &str = "a-token-that-operates";
const ADMIN: &str = "a-token-that-may-do-all";

fn access() -> Access {
    Access::new().token("dashboard", READ, Role::Read).token("operator", OPERATE, Role::Operate).token(
        "owner",
        ADMIN,
        Role::Admin,
    )
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}
