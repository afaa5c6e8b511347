//! Workers: the suite that every backend passes, and what only real servers and processes can show.

mod conformance;
mod ending;
#[cfg(all(feature = "redis", feature = "config", unix))]
mod processes;
#[cfg(feature = "redis")]
mod redis;
mod together;
mod world;

use conformance::suite as conforms;
use ending::suite as ends;
use mape::backend::Backend;
use together::suite as works_together;

conforms! { memory_conforms, mape::backend::Backend::memory() }
ends! { memory_ends, mape::backend::Backend::memory() }
works_together! { memory_together, mape::backend::Backend::memory() }

#[cfg(feature = "file")]
async fn file() -> Backend {
    crate::file::open(&crate::file::fresh_dir()).await
}
#[cfg(feature = "file")]
conforms! { file_conforms, super::file().await }
#[cfg(feature = "file")]
ends! { file_ends, super::file().await }
#[cfg(feature = "file")]
works_together! { file_together, super::file().await }

#[cfg(feature = "redis")]
async fn shared() -> Backend {
    Backend::open(&crate::server::RedisServer::shared_url()).await.unwrap()
}
#[cfg(feature = "redis")]
conforms! { redis_conforms, super::shared().await }
#[cfg(feature = "redis")]
ends! { redis_ends, super::shared().await }
#[cfg(feature = "redis")]
works_together! { redis_together, super::shared().await }
