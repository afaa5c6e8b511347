//! Doors to foreign systems: what other services send and are sent.

mod endpoint;

pub use endpoint::{Endpoint, Endpoints};
