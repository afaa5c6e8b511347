//! The live server: jobs asked for, parts of results as they come, interests, groups.

mod answer;
mod clients;
#[cfg(feature = "config")]
mod configured;
mod guest;
mod jobs;
mod look;
mod pipelines;
mod problems;
mod query;
mod saying;
mod server;
mod socket;
mod stating;
mod stream;
mod telling;

pub(crate) use server::{HEARTBEAT, Server};

use crate::live::Live;
use axum::Router;
use axum::extract::FromRef;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes, in whatever knows the [`Server`].
pub(super) fn routes<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Server: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(jobs::ask))
        .routes(routes!(jobs::ask_by_name))
        .routes(routes!(stream::stream))
        .routes(routes!(socket::socket))
        .routes(routes!(look::overview))
        .routes(routes!(look::publish))
        .routes(routes!(look::members))
        .routes(routes!(clients::state, clients::withdraw))
        .routes(routes!(clients::join, clients::leave))
        .routes(routes!(clients::ask))
        .routes(routes!(clients::cancel))
        .routes(routes!(pipelines::show, pipelines::put))
        .routes(routes!(pipelines::roll_back))
}

/// The routes of a live server, without any guard, to be mounted in a server of one's own.
///
/// What a client may see and do is up to the [`Security`](crate::live::Security) of the live server; who stands behind a
/// request is the [`Viewer`](crate::live::Viewer) among its extensions, if a layer of yours puts one there.
///
/// ```no_run
/// use mape::live::Live;
/// use mape::prelude::*;
///
/// # #[tokio::main] async fn main() -> Result<(), BoxError> {
/// # let mine = axum::Router::new();
/// let app = App::new();
/// let live = Live::new(&app);
/// let router = mine.merge(mape::http::live(&live)); // /live/jobs and so on
/// # let _ = router;
/// # Ok(()) }
/// ```
pub fn live(live: &Live) -> Router {
    routes().with_state(Server::alone(live)).into()
}
