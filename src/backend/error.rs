//! Why a backend cannot be opened.

/// Why a backend cannot be opened. None of them goes away by trying again.
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
