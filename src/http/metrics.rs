//! What the process counts, for Prometheus.

use super::Context;
use crate::telemetry::{Format, Snapshot};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Everything that the process counts.
///
/// As `OpenMetrics` where `Accept` asks for `application/openmetrics-text`, else in Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "service",
    responses((
        status = 200,
        description = "The metrics.",
        content((String = "text/plain"), (String = "application/openmetrics-text"))
    ))
)]
async fn metrics(State(context): State<Context>, headers: HeaderMap) -> impl IntoResponse {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let open = accepts.flat_map(|value| value.split(',')).any(|kind| {
        kind.split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/openmetrics-text"))
    });
    let format = if open { Format::OpenMetrics } else { Format::Prometheus };
    let text = Snapshot::read(&context.app).await.text(format);
    ([(header::CONTENT_TYPE, format.content_type())], text)
}
