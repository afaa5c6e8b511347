//! On a Redis server: one, one behind Sentinels, or one node of a cluster.
//!
//! A [`Client`](client::Client) keeps one multiplexed connection to the node that has the keys, and finds that node
//! again after every loss. What blocks has a [dedicated](dedicated::Dedicated) connection of its own, and so have all
//! [subscriptions](pubsub::RedisPubSub) together.

#![allow(dead_code, reason = "knowledge and events, which use the rest, are still to come")]

mod address;
mod client;
mod control;
mod dedicated;
mod endpoint;
mod failure;
mod hearing;
mod keeper;
mod link;
mod obstacle;
mod patience;
mod pauses;
mod pubsub;
mod script;
mod settings;
mod shared;
mod slot;
mod socket;
mod subscriptions;
mod tls;
mod topology;
mod verdict;

pub(super) use client::Client;
pub(super) use endpoint::Endpoint;
pub(super) use pubsub::RedisPubSub;
