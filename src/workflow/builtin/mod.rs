//! Tasks that come with the engine: waits, HTTP requests, programs, files, people.
//!
//! [`Builtin`] holds what they may do, and makes them. What each does and all of its parameters are in the guide, page
//! `tasks`.
//!
//! A wait is durable without being written down anywhere: when it began and what its parameters are is in the history
//! of the run, and from that it is waited on, by whatever engine has the run in hand.

mod answer;
mod approve;
mod began;
#[expect(clippy::module_inception, reason = "it holds `Builtin`")]
mod builtin;
mod countdown;
mod delay;
mod event;
mod exec;
mod files;
mod format;
#[cfg(feature = "http-client")]
mod http;
mod hub;
mod known;
mod latch;
mod latches;
mod log;
mod parameters;
mod patience;
mod redis;
mod resource;
mod waiting;

pub use builtin::{Builtin, NoUrl};
pub use waiting::{Waiting, WaitsFor};

pub(super) use answer::{answered, laid_over, no_answer, own_parameters, wrong_answer};
pub(super) use began::announced;
#[cfg(feature = "http-client")]
pub(super) use http::find as find_callback;
pub(super) use log::task as log;

/// Takes away what is kept of a run besides its history.
pub(super) async fn forget(
    store: &dyn crate::knowledge::Store,
    run: &super::RunId,
) -> Result<(), super::Error> {
    latches::forget(store, run).await?;
    redis::forget(store, run).await?;
    #[cfg(feature = "http-client")]
    http::forget(store, run).await?;
    Ok(())
}
