//! Models that judge what flows, in batches: ONNX and frozen graphs of TensorFlow.
//!
//! A [`Model`] comes from a file, is tried before anybody uses it, and runs on a thread of its own. [`Models`] gives it a
//! name and versions: another version goes live while items flow, and one can be tried beside it as a shadow. Names of
//! classes and a threshold make a [`Verdict`] of what a model answers.
//!
//! # The contract
//! - **Every row has its own end**: a verdict, also a negative one and `unknown`, or a [`RowError`]. A row that is not in
//!   order is not shown to the model and does no harm to the others of its batch; nor does one that the model answers
//!   with NaN.
//! - **A batch that fails as a whole** (an error, a panic, too much time, too busy) has no verdicts at all, and its
//!   [`Error`] says whether another attempt makes sense. Nothing was consumed: who gave the rows still has them.
//! - **One version a batch.** Batches under way end on the version that they began with.
//! - **A late run** is left where it is and counted; the next batch gets another thread, as long as not more runs than
//!   [`Limits::late`] are late. No shutdown waits for it.
//!
//! # Rows
//! A row is flat, in row-major order, as `f32` or `f64`; the model's own type is made of it, and what can't be such a
//! number is an error; or it is a text, for a model with the [`Vocabulary`](crate::text::Vocabulary) that it was trained
//! with. Where the file leaves the batch open, or has it fixed but works with any, all rows run at once;
//! else they run by as many as the file says, also one by one. Whether a model can be trusted with several rows at once
//! is tried when it is loaded.
//!
//! What runs the models is [tract](https://github.com/sonos/tract). It is good at networks of layers; ensembles of trees
//! are slow in it by a factor of thousands.

mod classes;
mod description;
mod element;
mod error;
mod filling;
mod given;
mod input;
mod kind;
mod lane;
mod memory;
pub(crate) mod metered;
mod model;
mod models;
mod plan;
mod proto;
mod reading;
mod row_error;
mod running;
mod settings;
mod shadow;
mod slot;
mod task;
mod trial;
mod verdict;
mod version;

pub use description::{Batch, Description, ElementType, Port};
pub use element::{Judged, judging};
pub use error::Error;
pub use given::{Given, GivenRows, NoRow};
pub use input::Input;
pub use kind::Kind;
pub use model::Model;
pub use models::{Judging, Models};
pub use row_error::RowError;
pub use settings::{Limits, Settings};
pub use shadow::Disagreement;
#[cfg(feature = "http")]
pub(crate) use task::verdict_or_error;
pub use verdict::{UNKNOWN, Verdict};
pub use version::{Listed, ListedShadow, ListedVersion};
