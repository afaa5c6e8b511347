//! What a sink is doing with what an element hands to it.

use super::LinkStats;
use crate::stream::meter::Meter;
use parking_lot::Mutex;
use std::sync::Arc;

tokio::task_local! {
    /// Of the task that feeds a sink.
    static PRESENT: Arc<Handing>;
}

/// A sink, as a shutdown names it.
pub(crate) struct Handing {
    type_name: &'static str,
    /// What waits before the sink.
    link: Box<dyn Fn() -> LinkStats + Send + Sync>,
    /// That of a sink with a queue, once somebody has waited for it; its first gauge is what waits in it.
    queue: Mutex<Option<Arc<Meter>>>,
}

impl Handing {
    pub(crate) fn new<S>(link: impl Fn() -> LinkStats + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            type_name: std::any::type_name::<S>(),
            link: Box::new(link),
            queue: Mutex::new(None),
        })
    }

    /// Runs what feeds it.
    pub(crate) async fn run<F: Future>(self: Arc<Self>, feeding: F) -> F::Output {
        PRESENT.scope(self, feeding).await
    }

    /// Where the items go: the place, or the sink's type without paths and arguments.
    pub(crate) fn name(&self) -> String {
        let of_type = || self.type_name.split('<').next().and_then(|path| path.rsplit("::").next());
        match &*self.queue.lock() {
            Some(queue) => queue.name().to_owned(),
            None => of_type().unwrap_or(self.type_name).to_owned(),
        }
    }

    /// How many items wait, before the sink and in it.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of items")]
    pub(crate) fn waiting(&self) -> usize {
        let within = self.queue.lock().as_ref().map_or(0.0, |queue| queue.gauge(0));
        (self.link)().queued + within as usize
    }
}

/// Says that whoever feeds a sink waits for this queue in it.
#[cfg(feature = "edge")]
pub(crate) fn waits_for(queue: &Arc<Meter>) {
    let _nobody_asks = PRESENT.try_with(|present| {
        let mut known = present.queue.lock();
        if known.is_none() {
            *known = Some(queue.clone());
        }
    });
}
