//! How other processes use a directory: through its owner, by a socket beside the file.
//!
//! Each message is a frame of JSON behind its length. The client says hello, then sends calls with a number each; the
//! owner does them side by side and answers under their numbers. Watching and subscribing go on with items after their
//! answer. What a client no longer waits for it cancels.

mod client;
mod connection;
mod events;
mod failure;
mod frame;
mod link;
mod message;
mod remote;
mod server;
mod socket;

pub(super) use remote::Remote;
pub(super) use server::{Served, Server};
pub(super) use socket::NAME;
