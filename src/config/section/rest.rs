//! The section `rest`.

use super::time;
use crate::config::Secret;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
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
    /// Who may ask, by a name that logs show. Default: none, so that any program of this machine may do everything.
    pub tokens: BTreeMap<String, Token>,
    /// JSON Web Tokens. Default: none are taken.
    pub jwt: Option<Jwt>,
    /// Requests that ask for another role than their method does; the first that fits counts. Default: none.
    pub rules: Vec<Rule>,
    /// Sites whose pages may ask (CORS), such as `https://dashboard.example`. Default: none.
    pub allow_origins: Vec<String>,
    /// Names by which the service is known, besides those of this machine for itself. Default: none.
    pub allow_hosts: Vec<String>,
    /// Encrypted connections. Default: none.
    pub tls: Option<Tls>,
    /// The directory in which `file:` archives of runs are. Default: none, so that there are none by name.
    pub archives: Option<PathBuf>,
    /// The directory of files with models that `PUT /models/NAME` may name. Default: none, so that none is taken by name.
    pub model_files: Option<PathBuf>,
    /// How much clients may ask for.
    pub limits: Limits,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:6060".to_owned(),
            body_limit_bytes: 1024 * 1024,
            token: None,
            push_wait: Duration::from_secs(1),
            tokens: BTreeMap::new(),
            jwt: None,
            rules: Vec::new(),
            allow_origins: Vec::new(),
            allow_hosts: Vec::new(),
            tls: None,
            archives: None,
            model_files: None,
            limits: Limits::default(),
        }
    }
}

/// A text that lets whoever has it do what a role may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Token {
    /// The text, of 16 characters at least.
    pub token: Secret,
    /// What it lets do. Default: look.
    #[serde(default)]
    pub role: Role,
}

/// What a client may do; each may also do what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look.
    #[default]
    Read,
    /// Push items, change parameters, start and stop, begin and end runs.
    Operate,
    /// Change links and knowledge, delete.
    Admin,
}

/// How JSON Web Tokens are verified: by a shared secret or by a public key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Jwt {
    /// The secret (HS256 to HS512), of 32 bytes at least.
    pub secret: Option<Secret>,
    /// A file with the public key, in PEM.
    pub public_key_file: Option<PathBuf>,
    /// Only tokens of this issuer.
    pub issuer: Option<String>,
    /// Only tokens for this audience.
    pub audience: Option<String>,
    /// The claim that has the role. Default: `role`.
    pub role_claim: Option<String>,
}

/// Requests that ask for another role than their method does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rule {
    /// The path; `*` stands for one part of it, `**` at its end for all that follows.
    pub path: String,
    /// The methods, such as `POST`. Default: all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// What they ask for.
    pub role: Role,
}

/// The certificate of the service, in PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// A file with the chain of certificates, the service's own first.
    pub certificate: PathBuf,
    /// A file with its private key.
    pub key: PathBuf,
}

/// How much clients may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// How many connections there may be; others wait. Default: 10,000.
    pub connections: usize,
    /// The longest head of a request, in bytes. Default: 64 KiB.
    pub head_bytes: usize,
    /// How long a client may take to send the head of a request. Default: 30 s.
    #[serde(with = "time")]
    pub head_within: Duration,
    /// How long a client may take to go on with a body. Default: 30 s.
    #[serde(with = "time")]
    pub body_within: Duration,
    /// How many requests a second may come from one address. Default: any number.
    pub requests_per_second: Option<NonZeroU32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head_bytes: 64 * 1024,
            head_within: Duration::from_secs(30),
            body_within: Duration::from_secs(30),
            requests_per_second: None,
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
