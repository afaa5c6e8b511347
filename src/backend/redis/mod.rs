//! On a Redis server: one, one behind Sentinels, or one node of a cluster.
//!
//! A [`Client`](client::Client) keeps one multiplexed connection to the node that has the keys, and finds that node
//! again after every loss. What blocks has a [dedicated](dedicated::Dedicated) connection of its own, and so have all
//! [subscriptions](pubsub::RedisPubSub) together.

mod address;
mod call;
mod client;
mod commands;
mod control;
mod deadlines;
mod dedicated;
mod endpoint;
mod entries;
mod event_log;
mod explain;
mod failure;
mod hearing;
mod keeper;
mod link;
mod log_state;
mod native;
mod obstacle;
mod outcome;
mod patience;
mod pauses;
mod pop;
mod pubsub;
mod reading;
mod replies;
mod script;
mod settings;
mod shared;
mod slot;
mod socket;
mod store;
mod subscriptions;
mod tls;
mod told;
mod topology;
mod verdict;
mod version;
mod watched;
mod watcher;
mod watching;

pub(super) use client::Client;
pub(super) use endpoint::Endpoint;
pub(super) use event_log::RedisEventLog;
pub(super) use pubsub::RedisPubSub;
pub(super) use store::RedisStore;
