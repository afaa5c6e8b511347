//! What all handlers know.

use super::Limits;
use super::goals::Goals;
use super::live::Server;
use super::loops::{Ledger, Tickers};
#[cfg(feature = "inference")]
use super::models::Served;
use super::queues::Handles;
use super::workflows::Hub;
use crate::app::App;
use crate::edge::Endpoints;
use crate::workflow::{Engine, Workflows};
use axum::extract::FromRef;
use futures::{Stream, StreamExt};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often streams look whether the app is still there.
const LOOK: Duration = Duration::from_secs(1);

/// What all handlers know. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Context(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) app: App,
    /// The runs of the backend, unless there are none to be served.
    pub(crate) workflows: Option<Workflows>,
    /// The engine of this process, if there is one.
    pub(crate) engine: Option<Engine>,
    /// The sources that have an endpoint of their own.
    pub(crate) endpoints: Endpoints,
    /// The longest body.
    pub(crate) body_limit: usize,
    /// How long a pushed item waits for room.
    pub(crate) push_wait: Duration,
    /// Where archives are, if they may be read and written by name.
    pub(crate) archives: Option<PathBuf>,
    /// Where the flows are that are offered by name.
    pub(crate) flows: Option<PathBuf>,
    /// What numbered senders have sent.
    pub(crate) ledger: Ledger,
    /// Who looks at everything for those who watch.
    pub(crate) tickers: Tickers,
    /// Who asks for the goals, for those who watch them.
    pub(crate) goals: Goals,
    /// The live server, if there is one.
    pub(crate) live: Server,
    /// The task queues of the backend.
    pub(crate) queues: Handles,
    /// The models of this process.
    #[cfg(feature = "inference")]
    pub(crate) models: Served,
    /// Tells of changes of runs.
    pub(crate) changes: Hub,
    /// Ends what would never end by itself.
    pub(crate) closing: CancellationToken,
}

impl Context {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// For routes that are mounted elsewhere.
    pub(crate) fn alone(app: &App, workflows: Option<Workflows>) -> Self {
        Self::new(Self::parts(app, workflows))
    }

    /// The same with models.
    #[cfg(feature = "inference")]
    pub(crate) fn with_models(app: &App, models: &crate::infer::Models) -> Self {
        let parts = Self::parts(app, None);
        Self::new(Parts { models: Served::new(models.clone(), None), ..parts })
    }

    fn parts(app: &App, workflows: Option<Workflows>) -> Parts {
        let limits = Limits::default();
        Parts {
            app: app.clone(),
            workflows,
            engine: None,
            endpoints: Endpoints::new(),
            body_limit: limits.body,
            push_wait: limits.push_wait,
            archives: None,
            flows: None,
            ledger: Ledger::default(),
            tickers: Tickers::default(),
            goals: Goals::default(),
            live: Server::none(),
            queues: Handles::of(app),
            #[cfg(feature = "inference")]
            models: Served::new(crate::infer::Models::new(), None),
            changes: Hub::default(),
            closing: CancellationToken::new(),
        }
    }

    /// The same stream, which also ends when the service does.
    pub(crate) fn until_closing<S: Stream>(&self, stream: S) -> impl Stream<Item = S::Item> + use<S> {
        let (closing, app) = (self.closing.clone(), self.app.clone());
        stream.take_until(Box::pin(async move {
            // A server of somebody else's that has these routes ends when the app does.
            while !app.is_shut_down() {
                if tokio::time::timeout(LOOK, closing.cancelled()).await.is_ok() {
                    return;
                }
            }
        }))
    }
}

impl Deref for Context {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<Context> for App {
    fn from_ref(context: &Context) -> Self {
        context.app.clone()
    }
}
