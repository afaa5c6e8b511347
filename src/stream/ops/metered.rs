//! What is counted of operators that hold items.

use crate::stream::meter::{self, Kind, Meter};
use std::sync::Arc;

/// An operator of an element that holds items back.
pub(crate) static OPERATOR: Kind = Kind {
    name: "operator",
    label: "operator",
    counters: &[("dropped", "Items that were given up because its queue was full.")],
    gauges: &[("queued", "Items that it held when it last looked.")],
    latency: None,
};

/// The meter of an operator that belongs to an element; anywhere else nothing is counted.
#[derive(Clone, Debug)]
pub(super) struct Metered(Option<Arc<Meter>>);

impl Metered {
    pub(super) fn new(operator: &str) -> Self {
        Self(meter::of_element(&OPERATOR, operator))
    }

    #[inline]
    pub(super) fn queued(&self, items: usize) {
        if let Some(meter) = &self.0 {
            meter.set(0, items as f64);
        }
    }

    /// As many more, or fewer, for operators with several queues.
    #[inline]
    pub(super) fn shift(&self, by: f64) {
        if let Some(meter) = &self.0 {
            meter.shift(0, by);
        }
    }

    #[inline]
    pub(super) fn dropped(&self, items: u64) {
        if let Some(meter) = &self.0 {
            meter.add(0, items);
        }
    }
}
