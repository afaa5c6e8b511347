//! Runs of workflows over HTTP: the suites that hold on every backend, and what only a server or one service can show.

mod archives;
mod changes;
mod control;
mod foreign;
mod littleflow;
mod own;
pub(crate) mod world;

use archives::suite as archives;
use changes::suite as changes;
use control::suite as control;
use littleflow::suite as littleflow;
use mape::backend::Backend;
use own::suite as own;

littleflow! { memory_as_littleflow, mape::backend::Backend::memory() }
archives! { memory_archives, mape::backend::Backend::memory() }
control! { memory_control, mape::backend::Backend::memory() }
own! { memory_own, mape::backend::Backend::memory() }
changes! { memory_changes, mape::backend::Backend::memory() }

#[cfg(feature = "file")]
async fn file() -> Backend {
    crate::file::open(&crate::file::fresh_dir()).await
}
#[cfg(feature = "file")]
littleflow! { file_as_littleflow, super::file().await }
#[cfg(feature = "file")]
archives! { file_archives, super::file().await }
#[cfg(feature = "file")]
control! { file_control, super::file().await }
#[cfg(feature = "file")]
own! { file_own, super::file().await }
#[cfg(feature = "file")]
changes! { file_changes, super::file().await }

#[cfg(feature = "redis")]
async fn shared() -> Backend {
    Backend::open(&crate::server::RedisServer::shared_url()).await.unwrap()
}
#[cfg(feature = "redis")]
littleflow! { redis_as_littleflow, super::shared().await }
#[cfg(feature = "redis")]
archives! { redis_archives, super::shared().await }
#[cfg(feature = "redis")]
control! { redis_control, super::shared().await }
#[cfg(feature = "redis")]
own! { redis_own, super::shared().await }
#[cfg(feature = "redis")]
changes! { redis_changes, super::shared().await }
