//! The console: pages for people.

use super::Context;
use super::access::Admission;
use axum::Router;

pub(super) fn routes(_admission: Admission) -> Router<Context> {
    Router::new().route("/", axum::routing::get(super::workflows::version))
}
