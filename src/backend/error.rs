//! Why a backend cannot be opened.

use std::time::Duration;

/// Why a backend cannot be opened. Only [`Unreachable`](Self::Unreachable) can go away by trying again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text has no scheme.
    #[error("opening the backend {url:?}: it has no scheme; write {KNOWN}")]
    NoScheme {
        /// What was given.
        url: String,
    },
    /// No backend has this scheme.
    #[error("opening a backend: nobody knows the scheme `{scheme}:`; write {KNOWN}")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// This build does not have the backend.
    #[error("opening a backend: this build has no `{scheme}:`; use `memory:`")]
    NotInThisBuild {
        /// The scheme.
        scheme: String,
    },
    /// `memory:` is asked for by a program that looks into what others share.
    #[error("memory: exists in one process only, nobody else can look into it; use {SHARED}")]
    NotShared,
    /// The rest of the URL is not what its scheme asks for.
    #[error("opening the backend `{scheme}:`: {problem}")]
    Malformed {
        /// The scheme.
        scheme: String,
        /// What is wrong and what to write.
        problem: String,
    },
    /// Nobody answered for as long as the options wait.
    #[error(
        "opening the backend {url}: {address} cannot be reached after {} s: {cause}; start a server there, correct the URL or wait longer",
        .waited.as_secs()
    )]
    Unreachable {
        /// The URL, without secrets.
        url: String,
        /// Who was asked last.
        address: String,
        /// For how long.
        waited: Duration,
        /// Why it failed the last time.
        cause: String,
    },
    /// The server refuses the login.
    #[error(
        "opening a backend: {address} refuses the login: {reason}; correct user and password, in the URL (there percent-encoded) or in the options"
    )]
    Denied {
        /// The server.
        address: String,
        /// What it says.
        reason: String,
    },
    /// The server is not who it should be.
    #[error(
        "opening a backend: {address} cannot be trusted: {reason}; is it the right server? its authority belongs into the option `ca_file`"
    )]
    Untrusted {
        /// The server.
        address: String,
        /// What is wrong with its certificate.
        reason: String,
    },
    /// There are no certificates to trust.
    #[error(
        "opening a backend: the certificates to trust, {what}, cannot be used: {reason}; a file in PEM is needed"
    )]
    Certificates {
        /// The file.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server lacks commands that are needed.
    #[error("opening a backend: {address} runs Redis {version}, which is too old; 6.2 or newer is needed")]
    TooOld {
        /// The server.
        address: String,
        /// What it runs.
        version: String,
    },
    /// The server is none to work with.
    #[error("opening a backend: {address} is not suitable: {problem}")]
    Unsuitable {
        /// The server.
        address: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl Error {
    /// Whether it lies in how the backend is named, and not in how it is doing.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoScheme { .. }
                | Self::UnknownScheme { .. }
                | Self::NotInThisBuild { .. }
                | Self::NotShared
                | Self::Malformed { .. }
        )
    }
}

/// What several programs can share.
const SHARED: &str = "`file:DIR` or `redis://HOST:PORT`";
/// What a person can write.
const KNOWN: &str = "`memory:`, `file:DIR` or `redis://HOST:PORT`";
