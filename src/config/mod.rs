//! The configuration: `config.yaml`, the environment, and what the program sets itself.
//!
//! One value has one place, the dotted key: `rest.address` is the key `address` of the section `rest`. Four layers
//! say what it is, and the later one wins:
//!
//! 1. the **default**, documented at the field of its section ([`Rest::address`]);
//! 2. the **file**: `config.yaml` in the working directory if there is one, or the file given to
//!    [`Builder::file`] (`--config FILE`), which must exist;
//! 3. the **environment**: `MAPE_REST__ADDRESS`, i.e. `MAPE_`, then the key in capitals with `__` for each dot;
//! 4. **code**: [`Builder::set`], [`Config::set`], and the options of the command line.
//!
//! Sections that this crate does not know are the user's own and are kept whole: [`Config::get`] reads any key as
//! any type. In the sections it knows, an unknown key is an error with a hint, and so is a section that is a slip of
//! the pen away from a known one. [`Config::explain`] says for every value which layer it comes from, down to the
//! line of the file, and shows no secret.
//!
//! Some variables have names that others have given them: `LOG_LEVEL` (a level, also as Python calls it) is
//! `telemetry.log`, `NO_COLOR` makes `telemetry.colors` `never`, and `OTEL_EXPORTER_OTLP_ENDPOINT`,
//! `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_SERVICE_NAME` are `telemetry.endpoint`, `headers` and `service_name`. They are over
//! the file, and under `MAPE_…`.
//!
//! `redis.url` and `rest.host_port`, the names PyMAPE uses, are read as `backend.url` and `rest.address`.
//!
//! ```
//! use mape::config::Config;
//!
//! let config = Config::builder()
//!     .text("rest:\n  address: 127.0.0.1:7070\nambulance:\n  emergency_speed: 160\n")
//!     .environment([("MAPE_AMBULANCE__EMERGENCY_SPEED", "180")])
//!     .build()?;
//! assert_eq!(config.rest.address, "127.0.0.1:7070");
//! assert_eq!(config.get::<u32>("ambulance.emergency_speed")?, 180);
//! # Ok::<(), mape::config::Error>(())
//! ```
//!
//! The program also takes a Redis server as other programs are told of it ([`Server`]): `--host`, `REDIS_HOST` ….
//!
//! This module is the only reader of configuration files and environment variables. Files are data: plain YAML 1.2
//! with merge keys, `true` and `false` as the only booleans, no tags of any kind that would build something.

mod alias;
mod builder;
mod check;
mod environment;
mod error;
mod explain;
mod node;
mod origin;
mod read;
mod secret;
mod section;
mod server;
mod settings;
mod standard;
mod yaml;

pub use builder::Builder;
pub use error::{Error, Problem};
pub use explain::{Entry, Explanation};
pub use origin::Origin;
pub use secret::{Secret, Url};
pub use section::{
    Backend, Batch, Classes, Colors, Exec, Influxdb, Jwt, Limits, Live, LogFormat, Model, ModelKind,
    ModelLimits, ModelShadow, Queue, Rate, Redis, Request, Resources, Rest, Role, Rule, Schedule, Service,
    Task, Telemetry, Tls, Token, WhenFull, Workflow,
};
pub use server::Server;
pub use settings::Config;
