//! The section `influxdb`.

use super::bound::{self, some_time};
use crate::config::{Secret, Url};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The InfluxDB sink; each sink may say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Influxdb {
    /// The server, e.g. `http://localhost:8086`. Default: none, nothing is written.
    #[serde(deserialize_with = "bound::influxdb")]
    pub url: Option<Url>,
    /// The organisation (v2). Default: none.
    pub org: Option<String>,
    /// The bucket (v2) or database (v1). Default: none.
    pub bucket: Option<String>,
    /// The token (v2, v3). Default: none.
    pub token: Option<Secret>,
    /// The user (v1). Default: none.
    pub username: Option<String>,
    /// The password (v1). Default: none.
    pub password: Option<Secret>,
    /// Log every request, without secrets. Default: `false`.
    pub debug: bool,
    /// When a batch of points is sent.
    pub batch: Batch,
}

/// When a batch of points is sent: at whichever of the three bounds comes first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Batch {
    /// This many points, 1 or more. Default: 5000.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub points: usize,
    /// This many bytes, 1 or more, before compression. Default: 1 MiB.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub bytes: usize,
    /// This long after its first point. Default: 1 s.
    #[serde(with = "some_time")]
    pub wait: Duration,
}

impl Default for Batch {
    fn default() -> Self {
        Self { points: 5000, bytes: 1024 * 1024, wait: Duration::from_secs(1) }
    }
}
