//! Elements with state of their own.

use super::{BoxError, Emitter, Item};
use std::future::Future;

/// A stateful, asynchronous element: a struct with an `async fn`.
///
/// One call at a time, in the order of the items. State survives errors and panics of single items; after a panic it
/// is whatever the call left, so keep it consistent across `await`.
///
/// ```
/// use mape::prelude::*;
///
/// struct Counter {
///     seen: u64,
/// }
///
/// impl Handler for Counter {
///     type In = String;
///     type Out = u64;
///
///     async fn on_item(&mut self, _item: String, out: &Emitter<u64>) -> Result<(), BoxError> {
///         self.seen += 1;
///         out.emit(self.seen).await;
///         Ok(())
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let counter = app.create_loop("l")?.analyze("count").handler(Counter { seen: 0 }).spawn()?;
/// let mut counts = counter.subscribe();
/// counter.push("hello".to_owned()).await?;
/// assert_eq!(counts.next().await, Some(1));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `Handler`",
    label = "`{Self}` can't work on items",
    note = "implement `mape::element::Handler` for it; a closure goes to `each` or `each_async`"
)]
pub trait Handler: Send + 'static {
    /// What it takes.
    type In: Item;
    /// What it emits.
    type Out: Item;

    /// Works on one item; emits none to many results.
    ///
    /// # Errors
    /// Any error ends just this item; what happens then is said by the element's [`OnError`](super::OnError).
    ///
    /// # Cancel safety
    /// The call is dropped at an `await` when the element is disposed of.
    fn on_item(
        &mut self,
        item: Self::In,
        out: &Emitter<Self::Out>,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}
