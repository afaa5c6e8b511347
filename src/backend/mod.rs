//! Where knowledge is kept and channels run: one URL decides.
//!
//! A [`Backend`] bundles the handles a program needs. `memory:` is this process alone and needs nothing; other schemes
//! make the same program share with others, without a change in it.
//!
//! ```
//! use mape::backend::Backend;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::backend::Error> {
//! let backend = Backend::open("memory:").await?;
//! assert_eq!(backend.url(), "memory:");
//! # Ok(()) }
//! ```

#[cfg_attr(
    not(feature = "file"),
    allow(dead_code, unused_imports, reason = "what keeps and restores is for directories")
)]
mod embedded;
mod error;
#[cfg(feature = "file")]
mod file;
mod handle;
mod keeper;
mod options;
#[cfg(feature = "redis")]
mod redis;
mod url;

pub use error::{Error, NotDone};
pub use handle::Backend;
pub use options::Options;
