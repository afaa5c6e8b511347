//! What the service is, for those who knew littleflow's.

use super::super::super::Context;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

/// The versions of littleflow whose routes these are, and that of this service.
pub(in crate::http) async fn version() -> Json<Value> {
    Json(json!({"littleflow": "v0.13.0", "littleflow_redis": "v0.10.0", "mape": env!("CARGO_PKG_VERSION")}))
}

/// The description of the service, and its pages, where littleflow has them.
pub(in crate::http) fn described(document: &OpenApi) -> Router<Context> {
    let document = Json(serde_json::to_value(document).unwrap_or_default());
    Router::new()
        .route("/apispec.json", get(|| async move { document }))
        .route("/apidocs", get(|| async { Redirect::temporary("/docs") }))
        .route("/apidocs/", get(|| async { Redirect::temporary("/docs") }))
}
