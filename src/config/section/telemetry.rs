//! The section `telemetry`.

use super::bound::{self, some_time};
use crate::config::{Secret, Url};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Logs, and what is sent to a collector of OpenTelemetry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Telemetry {
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,mape::element=debug`.
    /// Default: `LOG_LEVEL`, else `info`.
    #[serde(deserialize_with = "bound::log")]
    pub log: String,
    /// For whom. Default: `text`.
    pub log_format: LogFormat,
    /// Whether logs for people have colours. Default: `never` if there is `NO_COLOR`, else `auto`.
    pub colors: Colors,
    /// The collector that traces and metrics are sent to by OTLP over HTTP, e.g. `http://localhost:4318`. Default:
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, else none.
    #[serde(deserialize_with = "bound::collector")]
    pub endpoint: Option<Url>,
    /// Headers of these requests, such as a token. Default: those in `OTEL_EXPORTER_OTLP_HEADERS`.
    pub headers: BTreeMap<String, Secret>,
    /// What this program is called there. Default: `OTEL_SERVICE_NAME`, else `mape`.
    pub service_name: String,
    /// Which share of the traces that begin here is recorded, from 0 to 1. Default: 1.
    #[serde(deserialize_with = "bound::share")]
    pub sampling: f64,
    /// How often metrics are sent. Default: 10 s.
    #[serde(with = "some_time")]
    pub interval: Duration,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            colors: Colors::Auto,
            endpoint: None,
            headers: BTreeMap::new(),
            service_name: "mape".to_owned(),
            sampling: 1.0,
            interval: Duration::from_secs(10),
        }
    }
}

/// What a line of the log looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Colors {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}
