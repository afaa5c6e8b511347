//! Points to InfluxDB: real servers, and a double of what there is no package of.

mod asked;
mod awkward;
mod defaults;
mod encoder;
mod outages;
mod parser;
mod servers;
mod settings;
mod sources;
mod v2;
#[cfg(feature = "influxdb2")]
mod with_crate;
mod written;
