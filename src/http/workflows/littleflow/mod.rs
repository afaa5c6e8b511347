//! The routes of `littleflow_redis.service`: its paths, shapes, words and codes.
//!
//! Keys come sorted, objects have no others than there, errors are `{"message": …, "status": "Error"}`. What is better here
//! than there is in the notes on compatibility.

mod archive;
mod archives;
mod control;
mod described;
mod fault;
mod lists;
mod restore;
mod run;
mod start;

use super::super::Context;
use utoipa_axum::router::OpenApiRouter;

pub(in crate::http) use described::{described, version};

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .merge(lists::routes())
        .merge(run::routes())
        .merge(archive::routes())
        .merge(restore::routes())
        .merge(control::routes())
        .merge(start::routes())
}
