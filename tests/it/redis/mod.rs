//! Channels and connections on real Redis servers, and what they do when those fail.

mod events;
mod knowledge;
mod world;

use crate::channel::conformance;

conformance::suite! { redis_conforms, crate::redis::world::channels_of(crate::server::RedisServer::start()).await }
