//! The HTTP service, asked as its clients ask it.

mod access;
mod console;
mod described;
pub(crate) mod edge;
mod goals;
mod live;
mod loops;
#[cfg(feature = "inference")]
mod models;
mod openapi;
mod queues;
pub(crate) mod site;
pub(crate) mod workflows;
