//! The whole service, put together.

use super::access::{self, Admission, Origins};
use super::context::{Context, Parts};
use super::goals::Goals;
use super::live::{HEARTBEAT, Server};
use super::loops::{Ledger, Tickers};
#[cfg(feature = "inference")]
use super::models::Served;
use super::queues::Handles;
use super::{Access, Bound, Error, Problem, Serving, Tls, console, docs};
use crate::app::App;
use crate::edge::Endpoints;
#[cfg(feature = "inference")]
use crate::infer::Models;
use crate::live::Live;
use crate::workflow::{Engine, Workflows};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::timeout::RequestBodyTimeoutLayer;

/// The HTTP service of an app: its loops, knowledge and channels, task queues, runs of workflows, the console, the API's
/// description.
///
/// ```no_run
/// use mape::http::{Access, Role, Service};
/// use mape::prelude::*;
///
/// # #[tokio::main] async fn main() -> Result<(), BoxError> {
/// # let token = String::new();
/// let app = App::new();
/// let serving = Service::new(&app)
///     .access(Access::new().token("operators", token, Role::Operate))
///     .listen("0.0.0.0:6060")
///     .await?;
/// # serving.close(std::time::Duration::from_secs(1)).await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "it serves nothing until it listens or its router is mounted"]
pub struct Service {
    app: App,
    workflows: Option<Workflows>,
    engine: Option<Engine>,
    endpoints: Endpoints,
    live: Option<Live>,
    #[cfg(feature = "inference")]
    models: Models,
    #[cfg(feature = "inference")]
    model_files: Option<PathBuf>,
    heartbeat: Duration,
    access: Access,
    pub(super) limits: Limits,
    archives: Option<PathBuf>,
    flows: Option<PathBuf>,
    pub(super) tls: Option<Tls>,
    routes: Router,
}

/// How much a client may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest body, in bytes. Default: 1 MiB.
    pub body: usize,
    /// The longest head of a request, in bytes, and the most that is read of it at a time. Default: 64 KiB.
    pub head: usize,
    /// How long a client may take to send the head of a request, also the next one on its connection. Default: 30 s.
    pub head_within: Duration,
    /// How long a client may take to go on with a body. Default: 30 s.
    pub body_within: Duration,
    /// How many connections there may be; others wait. Default: 10,000.
    pub connections: usize,
    /// How many requests a second may come from one address. Default: any number.
    pub requests_per_second: Option<NonZeroU32>,
    /// How long a pushed item waits for room in a port before the answer is 429. Default: 1 s.
    pub push_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1024 * 1024,
            head: 64 * 1024,
            head_within: Duration::from_secs(30),
            body_within: Duration::from_secs(30),
            connections: 10_000,
            requests_per_second: None,
            push_wait: Duration::from_secs(1),
        }
    }
}

impl Service {
    /// The loops of an app, and the runs of workflows on its backend.
    pub fn new(app: &App) -> Self {
        Self {
            app: app.clone(),
            workflows: Some(Workflows::new(app.backend())),
            engine: None,
            endpoints: Endpoints::new(),
            live: None,
            #[cfg(feature = "inference")]
            models: Models::new(),
            #[cfg(feature = "inference")]
            model_files: None,
            heartbeat: HEARTBEAT,
            access: Access::new(),
            limits: Limits::default(),
            archives: None,
            flows: None,
            tls: None,
            routes: Router::new(),
        }
    }

    /// Serves these runs, such as those under other names.
    pub fn workflows(mut self, workflows: &Workflows) -> Self {
        self.workflows = Some(workflows.clone());
        self
    }

    /// Starts workflows on this engine, which checks them against the tasks it has.
    pub fn engine(mut self, engine: &Engine) -> Self {
        self.workflows = Some(engine.workflows().clone());
        self.engine = Some(engine.clone());
        self
    }

    /// Also serves the endpoints of [`PostSource`](crate::edge::PostSource)s, those made later included.
    pub fn endpoints(mut self, endpoints: &Endpoints) -> Self {
        self.endpoints = endpoints.clone();
        self
    }

    /// Also serves a live server, below `/live`.
    pub fn live(mut self, live: &Live) -> Self {
        self.live = Some(live.clone());
        self
    }

    /// How often a quiet stream of the live server gives a sign of life. Default: 15 s.
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Serves these models, below `/models`; without it there are none until a client sends one.
    #[cfg(feature = "inference")]
    pub fn models(mut self, models: &Models) -> Self {
        self.models = models.clone();
        self
    }

    /// The directory of files that clients may name as versions of models; without it there is none.
    #[cfg(feature = "inference")]
    pub fn model_files(mut self, directory: impl Into<PathBuf>) -> Self {
        self.model_files = Some(directory.into());
        self
    }

    /// Who may do what.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// How much a client may ask for.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The directory in which `file:` archives of runs are read and written; without it there are none by name.
    pub fn archives(mut self, directory: impl Into<PathBuf>) -> Self {
        self.archives = Some(directory.into());
        self
    }

    /// Offers the flows of a directory, files called `NAME.flow`, to be begun by their names.
    pub fn flows(mut self, directory: impl Into<PathBuf>) -> Self {
        self.flows = Some(directory.into());
        self
    }

    /// As [`Access::anyone`].
    pub fn anyone(mut self) -> Self {
        self.access = self.access.anyone();
        self
    }

