//! A run, for whoever started it.

use super::hosted::Origin;
use super::{Error, Failure, Progress, RunId, Status, Workflows, keys};
use crate::knowledge::Filter;
use futures::StreamExt;
use serde_json::Value;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How often it is looked whether a program that tells nobody has ended a run.
const LOOK: Duration = Duration::from_secs(1);

/// A run, for whoever started it. Dropping it changes nothing.
#[derive(Clone)]
pub struct Run {
    id: RunId,
    workflows: Workflows,
    origin: Option<Origin>,
}

/// Why a run gave no output.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the run {id} is {status}{}", said(.failures))]
pub struct NoOutput {
    /// Which run.
    pub id: RunId,
    /// How it ended.
    pub status: Status,
    /// What failed.
    pub failures: Vec<Failure>,
}

fn said(failures: &[Failure]) -> String {
    failures.iter().fold(String::new(), |mut said, failure| {
        let _ = write!(said, "; {failure}");
        said
    })
}

impl Run {
    pub(super) fn of(id: RunId, workflows: &Workflows, origin: Option<Origin>) -> Self {
        Self { id, workflows: workflows.clone(), origin }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Waits until it is over, in whatever hands it is.
    ///
    /// # Errors
    ///
    /// What the backend says.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only watches.
    pub async fn wait(&self) -> Result<Progress, Error> {
        let Some(mut origin) = self.origin.clone() else { return self.workflows.wait(&self.id).await };
        let here = async move {
            let over = origin.wait_for(|progress| progress.status.is_over()).await.ok()?.clone();
            // What has failed may have been restarted, which this process hears a little later.
            (over.status == Status::Finished).then_some(over)
        };
        // Without an answer the engine that began it is gone.
        match here.await {
            Some(progress) => Ok(progress),
            None => self.workflows.wait(&self.id).await,
        }
    }

    /// Waits until it is over, for its output.
    ///
    /// # Errors
    ///
    /// [`NoOutput`] in the inner result if it failed or was terminated; in the outer one what the backend says.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only watches.
    pub async fn output(&self) -> Result<Result<Arc<Value>, NoOutput>, Error> {
        let Progress { status, output, failures } = self.wait().await?;
        Ok(output.ok_or(NoOutput { id: self.id.clone(), status, failures }))
    }
}

impl Workflows {
    /// Waits until a run is over, in whatever hands it is.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`]; what the backend says.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only watches.
    pub async fn wait(&self, id: &RunId) -> Result<Progress, Error> {
        let mut changes = self.store().watch(Filter::key(keys::state(id))).await?;
        loop {
            if self.status(id).await?.is_over() {
                let loaded = self.load(id).await?;
                if loaded.state.status().is_over() {
                    return Ok(Progress::of(&loaded.state));
                }
            }
            // Whatever is told, also that changes were missed: it is looked at again. Programs of other kinds tell nobody
            // what they change.
            let patience = if self.is_open() { LOOK } else { Duration::MAX };
            if let Ok(None) = timeout(patience, changes.next()).await {
                changes = self.store().watch(Filter::key(keys::state(id))).await?;
            }
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("id", &self.id).finish_non_exhaustive()
    }
}
