//! Doors to foreign systems: what other services send and are sent.
//!
//! A [`PostSink`] posts the items of a stream to another service, such as a port of a loop elsewhere; a [`PostSource`] is
//! an own endpoint, whose items others post; a [`PollSource`] asks again and again for what may have changed. A
//! [`StreamSource`] reads an answer that goes on, a [`WebSocketSource`] a WebSocket, and a [`FileTail`] a file that
//! grows. They go where sinks and streams go: `element.link_sink(sink, …)`, `element.feed(source)`.
//!
//! ```no_run
//! use mape::edge::PostSink;
//! use mape::prelude::*;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
//! let app = App::new();
//! let detect = app.create_loop("car_panda")?.monitor("detect").map(|emergency: bool| emergency).spawn()?;
//! // Into the port of an element in another process, on this machine or another.
//! let sink = PostSink::new("127.0.0.1:6060", "ambulance.policy")?;
//! let stats = sink.stats();
//! detect.link_sink(sink, LinkOptions::new())?;
//! # let _ = stats; Ok(()) }
//! ```
//!
//! Source: `POSTObserver` of `PyMAPE`, and what its documentation promises of sources.

mod answer;
mod client;
mod decode;
mod endpoint;
mod error;
mod file_position;
mod file_tail;
mod followed;
mod hand;
pub mod influxdb;
mod lines;
mod listener;
pub(crate) mod metered;
mod outbox;
mod poll_source;
mod post_sink;
mod post_source;
mod poster;
mod retry;
mod seen;
mod signature;
mod socket;
mod sse;
pub(crate) mod stats;
mod stream_source;
mod target;
mod verdict;
mod web_socket_source;

pub use client::Client;
pub use endpoint::{Endpoint, Endpoints};
pub use error::Error;
pub use file_tail::FileTail;
pub use influxdb::{InfluxServer, InfluxSink, InfluxSource, InfluxStats};
pub use outbox::Refusal;
pub use poll_source::PollSource;
pub use post_sink::{PostFormat, PostPort, PostSignals, PostSink};
pub use post_source::{DedupKey, PostOptions, PostSource};
pub use signature::{Signature, Unsigned};
pub use stats::PostStats;
pub use stream_source::{StreamEvent, StreamSource};
pub use web_socket_source::WebSocketSource;

#[cfg(feature = "http")]
pub(crate) use endpoint::Refused;
#[cfg(feature = "otel")]
pub(crate) use {client::said, target::service};
