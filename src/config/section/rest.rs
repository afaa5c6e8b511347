//! The section `rest`.

use super::time;
use crate::config::Secret;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// The HTTP service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Rest {
    /// `HOST:PORT` to listen on; port 0 takes a free one. Default: `127.0.0.1:6060`, which only this machine can
    /// reach. PyMAPE's `rest.host_port` is another name of this key.
    #[serde(deserialize_with = "host_and_port")]
    pub address: String,
    /// The longest body a request may have, in bytes. Default: 1 MiB.
    pub body_limit_bytes: usize,
    /// What `mape loops`, `mape tap` and `mape push` show to a service that wants a token. Default: none.
    pub token: Option<Secret>,
    /// How long a pushed item waits for room in a port before the answer is 429. Default: 1 s.
    #[serde(with = "time")]
    pub push_wait: Duration,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:6060".to_owned(),
            body_limit_bytes: 1024 * 1024,
            token: None,
            push_wait: Duration::from_secs(1),
        }
    }
}

fn host_and_port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let fits = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok();
    if text.rsplit_once(':').is_some_and(fits) && !text.contains("//") {
        Ok(text)
    } else {
        Err(D::Error::custom(format!("`{text}` is not HOST:PORT; write it like 127.0.0.1:6060")))
    }
}
