//! What a configuration says of InfluxDB.

use super::{InfluxServer, InfluxSink};
use crate::edge::Error;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

/// The section `influxdb` of a configuration: where points go, and in what batches.
///
/// It is plain values, which serde reads from wherever they are, such as `config.get("influxdb")`:
///
#[cfg_attr(feature = "config", doc = "```")]
#[cfg_attr(not(feature = "config"), doc = "```text")]
/// use mape::config::Config;
/// use mape::edge::influxdb::InfluxSettings;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = "influxdb: {url: http://localhost:8086, org: town, bucket: water, token: s3cret, batch: {wait: 500ms}}";
/// let config = Config::builder().text(text).without_environment().build()?;
/// let settings: InfluxSettings = config.get("influxdb")?;
/// if let Some(server) = settings.server()? {
///     let flows = settings.apply(mape::edge::InfluxSink::<f64>::new(&server)); // and link it
///     # drop(flows);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InfluxSettings {
    /// The server; nothing is written without one.
    pub url: Option<String>,
    /// The organisation (v2).
    pub org: Option<String>,
    /// The bucket (v2) or database (v1).
    pub bucket: Option<String>,
    /// The token (v2, v3).
    pub token: Option<String>,
    /// The user (v1).
    pub username: Option<String>,
    /// The password (v1).
    pub password: Option<String>,
    /// Log every request, without secrets.
    pub debug: bool,
    /// When a batch is sent.
    pub batch: InfluxBatch,
}

/// When a batch is sent: at whichever comes first. What is absent is as the sink has it by default.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InfluxBatch {
    /// So many points.
    pub points: Option<NonZeroUsize>,
    /// So many bytes before compression.
    pub bytes: Option<NonZeroUsize>,
    /// So long after the first point: `500ms`, `1m 30s`, or a number of seconds.
    #[serde(deserialize_with = "duration")]
    pub wait: Option<Duration>,
}

impl InfluxSettings {
    /// The server, if there is one.
    ///
    /// # Errors
    /// [`Error::Target`] and [`Error::Header`].
    pub fn server(&self) -> Result<Option<InfluxServer>, Error> {
        let Some(url) = &self.url else { return Ok(None) };
        let mut server = InfluxServer::new(url)?.debug(self.debug);
        if let Some(org) = &self.org {
            server = server.org(org);
        }
        if let Some(bucket) = &self.bucket {
            server = server.bucket(bucket);
        }
        if let Some(token) = &self.token {
            server = server.token(token)?;
        }
        if let Some(username) = &self.username {
            server = server.login(username, self.password.as_deref().unwrap_or_default());
        }
        Ok(Some(server))
    }

    /// A sink with these batches.
    #[must_use]
    pub fn apply<T>(&self, mut sink: InfluxSink<T>) -> InfluxSink<T> {
        let InfluxBatch { points, bytes, wait } = self.batch;
        if let Some(points) = points {
            sink = sink.batch_points(points);
        }
        if let Some(bytes) = bytes {
            sink = sink.batch_bytes(bytes);
        }
        if let Some(wait) = wait {
            sink = sink.batch_wait(wait);
        }
        sink
    }
}

impl fmt::Debug for InfluxSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InfluxSettings")
            .field("server", &self.server().ok().flatten())
            .finish_non_exhaustive()
    }
}

/// A length of time as it is written: environments have texts only, JSON has numbers.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a length of time such as 500ms or 1m 30s, or a number of seconds")]
enum Written {
    Seconds(f64),
    Text(String),
}

/// `500ms`, `1m 30s`, or a number of seconds.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    use serde::de::Error as _;
    let of_seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
    let (wait, written) = match Option::<Written>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Written::Seconds(seconds)) => (of_seconds(seconds), seconds.to_string()),
        Some(Written::Text(text)) => {
            let parsed = || Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok();
            (text.parse().ok().and_then(of_seconds).or_else(parsed), text)
        }
    };
    let wrong = || D::Error::custom(format!("`{written}` is no length of time; write it like 500ms"));
    wait.map(Some).ok_or_else(wrong)
}
