//! Channels and connections on real Redis servers, and what they do when those fail.

mod events;
mod failover;
mod goals;
mod knowledge;
pub(crate) mod log;
mod opening;
mod outages;
mod pymape;
mod taking;
mod watching;
mod world;

use crate::channel::conformance;

conformance::suite! { redis_conforms, crate::redis::world::channels_of(crate::server::RedisServer::start()).await }
