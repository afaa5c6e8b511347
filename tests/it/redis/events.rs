//! Events on a real Redis server: the suites of every log, and what is Redis' own.

use crate::event::{conformance, groups, together};
use crate::server::RedisServer;
use mape::backend::Backend;

async fn redis() -> Backend {
    Backend::open(&RedisServer::shared_url()).await.unwrap()
}

conformance::suite! { redis_conforms, super::redis().await }
groups::suite! { redis_groups, super::redis().await }
together::suite! { redis_together, super::redis().await }
