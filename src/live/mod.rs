//! Results in parts, to whoever is interested, the moment they exist.
//!
//! Jobs come in, parts of results go out, and neither knows the other: any element, channel or stream may publish parts
//! at any time, and a [`Client`] gets those of the jobs that it asked for and of its [`Interest`]s.
//!
//! # The contract
//! - **Order.** Parts of one job, and parts of one name from one place, reach a client in the order in which they were
//!   published.
//! - **The end.** A job ends when neither it nor one of its parts is held by anybody: its clients are told behind its
//!   last part, however it ended. What its element fails on, a panic included, reaches them as a part; so does that the
//!   element was stopped or restarted before the job was done.
//! - **Cancelling.** What only a client that has gone wanted is cancelled. Who is interested in a name keeps the jobs of
//!   that name going, for as long as it is; who is interested in anything does not.
//! - **Slow clients** are bounded: they lose the oldest parts and are told how many, or are closed and come back. They
//!   hold nobody up.
//! - **Coming back.** Each part has a place in the order of all. A client that returns with its [`Position`] gets
//!   exactly what it missed, or is told that this is not known any more.
//! - **Many processes.** On one backend, live servers are [nodes](Live::shared): a client sees what is published at any of
//!   them, and has jobs done that only others do.
//! - **Once.** A part reaches a client once, however many of its interests it fulfils.
//!
//! Source: the streaming server on RxPY's subjects (jobs and results as two hot streams, interests of clients as
//! conditions), with history, positions and presence after Centrifugo. Unlike there, the end of a job is no item that
//! operators could overtake, clients are bounded, and what fails is told.

mod answering;
mod audience;
mod client;
mod counts;
mod delivered;
mod delivery;
mod error;
#[cfg(feature = "flow")]
mod flow;
mod hub;
mod interest;
mod job;
mod join;
mod kind;
#[expect(clippy::module_inception, reason = "it holds `Live`")]
mod live;
pub(crate) mod metered;
pub(crate) mod nodes;
mod outlet;
mod part;
pub(crate) mod pipeline;
mod position;
mod queue;
mod results;
mod rules;
mod security;
mod settings;
mod topic;

pub use answering::{NotSent, Parts, answering, answering_lists};
pub use client::{Client, ClientHandle, Stated};
pub use counts::Counts;
pub use delivered::{Body, Delivered};
pub use delivery::{Closed, Delivery, Member};
pub use error::Error;
#[cfg(feature = "flow")]
pub use flow::running;
pub use interest::Interest;
pub use job::{Job, JobId, NoJobId};
pub use join::Join;
pub use live::Live;
pub use nodes::{Extract, NodeInfo};
pub use part::Part;
pub use pipeline::{InvalidPipelines, Pipeline, Pipelines, Stage};
pub use position::{NoPosition, Position};
pub use results::{LiveGone, Results};
pub use rules::{Deed, Rule, Rules};
pub use security::{Security, Viewer};
pub use settings::{Settings, WhenFull};
