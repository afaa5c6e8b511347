//! What a process can be seen doing: everything that its parts count, as values and as text for Prometheus.
//!
//! A [`Snapshot`] has the counters, gauges and latencies of every element, link and loop of an app, of every
//! [meter](crate::stream::meter) in the process, and of the process itself. It is made when somebody asks and costs
//! nothing before. `GET /metrics` of the service writes it as `OpenMetrics`.
//!
//! ```
//! use mape::prelude::*;
//! use mape::telemetry::{Format, Snapshot};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
//! let app = App::new();
//! let car = app.create_loop("car")?;
//! car.monitor("speed").map(|kmh: f64| kmh / 3.6).spawn()?;
//!
//! let text = Snapshot::of(&app).text(Format::OpenMetrics);
//! assert!(text.contains(r#"mape_element_received_total{level="",loop="car",element="speed",role="monitor"} 0"#));
//! # Ok(()) }
//! ```

mod catalogue;
mod elements;
mod family;
mod goals;
mod groups;
#[cfg(feature = "logs")]
mod log_fields;
#[cfg(feature = "logs")]
mod log_line;
#[cfg(feature = "logs")]
mod log_lines;
mod meters;
#[cfg(feature = "otel")]
mod otlp;
mod process;
#[cfg(feature = "flow")]
mod queues;
#[cfg(feature = "logs")]
mod reporting;
mod snapshot;
mod text;

pub use crate::stream::trace::TraceContext;
pub use catalogue::{Metric, catalogue};
pub use family::{Family, FamilyKind, Histogram, Sample, Value};
#[cfg(feature = "otel")]
pub use otlp::Otlp;
#[cfg(feature = "logs")]
pub use reporting::{Error, Reporting, Reports};
pub use snapshot::Snapshot;
pub use text::Format;
