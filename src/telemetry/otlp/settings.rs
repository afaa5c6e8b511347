//! Where traces and metrics go.

use super::exporter::Exporter;
use super::recorder::{Recorder, wanted};
use crate::edge::{Client, Error};
use crate::stream::trace;
use crate::telemetry;
use std::fmt;
use std::time::Duration;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

/// A collector of OpenTelemetry, and what it is sent.
///
/// ```
/// use mape::telemetry::Otlp;
/// # fn main() -> Result<(), mape::edge::Error> {
/// let otlp = Otlp::new("http://localhost:4318")?.service_name("ambulance").sampling(0.1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "nothing is sent before it is given to `Reporting::otlp`"]
pub struct Otlp {
    pub(super) traces: reqwest::Url,
    pub(super) metrics: reqwest::Url,
    /// As it is shown.
    pub(super) place: String,
    pub(super) client: Client,
    pub(super) service: String,
    sampling: f64,
    pub(super) interval: Duration,
}

/// How long the collector may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

impl Otlp {
    /// The collector at `HOST:PORT`, `http://HOST:PORT` or `https://…`: it is sent traces at `/v1/traces`, metrics at
    /// `/v1/metrics` there.
    ///
    /// # Errors
    /// [`Error::Target`].
    pub fn new(endpoint: &str) -> Result<Self, Error> {
        let base = crate::edge::service(endpoint)?;
        let below = |signal: &str| {
            let mut url = base.clone();
            // A URL of HTTP always has segments.
            if let Ok(mut segments) = url.path_segments_mut() {
                segments.pop_if_empty().extend(["v1", signal]);
            }
            url
        };
        Ok(Self {
            traces: below("traces"),
            metrics: below("metrics"),
            place: base.origin().ascii_serialization(),
            client: Client::new().timeout(ANSWER),
            service: "mape".to_owned(),
            sampling: 1.0,
            interval: Duration::from_secs(10),
        })
    }

    /// A header of every request, such as a token. It is never shown.
    ///
    /// # Errors
    /// [`Error::Header`].
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.client = self.client.header(name, value)?;
        Ok(self)
    }

    /// What this program is called there. Default: `mape`.
    pub fn service_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.service);
        self
    }

    /// Which share of the traces that begin here is recorded, from 0 to 1. Default: all.
    pub fn sampling(mut self, share: f64) -> Self {
        self.sampling = share;
        self
    }

    /// How often metrics are sent, at least every 100 ms. Default: every 10 s.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_millis(100));
        self
    }

    /// What records spans, and what sends them.
    pub(in crate::telemetry) fn start<S>(
        self,
    ) -> Result<(Box<dyn Layer<S> + Send + Sync>, Exporter), telemetry::Error>
    where
        S: Subscriber + for<'s> LookupSpan<'s>,
    {
        let runtime = Handle::try_current().map_err(|_| telemetry::Error::NoRuntime)?;
        trace::set_sampling(self.sampling);
        let (exporter, spans, meter) = Exporter::start(self, &runtime);
        let recorder = Recorder::new(spans, meter).with_filter(tracing_subscriber::filter::filter_fn(wanted));
        Ok((recorder.boxed(), exporter))
    }
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp")
            .field("to", &self.place)
            .field("service_name", &self.service)
            .field("sampling", &self.sampling)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}
