//! Whether the service is there.

use super::{Context, Problem};
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(ready))
}

/// Whether the service lives.
#[utoipa::path(get, path = "/health", tag = "service", responses((status = 200, description = "It does.", body = Value)))]
async fn health() -> Json<Value> {
    Json(json!({"status": "ok", "mape": env!("CARGO_PKG_VERSION")}))
}

/// Whether the service can do its work: its backend answers, and it is not about to end.
#[utoipa::path(
    get,
    path = "/ready",
    tag = "service",
    responses((status = 200, description = "It can.", body = Value), (status = 503, description = "It cannot.", body = Value))
)]
async fn ready(State(context): State<Context>) -> Result<Json<Value>, Problem> {
    if context.closing.is_cancelled() {
        return Err(Problem::unavailable("the service is about to end").retry_after(5));
    }
    let knowledge = context.app.knowledge();
    let value = knowledge.value::<Value>("mape.ready");
    let asked = value.get();
    match tokio::time::timeout(std::time::Duration::from_secs(2), asked).await {
        Ok(Ok(_)) => Ok(Json(json!({"status": "ok", "backend": context.app.backend().url()}))),
        Ok(Err(error)) => {
            Err(Problem::unavailable(format!("the backend does not answer: {error}")).retry_after(1))
        }
        Err(_) => Err(Problem::unavailable("the backend does not answer within 2 s").retry_after(1)),
    }
}
