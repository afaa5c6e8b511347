//! Goals: what is wanted, and whether it is so.

use super::Context;
use super::streams::{Form, Part};
use crate::app::{App, GoalStatus};
use crate::element::BoxError;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use futures::stream::{Stream, StreamExt};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_stream::wrappers::WatchStream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How often those who watch are told, at most.
const PERIOD: Duration = Duration::from_secs(1);
/// How long the backend may take to say what other apps have.
const WAIT: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(goals)).routes(routes!(stream))
}

/// Makes an [`Asker`] when somebody watches, and lets it go with the last who does.
#[derive(Debug, Default)]
pub(crate) struct Goals {
    asker: Mutex<Weak<Asker>>,
    /// The backend did not say last time what other apps have.
    is_out: Arc<AtomicBool>,
}

impl Goals {
    /// The goals of all apps on the backend; while that does not answer, those of this app.
    pub(super) async fn known(&self, app: &App) -> Vec<GoalStatus> {
        known(app, &self.is_out).await
    }

    /// The goals now, and whenever they change.
    fn watch(&self, app: &App) -> impl Stream<Item = Part> + Send + 'static {
        let asker = {
            let mut running = self.asker.lock();
            running.upgrade().unwrap_or_else(|| {
                let asker = Asker::start(app.clone(), self.is_out.clone());
                *running = Arc::downgrade(&asker);
                asker
            })
        };
        // What was told last comes first.
        WatchStream::new(asker.told.clone()).filter_map(move |told| {
            let _ = &asker;
            std::future::ready(told)
        })
    }
}

/// Asks for all who watch.
#[derive(Debug)]
struct Asker {
    told: watch::Receiver<Option<Part>>,
    task: JoinHandle<()>,
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Asker {
    fn start(app: App, is_out: Arc<AtomicBool>) -> Arc<Self> {
        let (tell, told) = watch::channel(None);
        let task = tokio::spawn(async move {
            let mut ticks = interval(PERIOD);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last = None;
            loop {
                ticks.tick().await;
                let all = known(&app, &is_out).await;
                let verdicts: Vec<_> = all.iter().map(|status| status.verdict.clone()).collect();
                let is_new = last.as_ref() != Some(&verdicts);
                last = Some(verdicts);
                // That it was heard of again is news only to who comes now.
                tell.send_if_modified(|part| {
                    *part = Some(Part::event("goals", &all));
                    is_new
                });
            }
        });
        Arc::new(Self { told, task })
    }
}

async fn known(app: &App, is_out: &AtomicBool) -> Vec<GoalStatus> {
    let error: BoxError = match tokio::time::timeout(WAIT, app.all_goals()).await {
        Ok(Ok(all)) => {
            if is_out.swap(false, Ordering::Relaxed) {
                tracing::info!("the goals of other apps are shown again");
            }
            return all;
        }
        Ok(Err(error)) => error.into(),
        Err(_) => "the backend does not answer".into(),
    };
    if !is_out.swap(true, Ordering::Relaxed) {
        tracing::warn!(%error, "the goals of other apps are not shown");
    }
    let mut here = app.goals();
    here.sort_by(|one, other| one.verdict.goal.cmp(&other.verdict.goal));
    here
}

/// The goals of all apps on the backend, by name: state, margin and why.
///
/// While the backend does not answer, these are the goals of this app.
#[utoipa::path(
    get, path = "/goals", tag = "goals",
    responses((status = 200, description = "What each of them comes to.", body = Vec<GoalStatus>))
)]
async fn goals(State(context): State<Context>) -> Json<Vec<GoalStatus>> {
    Json(context.goals.known(&context.app).await)
}

/// The goals, as they change, at most once a second.
///
/// Events: `goals`, all of them, at first and whenever one of them has changed.
#[utoipa::path(
    get, path = "/goals/stream", tag = "goals",
    responses((status = 200, description = "Events, until the service ends.", content((String = "text/event-stream"))))
)]
async fn stream(State(context): State<Context>) -> Response {
    Form::Events.answer(&context, context.goals.watch(&context.app))
}
