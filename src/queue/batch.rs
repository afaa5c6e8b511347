//! Functions that work on lists.

use super::done::Done;
use super::task::{Work, flat};
use crate::element::{BoxError, Emitter};
use crate::stream::Backoff;
use futures::FutureExt;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::sleep;

/// A list as a whole cannot be worked on now, whatever is in it: a model is busy, a service is away. The list is tried again,
/// with pauses, for as long as it takes; nothing is lost and nothing counts as failed.
///
/// A function given to [`batches`] answers with it among its errors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotNow(String);

impl NotNow {
    /// For this reason.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// The function of an element that works on lists: it is given items, such as [`Task`](super::Task)s or the
/// [`Delivery`](crate::event::Delivery)s of a group, and answers with a result for each, in their order. What the element
/// emits are the items with what became of each, for whoever settles them: a [queue](super::Queue::work), or
/// [`Answers`](super::Answers) in another log.
///
/// If it answers with an error (or panics, or with too few results), the list is divided and its halves are tried by
/// themselves, down to single items: what is good gets its results, and each that is poisoned fails alone. Only for
/// [`NotNow`] the list stays together and is tried again after a pause.
///
/// The lists are made in front of it by [`buffer_count_or_time`](crate::stream::Operators::buffer_count_or_time), so no
/// item waits longer than that says; while a list is worked on, the next waits, and what feeds the element waits for it.
///
/// ```
/// use mape::event::{Delivery, EventId};
/// use mape::prelude::*;
/// use mape::queue::{Answers, Done, batches};
/// use serde::{Deserialize, Serialize};
/// use std::time::Duration;
///
/// #[derive(Serialize, Deserialize)]
/// struct Comment { text: String }
/// #[derive(Clone, Serialize)]
/// struct Verdict { words: usize }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let (comments, verdicts) = (app.logs().log("comments"), app.logs().log("verdicts"));
/// let judge = app
///     .create_loop("comments")?
///     .analyze::<Delivery<Comment>>("judge")
///     .ops_in(|s| s.buffer_count_or_time(256, Duration::from_millis(50)))
///     .each_async(batches(|comments: Vec<Delivery<Comment>>| async move {
///         Ok::<_, BoxError>(comments.iter().map(|c| Verdict { words: c.text.split(' ').count() }).collect())
///     }))
///     .spawn()?;
/// judge.link_sink(Answers::new(&verdicts, "verdict"), LinkOptions::new())?;
/// let source = comments.group("judges").source::<Comment>().await?;
/// judge.feed(source.filter_map(|delivery| async { delivery.ok() }));
///
/// comments.sink("comment").send(Comment { text: "count me in".into() }).await?;
/// let verdict = std::pin::pin!(verdicts.follow(EventId::MIN)).next().await.unwrap()?.event?;
/// assert_eq!(verdict.get("words"), Some(3.into()));
/// # Ok(()) }
/// ```
///
/// # Delivery
/// At least once: an item is acknowledged only with, or behind, its result.
pub fn batches<D, R, F, E>(
    f: impl Fn(Vec<D>) -> F + Clone + Send + Sync + 'static,
) -> impl FnMut(Vec<D>, Emitter<Done<D, R>>) -> Work + Clone + Send + 'static
where
    D: Clone + Send + Sync + 'static,
    R: Send + 'static,
    F: Future<Output = Result<Vec<R>, E>> + Send + 'static,
    E: Into<BoxError>,
{
    divided(move |items: &[D]| f(items.to_vec()))
}

/// The same of a function that need not keep the items.
pub(crate) fn divided<D, R, F, E>(
    f: impl Fn(&[D]) -> F + Clone + Send + Sync + 'static,
) -> impl FnMut(Vec<D>, Emitter<Done<D, R>>) -> Work + Clone + Send + 'static
where
    D: Send + Sync + 'static,
    R: Send + 'static,
    F: Future<Output = Result<Vec<R>, E>> + Send + 'static,
    E: Into<BoxError>,
{
    move |items, out| {
        let f = f.clone();
        async move {
            // From the left: what is behind waits.
            let mut waiting = vec![items];
            let mut failed = None;
            while let Some(items) = waiting.pop() {
                let error = match patiently(&f, &items).await {
                    Ok(results) if results.len() == items.len() => {
                        let pairs = items.into_iter().zip(results);
                        out.emit_all(pairs.map(|(item, result)| Done::ok(item, result))).await;
                        continue;
                    }
                    Ok(results) => {
                        format!("it gave {} results for {} items", results.len(), items.len()).into()
                    }
                    Err(error) => error,
                };
                let mut items = items;
                if items.len() > 1 {
                    let right = items.split_off(items.len() / 2);
                    waiting.push(right);
                    waiting.push(items);
                } else if let Some(item) = items.pop() {
                    out.emit(Done::failed(item, error.to_string())).await;
                    failed = Some(error);
                }
            }
            failed.map_or(Ok(()), Err)
        }
        .boxed()
    }
}

/// What comes of a list, once it can be worked on.
async fn patiently<D, R, F, E>(f: &impl Fn(&[D]) -> F, items: &[D]) -> Result<Vec<R>, BoxError>
where
    F: Future<Output = Result<Vec<R>, E>>,
    E: Into<BoxError>,
{
    let backoff = Backoff::exponential(Duration::from_millis(20), Duration::from_secs(1));
    let mut failures = 0;
    loop {
        let work = AssertUnwindSafe(async { f(items).await.map_err(Into::into) }).catch_unwind();
        match flat(work.await) {
            Err(error) if error.is::<NotNow>() => {
                if failures == 0 {
                    tracing::warn!(%error, items = items.len(), "a list cannot be worked on now; it is tried again");
                }
                sleep(backoff.wait(failures).unwrap_or_default()).await;
                failures += 1;
            }
            done => return done,
        }
    }
}
