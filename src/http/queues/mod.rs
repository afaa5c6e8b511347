//! The routes for task queues.

#[cfg(feature = "config")]
mod configured;
mod dead;
mod handles;
mod jobs;
mod look;
mod new_job;
mod outcomes;
mod problems;
mod schedules;
mod watch;

use super::Context;
use super::workflows::answers;
use crate::app::App;
use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use handles::Handles;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(look::list))
        .routes(routes!(watch::stream))
        .routes(routes!(look::get, look::remove))
        .routes(routes!(look::pause))
        .routes(routes!(look::resume))
        .routes(routes!(jobs::list, jobs::add))
        .routes(routes!(jobs::get, jobs::cancel))
        .routes(routes!(outcomes::last))
        .routes(routes!(outcomes::stream))
        .routes(routes!(dead::list, dead::discard_all))
        .routes(routes!(dead::discard))
        .routes(routes!(dead::replay))
        .routes(routes!(schedules::list))
        .routes(routes!(schedules::get, schedules::put, schedules::remove))
}

/// The routes for the task queues of an app's backend, without any guard, to be mounted in a server of one's own.
///
/// ```no_run
/// use mape::prelude::*;
///
/// # #[tokio::main] async fn main() -> Result<(), BoxError> {
/// # let mine = axum::Router::new();
/// let app = App::new();
/// let router = mine.merge(mape::http::queues(&app)); // /queues and so on
/// # let _ = router;
/// # Ok(()) }
/// ```
pub fn queues(app: &App) -> Router {
    routes().with_state(Context::alone(app, None)).into()
}
