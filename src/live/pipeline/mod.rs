//! Declared pipelines: what happens to jobs before they are done, and to parts before they are handed out.
//!
//! A declaration is [`Pipelines`], made by methods or read from text, which is the same: it is written as the text that is
//! read. It is checked as a whole, and replaced while jobs run ([`Live::set_pipelines`](super::Live::set_pipelines)).
//!
//! ```
//! use mape::live::{Pipeline, Pipelines};
//! use std::time::Duration;
//! let second = Duration::from_secs(1);
//! let pipelines = Pipelines::new()
//!     .for_jobs(Pipeline::named(["customers"]).group_by("source").batch(100, second).parallel(8))
//!     .for_results(Pipeline::new().dedup());
//! let json = r#"{
//!   "jobs": [{"names": ["customers"], "stages": [
//!     {"group_by": "source"}, {"batch": {"most": 100, "within": "1s"}}, {"parallel": 8}]}],
//!   "results": [{"stages": ["dedup"]}]
//! }"#;
//! assert_eq!(Pipelines::from_json(json)?, pipelines);
//! # Ok::<(), mape::live::InvalidPipelines>(())
//! ```
//!
//! # The contract
//! - **Which.** A job, or a part, goes through the first pipeline that is for its name; without one, straight on.
//! - **Errors and ends.** An error is never left out and never overtakes what came before it. The end of a job comes behind
//!   its last part, whatever a pipeline does with its parts.
//! - **What is left out** is counted; a job that is left out ends with a part that says why.
//! - **Swaps.** A declaration takes effect at once, as a whole or not at all. What was only collected goes on at once, on its
//!   old way; nothing is lost or comes twice, and parts of a job keep their order. Jobs that run go on. A limit, a place, a
//!   cache that is declared before and after for the same names and groups knows what was before.
//!
//! Source: the pipelines of jobs and results of the streaming server on RxPY, which were re-subscribed to be changed.

mod batch;
mod cache;
mod chain;
mod debounce;
mod declaration;
mod dedup;
mod due;
mod file;
mod gate;
mod invalid;
mod jobs;
pub(crate) mod metered;
mod rate_limit;
mod results;
mod side;
mod span;
mod station;
mod text;
mod validate;
#[cfg(any(feature = "flow", feature = "config"))]
mod yaml;

pub(super) use cache::Record;
pub use declaration::{Pipeline, Pipelines, Stage};
pub use invalid::InvalidPipelines;
pub(super) use jobs::{Jobs, Lot};
pub(super) use station::Station;
