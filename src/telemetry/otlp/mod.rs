//! Traces and metrics for a collector of OpenTelemetry: OTLP over HTTP, as protobuf.
//!
//! Spans are recorded by a layer of `tracing` and metrics are read from [`Snapshot`](super::Snapshot)s; one task sends
//! both. It never holds anything up: what is too much, or cannot be sent, is dropped and counted by the meter `exporter`.
//!
//! Source: the OpenTelemetry protocol, 1.x, and its messages in protobuf.

mod exporter;
mod message;
mod metrics;
mod recorder;
mod settings;
mod spans;

pub use settings::Otlp;

pub(super) use exporter::{EXPORTER, Exporter};
