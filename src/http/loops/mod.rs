//! Levels, loops and elements: look at them, push items into their ports, steer them.

mod at;
mod ledger;
mod links;
mod live;
mod look;
mod push;
mod steer;
mod tap;
mod ticker;

pub(crate) use ledger::Ledger;
pub(crate) use ticker::Tickers;

use super::Context;
use crate::app::App;
use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(look::levels))
        .routes(routes!(look::loops))
        .routes(routes!(look::a_loop))
        .routes(routes!(look::elements))
        .routes(routes!(look::element, push::push))
        .routes(routes!(tap::stream))
        .routes(routes!(steer::steer_loop))
        .routes(routes!(steer::steer))
        .routes(routes!(steer::parameters))
        .routes(routes!(steer::parameter, steer::set_parameter))
        .routes(routes!(steer::call))
        .routes(routes!(links::link))
        .routes(routes!(links::change, links::unlink))
        .routes(routes!(live::topology))
        .routes(routes!(live::stream))
}

/// The routes for loops, without any guard, to be mounted in a server of one's own.
///
/// ```no_run
/// use mape::prelude::*;
///
/// # #[tokio::main] async fn main() -> Result<(), BoxError> {
/// # let mine = axum::Router::new();
/// let app = App::new();
/// let router = mine.nest("/adaptation", mape::http::loops(&app));
/// # let _ = router;
/// # Ok(()) }
/// ```
pub fn loops(app: &App) -> Router {
    routes().with_state(Context::alone(app, None)).into()
}
