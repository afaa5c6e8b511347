//! Declared pipelines: what happens to jobs before they are done, and to parts before they are handed out.
//!
//! A declaration is [`Pipelines`]; what is in force is a [`Station`], in which a `Side` for jobs and one for results hold a
//! `Chain` for each pipeline. A chain has no task: it is turned by what comes, and by one task of the station when
//! something is due, so that a swap is one step under one lock.
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

pub(super) use cache::{Record, Recorded};
pub use declaration::{Pipeline, Pipelines, Stage};
pub use invalid::InvalidPipelines;
pub(super) use jobs::{Jobs, Lot};
pub(super) use station::Station;
