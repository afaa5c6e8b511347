//! The HTTP service: loops, runs of workflows, knowledge and channels for browsers, for curl, for other loops.
//!
//! ```no_run
//! use mape::prelude::*;
//!
//! # #[tokio::main] async fn main() -> Result<(), BoxError> {
//! let app = App::new();
//! app.create_loop("car")?.monitor("detect").map(|emergency: bool| emergency).spawn()?.expose();
//! let serving = app.serve("127.0.0.1:6060").await?; // curl -d true http://127.0.0.1:6060/loops/car/elements/detect
//! println!("{}", serving.url());
//! app.run().await;
//! # Ok(()) }
//! ```
//!
//! [`Service`] has the settings; [`loops`], [`workflows`], [`queues`] and [`live`] are its parts, to be mounted in a server of one's own.
//!
//! # Who may do what
//!
//! On a loopback address without tokens every program of this machine may do everything; pages of other sites may not,
//! for a request with a foreign `Origin` or `Host` is refused. With [tokens](Access) each request needs one, and its
//! [`Role`] says what it may do. A public address without tokens is refused unless
//! [`Access::anyone`] says that it is meant.
//!
//! # Errors
//!
//! Every error is JSON, `{"detail": "what is wrong and what to do"}`; on the paths of littleflow, `/workflows…` and
//! `/inprogress`, it is `{"status": "Error", "message": …}`, as their clients expect it.
//!
//! Source: PyMAPE's REST server, `littleflow_redis.service` and `littleflow_redis.console`, whose paths are kept.

mod access;
mod bound;
mod channels;
#[cfg(feature = "config")]
mod configured;
mod console;
mod context;
mod docs;
mod endpoints;
mod error;
mod extract;
mod goals;
mod health;
mod knowledge;
mod live;
mod loops;
mod metered;
mod metrics;
#[cfg(feature = "inference")]
mod models;
mod openapi;
mod problem;
mod queues;
mod service;
mod serving;
mod speaking;
mod streams;
mod tls;
mod workflows;

pub use access::{Access, Jwt, Role, Rule};
pub use bound::Bound;
pub use error::Error;
pub use live::live;
pub use loops::loops;
#[cfg(feature = "inference")]
pub use models::models;
pub use queues::queues;
pub use service::{Limits, Service};
pub use serving::Serving;
pub use tls::Tls;
pub use workflows::workflows;

pub(crate) use context::Context;
pub(crate) use metered::KINDS;
pub(crate) use problem::Problem;
