//! InfluxDB: points written, and queried.
//!
//! An [`InfluxSink`] writes the items of a stream as points, by batches, through outages; an [`InfluxSource`] is the rows
//! that a query gives. Both are given an [`InfluxServer`]: InfluxDB 1.x, 2, 3, or another with its interface, such as
//! `VictoriaMetrics`.
//!
//! ```no_run
//! use mape::edge::{InfluxServer, InfluxSink};
//! use mape::prelude::*;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
//! let app = App::new();
//! let flow = app.create_loop("river")?.monitor("flow").map(|flow: f64| flow).spawn()?;
//! let server = InfluxServer::new("http://localhost:8086")?.org("town").bucket("water").token("s3cret")?;
//! let sink = InfluxSink::new(&server).measurement("flow").tags(|_| ("river", "Danube"));
//! let stats = sink.stats();
//! flow.link_sink(sink, LinkOptions::new())?;
//! # let _ = stats; Ok(()) }
//! ```

mod attributes;
#[cfg(feature = "influxdb2")]
mod data_point;
mod field_value;
mod flux;
mod influxql;
mod line;
mod mapping;
mod pairs;
mod point;
mod precision;
mod server;
mod settings;
mod sink;
mod source;
mod stats;
mod writer;

pub use field_value::FieldValue;
pub use pairs::Pairs;
pub use point::Point;
pub use precision::Precision;
pub use server::InfluxServer;
pub use settings::{InfluxBatch, InfluxSettings};
pub use sink::InfluxSink;
pub use source::InfluxSource;
pub use stats::InfluxStats;
