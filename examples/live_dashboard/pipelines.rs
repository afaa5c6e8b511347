//! How jobs go through the server.

use clap::ValueEnum;
use mape::live::Live;

/// Three ways to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// One job after the other.
    InOrder,
    /// All at once.
    Parallel,
    /// All at once, and those that go to the service with a list of answers in one call.
    Batched,
}

pub fn declare(_live: &Live, _kind: Kind) -> anyhow::Result<()> {
    Ok(())
}
