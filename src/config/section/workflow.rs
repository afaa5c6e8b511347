//! The section `workflow`.

use super::time;
use serde::{Deserialize, Serialize};
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
}

impl Default for Workflow {
    fn default() -> Self {
        Self { untaken_after: Duration::from_secs(30), exec: Exec::default(), request: Request::default() }
    }
}

/// Which programs a flow may run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Exec {
    /// Whether a flow may run programs at all. Default: `false`.
    pub enabled: bool,
    /// The programs it may run. Default: none.
    pub allow: Vec<String>,
}

/// Which services a flow may call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Request {
    /// The hosts it may call. Default: none given, which is any but link-local and metadata addresses.
    pub allow_hosts: Option<Vec<String>>,
}
