//! The section `backend`.

use crate::config::{Secret, Url};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where channels, knowledge and events live.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Backend {
    /// `memory:`, `file:DIR`, `redis://HOST:PORT/DB` or `rediss://…`. Default: none, so that each command takes what
    /// suits it (`memory:` where nothing has to outlive it). PyMAPE's `redis.url` is another name of this key.
    pub url: Option<Url>,
    /// What every key on a shared server begins with. Default: none, so that keys are those of PyMAPE and the Python
    /// workers; on a cluster `{mape}`, whose braces keep the keys of one deployment in one slot.
    pub prefix: Option<String>,
    /// The user to log in as, where the URL does not name one. Default: none.
    pub username: Option<String>,
    /// The password to log in with, where the URL holds none. Default: none.
    pub password: Option<Secret>,
    /// A file with the certificates (PEM) to trust for `rediss://`. Default: none, those of the system.
    pub ca_file: Option<PathBuf>,
    /// The name under which connections show up on the server. Default: none, the name of the program.
    pub client_name: Option<String>,
}
