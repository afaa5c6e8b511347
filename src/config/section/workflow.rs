//! The section `workflow`.

use super::time;
use crate::config::{Secret, Url};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The workflow engine and its built-in tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Workflow {
    /// After how long a step that no worker has taken is reported as waiting for one. Default: 30 s.
    #[serde(with = "time")]
    pub untaken_after: Duration,
    /// The tasks `exec:…`, which run programs of this machine.
    pub exec: Exec,
    /// The tasks `request:…`, which call HTTP services.
    pub request: Request,
    /// The tasks `redis:…`, which do commands on the server of the backend.
    pub redis: Redis,
    /// The resources of flows, `<…>`.
    pub resources: Resources,
    /// What requests may name as `{secrets[NAME]}`. Default: nothing.
    pub secrets: BTreeMap<String, Secret>,
    /// The longest answer of a service, file of a resource, or text that a program writes, in bytes. Default: 16 MiB.
    pub longest_bytes: usize,
}

impl Default for Workflow {
    fn default() -> Self {
        Self {
            untaken_after: Duration::from_secs(30),
            exec: Exec::default(),
            request: Request::default(),
            redis: Redis::default(),
            resources: Resources::default(),
            secrets: BTreeMap::new(),
            longest_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Which programs a flow may run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Exec {
    /// Whether a flow may run programs at all. Default: `false`.
    pub enabled: bool,
    /// The programs it may run, by name or path. Default: none.
    pub allow: Vec<String>,
    /// How long one may run, unless the flow says it. Default: 10 min.
    #[serde(with = "time")]
    pub timeout: Duration,
}

impl Default for Exec {
    fn default() -> Self {
        Self { enabled: false, allow: Vec::new(), timeout: Duration::from_mins(10) }
    }
}

/// Which services a flow may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Request {
    /// The hosts it may call: `HOST`, `HOST:PORT` or `*.DOMAIN`. Default: none given, which is any but link-local and
    /// metadata addresses.
    pub allow_hosts: Option<Vec<String>>,
    /// How long a request may take, unless the flow says it. Default: 30 s.
    #[serde(with = "time")]
    pub timeout: Duration,
    /// Where services reach this one to answer later, such as `https://mape.example`: told as `{callback[url]}`. Default:
    /// they are told nothing.
    pub callbacks: Option<Url>,
    /// The services that requests name as `category`. Default: none.
    pub services: BTreeMap<String, Service>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            allow_hosts: None,
            timeout: Duration::from_secs(30),
            callbacks: None,
            services: BTreeMap::new(),
        }
    }
}

/// A service that requests name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Service {
    /// What the URLs of requests are relative to.
    pub url: Url,
    /// What is sent along as `Authorization: Bearer`. Default: nothing.
    #[serde(default)]
    pub token: Option<Secret>,
}

/// What a flow may do on the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Redis {
    /// The commands that it may use besides those on data; `*` is all of them. Default: none.
    pub allow: Vec<String>,
    /// Whether it may write to keys of the engine. Default: `false`.
    pub engine_keys: bool,
}

/// Where the resources of flows are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Resources {
    /// What they are relative to: a directory, out of which none leads and in which programs run, or an HTTP URL.
    /// Default: the working directory.
    pub base: Url,
}

impl Default for Resources {
    fn default() -> Self {
        Self { base: Url::new(".") }
    }
}
