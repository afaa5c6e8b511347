//! The sections this crate knows, one a file: their keys, what they mean and what they are by default.

mod backend;
mod bound;
mod influxdb;
mod live;
mod models;
mod queues;
mod rest;
mod telemetry;
mod time;
mod workflow;

pub use backend::Backend;
pub use influxdb::{Batch, Influxdb};
pub use live::{Live, WhenFull};
pub use models::{Classes, Model, ModelKind, ModelLimits, ModelShadow};
pub use queues::{Queue, Rate, Schedule, Task};
pub use rest::{Jwt, Limits, Rest, Role, Rule, Tls, Token};
pub use telemetry::{Colors, LogFormat, Telemetry};
pub use workflow::{Exec, Redis, Request, Resources, Service, Workflow};
