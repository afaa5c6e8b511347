//! What has become of a sink's items.

use crate::stream::meter::{Kind, Meter};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// The counters of a [`PostSink`](super::PostSink): what was put in is sent, dropped, refused or still queued. Clones
/// show the same, and go on counting. At `/metrics` they are `mape_sink_…`.
#[derive(Clone, Debug)]
pub struct PostStats(pub(super) Arc<Counters>);

/// A sink that sends to another service, named after the place.
pub(crate) static SINK: Kind = Kind {
    name: "sink",
    label: "sink",
    counters: &[
        ("sent", "Items that the other side has taken."),
        ("retried", "Requests that were made again."),
        ("dropped", "Items that gave way in a full queue, or were given up."),
        ("refused", "Items that the other side does not want, or that can't be written."),
        ("skipped", "Items in which there is nothing to send."),
    ],
    gauges: &[("queued", "Items that wait or are under way.")],
    latency: Some(("request", "How long an answer takes.")),
};

pub(super) const SENT: usize = 0;
pub(super) const RETRIED: usize = 1;
pub(super) const DROPPED: usize = 2;
pub(super) const REFUSED: usize = 3;
pub(super) const SKIPPED: usize = 4;
pub(super) const QUEUED: usize = 0;

/// What sinks count.
#[derive(Debug)]
pub(super) struct Counters {
    meter: ArcSwap<Meter>,
    pub(super) last_error: Mutex<Option<String>>,
}

impl Counters {
    pub(super) fn new(place: &str) -> Self {
        Self { meter: ArcSwap::new(Meter::new(&SINK, place)), last_error: Mutex::new(None) }
    }

    /// Where it is counted.
    pub(super) fn meter(&self) -> Arc<Meter> {
        self.meter.load_full()
    }

    /// They are of another place. Only before the first use: what was counted is gone.
    pub(super) fn rename(&self, place: &str) {
        self.meter.store(Meter::new(&SINK, place));
    }

    /// Adds to a counter; how many there were before.
    pub(super) fn add(&self, counter: usize, count: usize) -> u64 {
        let meter = self.meter.load();
        let before = meter.counter(counter);
        meter.add(counter, count as u64);
        before
    }

    pub(super) fn counter(&self, counter: usize) -> u64 {
        self.meter.load().counter(counter)
    }

    pub(super) fn queued(&self, count: usize) {
        self.meter.load().set(QUEUED, count as f64);
    }

    /// Counts a request that took so long.
    pub(super) fn record(&self, took: Duration) {
        self.meter.load().record(took);
    }
}

impl PostStats {
    /// Items, errors and completions that the other side has taken.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.0.counter(SENT)
    }

    /// Requests that were made again.
    #[must_use]
    pub fn retried(&self) -> u64 {
        self.0.counter(RETRIED)
    }

    /// Those that gave way in a full queue, or were given up.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.counter(DROPPED)
    }

    /// Those that the other side does not want, however often they are sent, and those that can't be written.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.counter(REFUSED)
    }

    /// Those that wait or are under way.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of items")]
    pub fn queued(&self) -> usize {
        self.0.meter.load().gauge(QUEUED) as usize
    }

    /// What went wrong last, also if all is well since.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.0.last_error.lock().clone()
    }
}
