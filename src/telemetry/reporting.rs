//! What a program tells of itself while it runs.

use super::log_lines::{Form, Lines};
#[cfg(feature = "otel")]
use super::otlp::{Exporter, Otlp};
use crate::app::App;
use crate::stream::trace;
use std::io::{IsTerminal, Write, stderr};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// What a program reports: a log on standard error, and with the feature `otel` traces and metrics to a collector of
/// OpenTelemetry. Nothing of this library reports anything before a program says so.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::telemetry::Error> {
/// use mape::telemetry::Reporting;
///
/// let reports = Reporting::new().filter("info,my_program=debug").start()?;
/// tracing::info!("here we are"); // "      0  INFO [S] here we are"
/// reports.close().await;
/// # Ok(()) }
/// ```
///
/// A line for people has the milliseconds since the start, the level, who asked (`[S]` if nobody did: the program itself),
/// the element or task that speaks, what it says, and the beginning of the trace to which it belongs. On a terminal each
/// client has a colour, the same in every line. A line for programs is a JSON object with all of that; it has the ids of
/// its trace and span wherever there are any.
#[derive(Clone, Debug)]
#[must_use = "nothing is reported before `start`"]
pub struct Reporting {
    filter: String,
    json: bool,
    colors: Option<bool>,
    #[cfg(feature = "otel")]
    otlp: Option<Otlp>,
    /// A collector was asked for that this build cannot reach.
    unreachable: bool,
}

/// What keeps reports going; dropped, it sends nothing more to a collector.
#[derive(Debug, Default)]
#[must_use = "what is not closed may lose the last it had to tell"]
pub struct Reports {
    #[cfg(feature = "otel")]
    exporter: Option<Exporter>,
}

/// Why nothing is reported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is to be logged is no filter.
    #[error("`{filter}` says not what to log: {reason}; write a level, or info,my_program=debug")]
    Filter {
        /// As it was given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something else in this process receives all reports.
    #[error("another subscriber of tracing is there already; only one can be")]
    Taken,
    /// The collector is nowhere that could be reached.
    #[cfg(feature = "otel")]
    #[error("traces and metrics cannot be sent")]
    Collector(#[from] crate::edge::Error),
    /// There is no runtime to send anything to a collector on.
    #[error("traces and metrics cannot be sent: start reporting inside of a tokio runtime")]
    NoRuntime,
}

impl Default for Reporting {
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            json: false,
            colors: None,
            #[cfg(feature = "otel")]
            otlp: None,
            unreachable: false,
        }
    }
}

impl Reporting {
    /// A log for people, of all that is of level `info` or above.
    pub fn new() -> Self {
        Self::default()
    }

    /// As the section `telemetry` of a configuration says.
    ///
    /// # Errors
    /// [`Error::Collector`].
    #[cfg(feature = "config")]
    pub fn configured(section: &crate::config::Telemetry) -> Result<Self, Error> {
        use crate::config::{Colors, LogFormat};
        let mut it = Self::new().filter(&section.log);
        it.json = section.log_format == LogFormat::Json;
        it.colors = match section.colors {
            Colors::Auto => None,
            Colors::Always => Some(true),
            Colors::Never => Some(false),
        };
        if let Some(endpoint) = &section.endpoint {
            #[cfg(feature = "otel")]
            {
                let mut otlp = Otlp::new(endpoint.expose())?
                    .service_name(&section.service_name)
                    .sampling(section.sampling)
                    .interval(section.interval);
                for (name, value) in &section.headers {
                    otlp = otlp.header(name, value.expose())?;
                }
                it.otlp = Some(otlp);
            }
            it.unreachable = cfg!(not(feature = "otel"));
            // Only its presence counts in a build that cannot reach it.
            let _ = endpoint;
        }
        Ok(it)
    }

    /// What is logged: a level, or directives such as `info,mape::element=debug`.
    pub fn filter(mut self, filter: &str) -> Self {
        filter.clone_into(&mut self.filter);
        self
    }

    /// A JSON object a line, for programs.
    pub fn json(mut self) -> Self {
        self.json = true;
        self
    }

    /// Whether a log for people has colours; on a terminal, unless said.
    pub fn colors(mut self, colors: bool) -> Self {
        self.colors = Some(colors);
        self
    }

    /// Sends traces and metrics to a collector.
    #[cfg(feature = "otel")]
    pub fn otlp(mut self, otlp: Otlp) -> Self {
        self.otlp = Some(otlp);
        self
    }

    /// Begins to report.
    ///
    /// # Errors
    /// [`Error`]: nothing is reported.
    pub fn start(self) -> Result<Reports, Error> {
        let form = if self.json {
            Form::Json
        } else {
            Form::Text { colors: self.colors.unwrap_or_else(|| stderr().is_terminal()) }
        };
        // Nobody is left to tell if a line cannot be written.
        let lines = Lines::new(form, |line| drop(stderr().lock().write_all(line.as_bytes())));
        let log = lines.with_filter(self.env_filter()?);
        let registry = tracing_subscriber::registry().with(log);
        // Only with a collector is there a second layer: one that does nothing would leave the filter of the first in a
        // state that loses the line behind a span that nobody wants.
        #[cfg(feature = "otel")]
        if let Some(otlp) = self.otlp {
            let (recorder, exporter) = otlp.start()?;
            registry.with(recorder).try_init().map_err(|_| Error::Taken)?;
            return Ok(Reports { exporter: Some(exporter) });
        }
        registry.try_init().map_err(|_| Error::Taken)?;
        if self.unreachable {
            let told = "telemetry.endpoint is set, but this program was built without the feature `otel`";
            tracing::warn!("{told}");
        }
        Ok(Reports::default())
    }

    /// What is logged, with spans of traces where lines are to show them.
    fn env_filter(&self) -> Result<EnvFilter, Error> {
        let wrong = |reason: String| Error::Filter { filter: self.filter.clone(), reason };
        crate::hint::log_filter(&self.filter).map_err(wrong)?;
        let filter = EnvFilter::try_new(&self.filter).map_err(|error| wrong(error.to_string()))?;
        #[cfg(feature = "otel")]
        let traced = self.json || self.otlp.is_some();
        #[cfg(not(feature = "otel"))]
        let traced = self.json;
        if !traced || self.filter.contains(trace::TARGET) {
            return Ok(filter);
        }
        let directive = format!("{}=debug", trace::TARGET).parse();
        Ok(filter.add_directive(directive.map_err(|error| wrong(format!("{error}")))?))
    }
}

impl Reports {
    /// Sends the metrics of this app, too, from now on; of another one no more.
    pub fn observe(&self, app: &App) {
        #[cfg(feature = "otel")]
        if let Some(exporter) = &self.exporter {
            exporter.observe(app);
        }
        // Without a collector nobody asks for them.
        let _ = app;
    }

    /// Sends what there still is, for at most five seconds, and nothing to a collector from then on.
    ///
    /// # Cancel safety
    /// Dropped before its end, what is left may be lost.
    #[cfg_attr(not(feature = "otel"), expect(clippy::unused_async, reason = "there is nobody to wait for"))]
    pub async fn close(&self) {
        #[cfg(feature = "otel")]
        if let Some(exporter) = &self.exporter {
            exporter.close().await;
        }
    }
}
