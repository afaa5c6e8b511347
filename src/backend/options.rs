//! What a URL does not say.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How a backend is opened, besides its URL.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// What every key on a shared server begins with; channels are free of it. Default: nothing, so that the keys are
    /// those of `PyMAPE` and of the Python workers; on a cluster `{mape}`, whose braces keep them in one slot.
    pub prefix: Option<String>,
    /// The user to log in as, where the URL does not name one.
    pub username: Option<String>,
    /// The password to log in with, where the URL holds none.
    pub password: Option<String>,
    /// A file with the certificates (PEM) to trust for `rediss:`. Default: those of the system.
    pub ca_file: Option<PathBuf>,
    /// How connections are called on the server; for a directory, its owner. Default: `mape`.
    pub client_name: Option<String>,
    /// How long to wait for a server that is not there at start. Default: 30 seconds.
    pub wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: None,
            username: None,
            password: None,
            ca_file: None,
            client_name: None,
            wait: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("prefix", &self.prefix)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "[REDACTED]"))
            .field("ca_file", &self.ca_file)
            .field("client_name", &self.client_name)
            .field("wait", &self.wait)
            .finish()
    }
}
