//! Why a backend cannot be opened.

use std::time::Duration;
#[cfg(feature = "file")]
use std::{fmt, path::Path};

/// Why a backend cannot be opened. Without a change somewhere, only [`Unreachable`](Self::Unreachable) can go away by
/// trying again.
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
    /// Another process owns the directory.
    #[error(
        "opening the backend `file:{dir}`: it belongs to {owner}; end that, or attach to it, or take another directory"
    )]
    Owned {
        /// The directory.
        dir: String,
        /// Who that is, as far as known.
        owner: String,
    },
    /// The owner of the directory does not let others in.
    #[error("attaching to the backend `file:{dir}`: {problem}")]
    NotAttached {
        /// The directory.
        dir: String,
        /// What it says.
        problem: String,
    },
    /// The file is damaged. It is left as it is.
    #[error(
        "opening a backend: `{path}` is damaged ({problem}) and was left as it is; put a copy in its place, or move \
         its directory away to begin anew"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file is a database of another program. It is left as it is.
    #[error("opening a backend: `{path}` is a database of another program; take another directory")]
    Foreign {
        /// The file.
        path: String,
    },
    /// The file has a format that this build does not know. It is left as it is.
    #[error(
        "opening a backend: `{path}` has the format {found}, and this build of mape knows {known}; use the one that \
         wrote it"
    )]
    OtherFormat {
        /// The file.
        path: String,
        /// Its format.
        found: u32,
        /// The format of this build.
        known: u32,
    },
    /// The system refuses something.
    #[error("opening a backend: {doing} `{path}`: {problem}")]
    File {
        /// What was being done.
        doing: String,
        /// To which file or directory.
        path: String,
        /// What the system says.
        problem: String,
    },
}

#[cfg(feature = "file")]
impl Error {
    pub(super) fn file(doing: &str, path: &Path, problem: &dyn fmt::Display) -> Self {
        Self::File { doing: doing.to_owned(), path: path.display().to_string(), problem: problem.to_string() }
    }
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

/// Stands among the causes of an error of a backend that is out of reach where it is certain that nothing was done, so
/// that doing it again does it once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotDone(pub(super) String);

/// What several programs can share.
const SHARED: &str = "`file:DIR` or `redis://HOST:PORT`";
/// What a person can write.
const KNOWN: &str = "`memory:`, `file:DIR` or `redis://HOST:PORT`";
