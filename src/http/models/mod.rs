//! The routes for models.

#[cfg(feature = "config")]
mod configured;
mod load;
mod look;
mod new_version;
mod problems;
mod run;
mod served;
mod versions;

use super::Context;
use super::workflows::answers;
use crate::app::App;
use crate::infer::Models;
use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use served::Served;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(look::list))
        .routes(routes!(look::get, load::put, versions::remove))
        .routes(routes!(look::disagreements))
        .routes(routes!(run::run))
        .routes(routes!(versions::swap))
        .routes(routes!(versions::roll_back))
        .routes(routes!(versions::retire))
        .routes(routes!(versions::try_beside, versions::try_no_more))
}

/// The routes for models, without any guard, to be mounted in a server of one's own.
///
/// ```no_run
/// use mape::infer::Models;
/// use mape::prelude::*;
///
/// # #[tokio::main] async fn main() -> Result<(), BoxError> {
/// # let mine = axum::Router::new();
/// let (app, models) = (App::new(), Models::new());
/// let router = mine.merge(mape::http::models(&app, &models)); // /models and so on
/// # let _ = router;
/// # Ok(()) }
/// ```
pub fn models(app: &App, models: &Models) -> Router {
    routes().with_state(Context::with_models(app, models)).into()
}
