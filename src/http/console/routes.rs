//! The paths of the console.

use super::super::Context;
use super::super::access::Admission;
use super::{
    assets, channels, element_page, front, knowledge, login, loops_page, queue_page, queues, run_page, runs,
    start,
};
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

/// What a page may load and ask: only what is here, and no script or style that stands in the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// All pages, what they load, and `/`.
pub(in crate::http) fn routes(admission: Admission) -> Router<Context> {
    Router::new()
        .route("/", get(front::front))
        .route("/console", get(front::home))
        .route("/console/", get(front::home))
        .route("/console/loops", get(loops_page::show))
        .route("/console/loops/{loop}/{element}", get(element_page::show))
        .route("/console/knowledge", get(knowledge::show))
        .route("/console/queues", get(queues::show))
        .route("/console/queues/{queue}", get(queue_page::show))
        .route("/console/channels", get(channels::show))
        .route("/console/workflows", get(runs::show))
        .route("/console/workflows/{id}", get(run_page::show))
        .route("/console/start", get(start::show))
        .route("/console/start/check", axum::routing::post(start::check))
        .route("/console/login", get(login::show).post(login::enter))
        .route("/console/assets/{name}", get(assets::get))
        .route("/workflow", get(front::littleflow))
        .layer(Extension(admission))
        .layer(map_response(guarded))
}

async fn guarded(mut response: Response) -> Response {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