    /// Encrypts the connections.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Also serves these, such as pages of the program's own, under the same access and limits. Their handlers find who
    /// asks, by its token, as the extension [`Viewer`](crate::live::Viewer); [`Rule::open`](super::Rule::open) is for paths
    /// that need none. A fallback of theirs is not asked.
    ///
    /// # Panics
    /// If two of them are one; [`listen`](Self::listen), [`serve`](Bound::serve) and [`router`](Self::router), if one is there
    /// already.
    pub fn routes(mut self, routes: Router) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// Listens on `HOST:PORT` until it is closed; port 0 takes a free one.
    ///
    /// # Errors
    /// [`Error`]: nothing was started.
    ///
    /// # Cancel safety
    /// If dropped, nothing was started.
    pub async fn listen(self, address: &str) -> Result<Serving, Error> {
        self.bind(address).await?.serve()
    }

    /// Takes `HOST:PORT` and answers later, when it [serves](Bound::serve); port 0 takes a free one.
    ///
    /// # Errors
    /// [`Error`]: nothing was started.
    ///
    /// # Cancel safety
    /// If dropped, nothing was started.
    pub async fn bind(self, address: &str) -> Result<Bound, Error> {
        Bound::new(self, address).await
    }

    /// Whether its access is in order, and enough for this address.
    pub(super) fn may_listen(&self, on: Option<SocketAddr>) -> Result<(), Error> {
        self.access.check()?;
        match on {
            Some(address)
                if !address.ip().is_loopback()
                    && !self.access.is_protected()
                    && !self.access.anyone_may() =>
            {
                Err(Error::Unprotected { address })
            }
            _ => Ok(()),
        }
    }

    /// All its routes, to be mounted in a server of one's own, which then has to keep the limits on connections and
    /// heads. Tokens are asked for as ever; the names of the host are not looked at.
    ///
    /// # Errors
    /// [`Error::Access`].
    pub fn router(self) -> Result<Router, Error> {
        self.access.check()?;
        Ok(self.build(None, CancellationToken::new()))
    }

    pub(super) fn build(self, address: Option<SocketAddr>, closing: CancellationToken) -> Router {
        let origins = Origins::of(&self.access, address);
        let cors = cors(&self.access);
        let per_second = self.limits.requests_per_second;
        let admission = Admission::new(self.access, origins, per_second, self.endpoints.clone());
        let live =
            Server::new(self.live, admission.clone(), self.heartbeat, self.limits.body, closing.clone());
        let context = Context::new(Parts {
            queues: Handles::of(&self.app),
            app: self.app,
            workflows: self.workflows,
            engine: self.engine,
            endpoints: self.endpoints,
            body_limit: self.limits.body,
            push_wait: self.limits.push_wait,
            archives: self.archives,
            flows: self.flows,
            ledger: Ledger::default(),
            tickers: Tickers::default(),
            goals: Goals::default(),
            live,
            #[cfg(feature = "inference")]
            models: Served::new(self.models, self.model_files),
            changes: super::workflows::Hub::default(),
            closing,
        });
        let (api, document) = super::openapi::routes();
        let router = api
            .merge(console::routes(admission.clone()))
            .merge(docs::routes(document))
            .merge(self.routes.with_state(()))
            .fallback(super::endpoints::receive)
            .method_not_allowed_fallback(no_method)
            .with_state(context)
            // All in one go: each layer by itself would cost each request another box.
            .layer(
                ServiceBuilder::new()
                    .layer(CatchPanicLayer::custom(panicked))
                    .layer(from_fn_with_state(admission, access::admit))
                    .layer(RequestBodyTimeoutLayer::new(self.limits.body_within))
                    .layer(DefaultBodyLimit::max(self.limits.body)),
            );
        match cors {
            Some(cors) => router.layer(cors),
            None => router,
        }
    }
}

/// The address of a service that a whole app is served at.
impl App {
    /// Serves the app's loops, knowledge, channels, runs of workflows and the console on `HOST:PORT`, port 0 being a
    /// free one; [`Service`] has the settings. It is closed by [`Serving::close`], or when that is dropped.
    ///
    /// # Errors
    /// [`Error`]: nothing was started.
    ///
    /// # Cancel safety
    /// If dropped, nothing was started.
    pub async fn serve(&self, address: &str) -> Result<Serving, Error> {
        Service::new(self).listen(address).await
    }
}

fn cors(access: &Access) -> Option<CorsLayer> {
    let origins: Vec<_> = access.origins().iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return None;
    }
    let layer = CorsLayer::new().allow_origin(AllowOrigin::list(origins));
    Some(
        layer
            .allow_methods(tower_http::cors::Any)
            .allow_headers([
                axum::http::header::AUTHORIZATION,
                axum::http::header::CONTENT_TYPE,
                axum::http::header::ACCEPT,
                axum::http::header::HeaderName::from_static("last-event-id"),
            ])
            .expose_headers([axum::http::header::HeaderName::from_static("x-mape-job")]),
    )
}

async fn no_method(uri: Uri) -> Response {
    let detail = format!("`{}` is not asked so: /openapi.json has the methods of each path", uri.path());
    let problem = Problem::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, detail);
    let is_littleflow = uri.path().starts_with("/workflows") || uri.path().starts_with("/inprogress");
    if is_littleflow { problem.into_littleflow() } else { problem.into_response() }
}

#[expect(clippy::needless_pass_by_value, reason = "tower calls it so")]
fn panicked(payload: Box<dyn std::any::Any + Send>) -> Response {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(panic = text, "a request could not be answered");
    let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
    Problem::new(status, "the service has a defect; its log says more").into_response()
}
