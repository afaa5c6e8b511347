//! Knowledge on a real Redis server: the suites of every store, and what is Redis' own.

use crate::knowledge::{conformance, guarding, watching};
use crate::server::RedisServer;
use mape::backend::Backend;
use mape::knowledge::{Knowledge, Scope};

async fn redis() -> Knowledge {
    Backend::open(&RedisServer::shared_url()).await.unwrap().knowledge(Scope::App)
}

conformance::suite! { redis_conforms, super::redis().await }
guarding::suite! { redis_guards, super::redis().await }
watching::suite! { redis_tells, super::redis().await }
