//! x
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]
mod analyze;
mod clean;
mod data;
mod detect;
mod expect;
mod hour;
mod network;
mod plan;
mod sector;
fn main() {}
