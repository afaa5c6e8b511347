//! The function of an element that lets a model judge.

use super::{Error, Input, Models, RowError, Verdict};
use crate::element::{BoxError, Emitter};
use crate::queue::{Done, NotNow, divided};
use futures::future::BoxFuture;
use std::ops::Deref;
use std::sync::Arc;

/// What [`judging`] answers for an item.
pub type Judged<D> = Done<D, Result<Verdict, RowError>>;

/// The function of an element that lets a model judge lists of items: deliveries of a log, tasks of a queue.
///
/// `row` says what of an item the model is shown. Each item comes out with its verdict, or with what is wrong with its
/// row; [`Done::flatten`] makes that a failure of the item for whoever settles it. Verdicts are those of the version that
/// is live when a list comes.
///
/// A model runs one batch at a time, and has one more ready. With two lists in hand (`each_ordered(2, …)`) it need not wait:
/// while one runs, the rows of the next are put together, and the verdicts of the last go out.
///
/// No item is lost, and none is done twice, by a model that fails:
/// - a list on which the model fails, panics or is late is divided, and its halves are tried by themselves, down to single
///   items ([`batches`](crate::queue::batches)): what is good has its verdicts, and what is poisoned fails alone;
/// - while the model is busy, or there is none of that name, the list waits, and all that feeds the element waits for it.
///
/// ```
/// use mape::event::{Delivery, EventId};
/// use mape::infer::{Input, Models, Settings, judging};
/// use mape::prelude::*;
/// use mape::queue::{Answers, Done};
/// use serde::{Deserialize, Serialize};
/// use std::time::Duration;
///
/// #[derive(Serialize, Deserialize)]
/// struct Comment { words: Vec<f32> }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
/// let models = Models::new();
/// let classes = ["goodbye", "greeting", "hours", "interested", "opentoday", "payments", "thanks"];
/// let settings = Settings { classes: classes.map(String::from).to_vec(), threshold: 0.2, ..Settings::default() };
/// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models/mlp.onnx");
/// models.load("interests", None, file, settings).await?;
///
/// let app = App::new();
/// let (comments, verdicts) = (app.logs().log("comments"), app.logs().log("verdicts"));
/// let judge = app
///     .create_loop("comments")?
///     .analyze::<Delivery<Comment>>("judge")
///     .ops_in(|s| s.buffer_count_or_time(256, Duration::from_millis(10)))
///     .each_ordered(2, judging(&models, "interests", |comment: &Comment| Input::F32(&comment.words)))
///     .ops_out(|s| s.map(Done::flatten))
///     .spawn()?;
/// judge.link_sink(Answers::new(&verdicts, "verdict"), LinkOptions::new())?;
/// let source = comments.group("judges").source::<Comment>().await?;
/// judge.feed(source.filter_map(|delivery| async { delivery.ok() }));
///
/// comments.sink("comment").send(Comment { words: vec![1.0; 44] }).await?;
/// let verdict = std::pin::pin!(verdicts.follow(EventId::MIN)).next().await.unwrap()?.event?;
/// assert_eq!(verdict.get("model"), Some("interests".into()));
/// # Ok(()) }
/// ```
///
/// # Delivery
/// At least once: an item is acknowledged only with, or behind, its verdict.
pub fn judging<D, T, F>(
    models: &Models,
    name: &str,
    row: F,
) -> impl FnMut(Vec<D>, Emitter<Judged<D>>) -> BoxFuture<'static, Result<(), BoxError>> + Clone + Send + 'static
where
    D: Deref<Target = T> + Clone + Send + Sync + 'static,
    T: 'static,
    F: for<'a> Fn(&'a T) -> Input<'a> + Clone + Send + Sync + 'static,
{
    let (models, name) = (models.clone(), Arc::<str>::from(name));
    divided(move |items: &[D]| {
        let verdicts = models.judge(&name, items.iter().map(|item| row(item)));
        async move {
            verdicts.await.map_err(|error| -> BoxError {
                match error {
                    Error::Busy { .. } | Error::Thread { .. } | Error::UnknownModel { .. } => {
                        NotNow::new(error).into()
                    }
                    other => other.into(),
                }
            })
        }
    })
}
