//! What benchmarks share: the servers they start.

mod server;

pub use server::RedisServer;
