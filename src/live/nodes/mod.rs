//! Many processes as one live server: nodes that share parts, jobs and presence over a backend.
//!
//! All that is published goes through one log, and every node, the one that published it included, hands it out in that
//! order: so a place in it means the same everywhere. Jobs for other nodes, their ends and cancellations go through the
//! same log, in the same order. What is in `outgoing.rs` waits to be appended, `publishing.rs` appends, `following.rs`
//! reads. Who is there, does what kinds of jobs, and has which members is in knowledge (`peers.rs`). Of kinds that have an
//! [`Extract`], the log has the values alone, and who needs the rest pulls it over channels (`cache.rs`, `pulling.rs`).

mod cache;
mod extract;
mod following;
mod jobs;
mod live;
pub(crate) mod metered;
mod node;
mod outgoing;
mod peers;
mod presence;
mod publishing;
mod pulling;
mod pulls;
mod wire;

pub use extract::Extract;
pub use live::NodeInfo;
pub(super) use node::Node;
pub(super) use presence::{Elsewhere, Groups, Present};
