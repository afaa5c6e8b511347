//! Task queues over HTTP.

mod configured;
mod jobs;
mod scheduled;
mod streams;

use super::site::Site;
use jobs::suite as jobs;
use mape::app::App;
use mape::backend::Backend;
use mape::prelude::BoxError;
use mape::queue::{Queue, Queues, Settings, Task, Worker, working};
use serde_json::Value;
use std::time::Duration;

jobs! { memory_jobs, mape::backend::Backend::memory() }
#[cfg(feature = "file")]
jobs! { file_jobs, crate::file::open(&crate::file::fresh_dir()).await }
#[cfg(feature = "redis")]
jobs! { redis_jobs, mape::backend::Backend::open(&crate::server::RedisServer::shared_url()).await.unwrap() }

/// A service whose backend has the queue `reply`.
struct World {
    app: App,
    queue: Queue,
    site: Site,
}

fn settings() -> Settings {
    Settings {
        priorities: 3,
        attempts: 2,
        retry_after: Duration::from_millis(20),
        max_bytes: 200,
        ..Settings::default()
    }
}

impl World {
    async fn new(backend: Backend) -> Self {
        Self::with(backend, settings()).await
    }

    async fn with(backend: Backend, settings: Settings) -> Self {
        let app = App::with_backend(backend);
        let queue = Queues::new(&app).open("reply", settings).await.unwrap();
        let site = Site::of(&app).await;
        Self { app, queue, site }
    }

    /// Doubles numbers, and fails with all else.
    async fn work(&self) -> Worker {
        let double = working(|task: Task<Value>| async move {
            match task.as_u64() {
                Some(number) => Ok(number * 2),
                None => Err::<u64, BoxError>(format!("{} is no number", *task).into()),
            }
        });
        let worker = self.app.create_loop("worker").unwrap().execute("double").each_unordered(4, double);
        self.queue.work(&worker.spawn().unwrap()).await.unwrap()
    }
}
