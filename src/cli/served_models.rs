//! The models that the configuration names.

use super::workflow_arguments::TaskSet;
use anyhow::{Context, Result};
use mape::config::{Config, Error};
use mape::http::Service;
#[cfg(feature = "inference")]
use mape::infer::Models;
use mape::workflow::Tasks;

/// The models that it names. A program without the feature `inference` has none.
pub(super) struct ServedModels {
    #[cfg(feature = "inference")]
    models: Models,
}

#[cfg(feature = "inference")]
impl ServedModels {
    /// Loads what the section `models` names.
    pub(super) async fn load(config: &Config) -> Result<Self, Error> {
        Ok(Self { models: Models::configured(config).await? })
    }

    /// Lets flows and queues have rows judged, unless a set of tasks stands in for all that there are.
    pub(super) fn add_task(&self, set: Option<TaskSet>, tasks: Tasks) -> Tasks {
        match set {
            Some(TaskSet::Echo | TaskSet::Simulate) => tasks,
            Some(TaskSet::Exec) | None => tasks.with(self.models.task()),
        }
    }

    /// Serves them.
    pub(super) fn serve(&self, service: Service) -> Service {
        service.models(&self.models)
    }
}

#[cfg(not(feature = "inference"))]
impl ServedModels {
    /// Says that there can be none.
    pub(super) async fn load(config: &Config) -> Result<Self, Error> {
        let Some(name) = config.models.keys().next() else { return Ok(Self {}) };
        let place = format!("models.{name}");
        let told =
            format!("`{place}`: this program is built without models: build it with the feature `inference`");
        Err(config.wrong(&place, told))
    }

    #[expect(clippy::unused_self, reason = "there are none")]
    pub(super) fn add_task(&self, _set: Option<TaskSet>, tasks: Tasks) -> Tasks {
        tasks
    }

    #[expect(clippy::unused_self, reason = "there are none")]
    pub(super) fn serve(&self, service: Service) -> Service {
        service
    }
}

/// Says whether all models of a configuration can be loaded, where nothing runs yet.
pub(super) fn check(config: &Config) -> Result<Result<(), Error>> {
    if config.models.is_empty() {
        return Ok(Ok(()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    Ok(runtime.block_on(ServedModels::load(config)).map(drop))
}
