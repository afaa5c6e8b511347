//! All queues, as they change.

use super::super::Context;
use super::super::streams::{Form, Part};
use super::look::{self, Shown};
use axum::extract::State;
use axum::response::Response;
use futures::{Stream, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_stream::wrappers::WatchStream;

/// How often those who watch are told, at most.
const PERIOD: Duration = Duration::from_secs(1);

/// The queues, as they change, at most once a second.
///
/// Events: `queues`, all of them as `GET /queues` has them, at first and whenever something has changed.
#[utoipa::path(
    get, path = "/queues/stream", tag = "queues",
    responses((status = 200, description = "Events, until the service ends.", content((String = "text/event-stream"))))
)]
pub(super) async fn stream(State(context): State<Context>) -> Response {
    let told = watch(&context);
    Form::Events.answer(&context, told)
}

/// Asks for all who watch; it ends with the last of them.
pub(super) struct Asker {
    told: watch::Receiver<Option<Part>>,
    task: JoinHandle<()>,
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn watch(context: &Context) -> impl Stream<Item = Part> + Send + 'static {
    let asker = context.queues.asker(|| Asker::start(context.clone()));
    // What was told last comes first.
    WatchStream::new(asker.told.clone()).filter_map(move |told| {
        let _ = &asker;
        std::future::ready(told)
    })
}

impl Asker {
    fn start(context: Context) -> Arc<Self> {
        let (tell, told) = watch::channel(None);
        let task = tokio::spawn(async move {
            let mut ticks = interval(PERIOD);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last: Option<Vec<Shown>> = None;
            loop {
                ticks.tick().await;
                // While the backend is away, nothing is known to have changed.
                let Ok(all) = look::all(&context).await else { continue };
                if last.as_ref() != Some(&all) {
                    tell.send_replace(Some(Part::event("queues", &all)));
                    last = Some(all);
                }
            }
        });
        Arc::new(Self { told, task })
    }
}
