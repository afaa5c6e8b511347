//! What is counted of one thing that works.

use super::{Histogram, list};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What is counted of things of one kind. Names are in the style of metrics: `lower_case`, plural where they count.
///
/// At `/metrics` a counter is `mape_{kind}_{counter}_total`, a gauge `mape_{kind}_{gauge}`, and the latency a histogram
/// `mape_{kind}_{latency}_seconds`, all with the label that is named here.
#[derive(Debug)]
pub struct Kind {
    /// Such as `sink`.
    pub name: &'static str,
    /// The label that tells its meters apart, such as `sink`.
    pub label: &'static str,
    /// What only grows: names, each with what it means.
    pub counters: &'static [(&'static str, &'static str)],
    /// What goes up and down: names, each with what it means.
    pub gauges: &'static [(&'static str, &'static str)],
    /// What takes time, with what it means.
    pub latency: Option<(&'static str, &'static str)>,
}

/// The counters, gauges and latencies of one thing; see [the module](super).
///
/// Counters and gauges are called by their place in the [`Kind`]. A place that isn't there counts nothing.
pub struct Meter {
    kind: &'static Kind,
    name: String,
    element: Option<Arc<str>>,
    counters: Box<[AtomicU64]>,
    /// The bits of `f64`s.
    gauges: Box<[AtomicU64]>,
    latency: OnceLock<Box<Histogram>>,
}

impl Meter {
    /// A new meter, entered in the list of the process for as long as somebody holds it.
    ///
    /// Inside of [`within`](super::within) it belongs to that element.
    pub fn new(kind: &'static Kind, name: impl Into<String>) -> Arc<Self> {
        let zeros = |n: usize| (0..n).map(|_| AtomicU64::new(0)).collect();
        let meter = Arc::new(Self {
            kind,
            name: name.into(),
            element: list::element(),
            counters: zeros(kind.counters.len()),
            gauges: zeros(kind.gauges.len()),
            latency: OnceLock::new(),
        });
        list::enter(&meter);
        meter
    }

    /// What is counted.
    #[must_use]
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Which one it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path of the element it belongs to, if it belongs to one.
    #[must_use]
    pub fn element(&self) -> Option<&str> {
        self.element.as_deref()
    }

    /// Adds to a counter.
    #[inline]
    pub fn add(&self, counter: usize, n: u64) {
        if let Some(counter) = self.counters.get(counter) {
            counter.fetch_add(n, Relaxed);
        }
    }

    /// Sets a gauge.
    #[inline]
    pub fn set(&self, gauge: usize, value: f64) {
        if let Some(gauge) = self.gauges.get(gauge) {
            gauge.store(value.to_bits(), Relaxed);
        }
    }

    /// Adds to a gauge, also from several threads.
    pub fn shift(&self, gauge: usize, by: f64) {
        if let Some(gauge) = self.gauges.get(gauge) {
            let shifted = |bits| Some((f64::from_bits(bits) + by).to_bits());
            let _always = gauge.fetch_update(Relaxed, Relaxed, shifted);
        }
    }

    /// Counts a duration.
    #[inline]
    pub fn record(&self, duration: Duration) {
        self.latency.get_or_init(Box::default).record(duration);
    }

    /// What a counter says.
    #[must_use]
    pub fn counter(&self, counter: usize) -> u64 {
        self.counters.get(counter).map_or(0, |counter| counter.load(Relaxed))
    }

    /// What a gauge says.
    #[must_use]
    pub fn gauge(&self, gauge: usize) -> f64 {
        self.gauges.get(gauge).map_or(0.0, |gauge| f64::from_bits(gauge.load(Relaxed)))
    }

    /// The durations, once there was one.
    #[must_use]
    pub fn histogram(&self) -> Option<&Histogram> {
        self.latency.get().map(|histogram| &**histogram)
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Meter");
        f.field("kind", &self.kind.name).field("name", &self.name);
        for (i, (name, _)) in self.kind.counters.iter().enumerate() {
            f.field(name, &self.counter(i));
        }
        for (i, (name, _)) in self.kind.gauges.iter().enumerate() {
            f.field(name, &self.gauge(i));
        }
        f.finish_non_exhaustive()
    }
}
