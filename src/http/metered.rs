//! What is counted of the service.

use crate::stream::meter::{Kind, Meter};
use axum::http::StatusCode;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

static RESPONSES: Kind = Kind {
    name: "http",
    label: "status",
    counters: &[("responses", "Requests that were answered, by the first digit of the status.")],
    gauges: &[],
    latency: Some(("response", "From the head of a request to the head of its answer.")),
};

static LISTENER: Kind = Kind {
    name: "listener",
    label: "address",
    counters: &[("accepted", "Connections that were taken.")],
    gauges: &[("connections", "Connections that are open.")],
    latency: None,
};

pub(crate) static KINDS: [&Kind; 2] = [&RESPONSES, &LISTENER];

/// One meter for each first digit.
#[derive(Clone)]
pub(super) struct Responses([Arc<Meter>; 5]);

impl Responses {
    pub(super) fn new() -> Self {
        Self(["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| Meter::new(&RESPONSES, class)))
    }

    #[inline]
    pub(super) fn count(&self, status: StatusCode, took: Option<Duration>) {
        if let Some(meter) = self.0.get(usize::from(status.as_u16() / 100).saturating_sub(1)) {
            meter.add(0, 1);
            if let Some(took) = took {
                meter.record(took);
            }
        }
    }
}

impl fmt::Debug for Responses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responses").finish_non_exhaustive()
    }
}

pub(super) fn listener(address: std::net::SocketAddr) -> Arc<Meter> {
    Meter::new(&LISTENER, address.to_string())
}

/// A connection, as long as it lasts.
pub(super) struct Connection(Arc<Meter>);

impl Connection {
    pub(super) fn of(listener: &Arc<Meter>) -> Self {
        listener.add(0, 1);
        listener.shift(0, 1.0);
        Self(listener.clone())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.shift(0, -1.0);
    }
}
