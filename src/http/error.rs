//! Why a service does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

crate::element::debug_is_text!(Error);

/// Why a service does not start.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no address.
    #[error("`{address}` is no address to listen on: write HOST:PORT, such as 127.0.0.1:6060")]
    Address {
        /// The text.
        address: String,
    },
    /// The address could not be had; another port may be free.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Everybody who reaches the machine could do everything.
    #[error(
        "{address} can be reached from other machines, and there are no tokens: set rest.tokens or rest.jwt, \
         or listen on 127.0.0.1, or say that anyone may do everything (`mape serve --allow-anyone`, or `anyone()` of the service)"
    )]
    Unprotected {
        /// The address.
        address: SocketAddr,
    },
    /// A file with a certificate or a key is no good.
    #[error("{what} in {}: {reason}", .file.display())]
    File {
        /// What was looked for.
        what: &'static str,
        /// Where.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A rule, a token or a key is no good.
    #[error("{what}: {reason}")]
    Access {
        /// What is wrong, by its key of the configuration.
        what: String,
        /// Why.
        reason: String,
    },
}
