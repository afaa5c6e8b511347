//! Several jobs at once.

use super::{Added, Error, NewJob, Queue};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

/// How many are added at a time.
const AT_A_TIME: usize = 16;

impl Queue {
    /// Adds jobs, each with its delay, priority and key, in their order as far as these let it; all are looked at before the
    /// first is added.
    ///
    /// Jobs that have none of these are added in one step by [`add_all`](Self::add_all).
    ///
    /// # Errors
    /// As of [`add_job`](Self::add_job); if it is what the backend says, some may be added.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open which are added.
    pub async fn add_jobs<T: Serialize + Send + Sync>(
        &self,
        jobs: Vec<NewJob<T>>,
    ) -> Result<Vec<Added>, Error> {
        let name = self.name();
        let jobs: Vec<_> = jobs
            .into_iter()
            .map(|job| job.event(name, self.settings()).map(|(id, event)| (id, event, job)))
            .collect::<Result<_, _>>()?;
        if jobs.iter().all(|(.., job)| job.level == 0 && job.key.is_none() && job.delay.is_zero()) {
            let (ids, events): (Vec<_>, Vec<_>) = jobs.into_iter().map(|(id, event, _)| (id, event)).unzip();
            self.append_all(events).await?;
            return Ok(ids.into_iter().map(|id| Added { id, is_new: true }).collect());
        }
        let adding =
            |(id, event, job): (_, _, NewJob<T>)| async move { self.add_event(id, event, &job).await };
        stream::iter(jobs).map(adding).buffered(AT_A_TIME).try_collect().await
    }
}
