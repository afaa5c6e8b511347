//! Functions that do jobs.

use super::job::Unfinished;
use super::{Job, Part};
use crate::element::{BoxError, Emitter};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Serialize;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;

/// A function of an element that does jobs: it is given the job, and where its parts go.
///
/// It is dropped where it waits when nobody wants the job any more. What it answers as an error, and a panic, reach those
/// who asked as a part, behind all parts before; the element counts it. They are told as well if it is dropped before its
/// end for another reason, such as a restart of the element.
///
/// ```
/// use mape::live::{Live, answering};
/// use mape::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let live = Live::new(&app);
/// // 64 at a time.
/// let count = app.create_loop("jobs")?.execute("count").each_unordered(64, answering(|job, parts| async move {
///     for n in 0..job.input_as()? {
///         parts.send(n).await?;
///     }
///     Ok::<(), BoxError>(())
/// }));
/// live.job("count", &count.spawn()?)?;
/// # Ok(()) }
/// ```
pub fn answering<F, E>(
    f: impl Fn(Job, Parts) -> F + Clone + Send + Sync + 'static,
) -> impl FnMut(Job, Emitter<Part>) -> BoxFuture<'static, Result<(), BoxError>> + Clone + Send + 'static
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError>,
{
    move |job, out| {
        let parts = Parts { job: job.clone(), out: out.clone() };
        let f = f.clone();
        let unfinished = Unfinished::begin(std::slice::from_ref(&job));
        async move {
            let work =
                AssertUnwindSafe(async { f(job.clone(), parts).await.map_err(Into::into) }).catch_unwind();
            let done: Result<(), BoxError> = tokio::select! {
                biased;
                () = job.cancelled() => return Ok(()),
                done = work => match done {
                    Ok(done) => done,
                    Err(panic) => Err(format!("panicked: {}", text_of(&*panic)).into()),
                },
            };
            let failed = done.as_ref().err().and_then(|error| job.fail(error));
            unfinished.finish();
            if let Some(part) = failed {
                out.emit(part).await;
            }
            done
        }
        .boxed()
    }
}

/// The same for an element that does [lists of jobs](super::Live::job_lists): it is given where the parts of each go, in
/// the order of the jobs.
///
/// The jobs end when the function does. What it answers as an error, and a panic, reach all of them. It is dropped where it
/// waits when nobody wants any of them any more.
///
/// ```
/// use mape::live::{Live, Parts, Pipeline, Pipelines, answering_lists};
/// use mape::prelude::*;
/// use std::time::Duration;
///
/// async fn ask_service(ids: Vec<u64>) -> Result<Vec<String>, BoxError> {
///     Ok(ids.iter().map(|id| format!("customer {id}")).collect()) // one request for all of them
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let live = Live::new(&app);
/// let ask = |list: Vec<Parts>| async move {
///     let ids = list.iter().map(|parts| parts.job().input_as()).collect::<Result<_, _>>()?;
///     for (parts, customer) in list.iter().zip(ask_service(ids).await?) {
///         parts.send(customer).await?;
///     }
///     Ok::<(), BoxError>(())
/// };
/// let customers = app.create_loop("jobs")?.execute("customers").each_unordered(2, answering_lists(ask));
/// live.job_lists("customers", &customers.spawn()?)?;
/// // 100 at a time, and at most two requests a second:
/// let second = Duration::from_secs(1);
/// let customers = Pipeline::named(["customers"]).batch(100, second / 2).rate_limit(2, second);
/// live.set_pipelines(Pipelines::new().for_jobs(customers))?;
/// # Ok(()) }
/// ```
pub fn answering_lists<F, E>(
    f: impl Fn(Vec<Parts>) -> F + Clone + Send + Sync + 'static,
) -> impl FnMut(Vec<Job>, Emitter<Part>) -> BoxFuture<'static, Result<(), BoxError>> + Clone + Send + 'static
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError>,
{
    move |jobs, out| {
        let parts = jobs.iter().map(|job| Parts { job: job.clone(), out: out.clone() }).collect();
        let f = f.clone();
        let unfinished = Unfinished::begin(&jobs);
        async move {
            let work = AssertUnwindSafe(async { f(parts).await.map_err(Into::into) }).catch_unwind();
            let cancelled = futures::future::join_all(jobs.iter().map(Job::cancelled));
            let done: Result<(), BoxError> = tokio::select! {
                biased;
                _ = cancelled => return Ok(()),
                done = work => match done {
                    Ok(done) => done,
                    Err(panic) => Err(format!("panicked: {}", text_of(&*panic)).into()),
                },
            };
            let failed: Vec<_> = match &done {
                Ok(()) => Vec::new(),
                Err(error) => jobs.iter().filter_map(|job| job.fail(error)).collect(),
            };
            unfinished.finish();
            for part in failed {
                out.emit(part).await;
            }
            done
        }
        .boxed()
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(|s| &**s))
        .unwrap_or("?")
}

/// Where the parts of a job go.
#[derive(Clone)]
pub struct Parts {
    job: Job,
    out: Emitter<Part>,
}

impl Parts {
    /// Of which job they are.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Sends the next part; waits while the element's output is full.
    ///
    /// # Errors
    /// [`NotSent`]: it can't be written as JSON, or nobody takes it any more.
    ///
    /// # Cancel safety
    /// If dropped before it is ready, the part was not sent.
    pub async fn send<T: Serialize>(&self, data: T) -> Result<(), NotSent> {
        let data = serde_json::to_value(data).map_err(|error| NotSent::NoJson(error.to_string()))?;
        if self.out.emit(self.job.part(data)).await { Ok(()) } else { Err(NotSent::Gone) }
    }

    /// Sends a part that says what went wrong; more may follow.
    ///
    /// # Errors
    /// [`NotSent::Gone`].
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn send_error(&self, error: impl fmt::Display) -> Result<(), NotSent> {
        if self.out.emit(self.job.error(error)).await { Ok(()) } else { Err(NotSent::Gone) }
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("job", &self.job).finish_non_exhaustive()
    }
}

/// A part was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// It can't be written as JSON.
    #[error("a part can't be written as JSON: {0}")]
    NoJson(String),
    /// The element was restarted or disposed of.
    #[error("the element that did the job is gone")]
    Gone,
}
