//! What programs tell of themselves: metrics, traces, logs.

#[cfg(all(feature = "otel", feature = "http"))]
mod collector;
#[cfg(all(feature = "otel", feature = "http", feature = "cli"))]
mod export;
#[cfg(all(feature = "http", feature = "cli"))]
mod logs;
mod measured;
mod meter;
#[cfg(all(feature = "http", feature = "cli"))]
pub(crate) mod program;
#[cfg(all(feature = "http", feature = "flow"))]
mod propagation;
#[cfg(all(feature = "http", feature = "cli"))]
mod scrape;
#[cfg(all(feature = "http", feature = "flow"))]
mod stand_in;
#[cfg(all(feature = "otel", feature = "http", feature = "cli", feature = "redis"))]
mod traces;
