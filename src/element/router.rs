//! Sending items to where they want to go.

use super::function::Pipe;
use super::in_port::InPort;
use super::{AnyElement, Builder, Complete, Emitter, Item};
use std::sync::Arc;

/// Why a message could not be sent on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDestination {
    /// It names none.
    #[error("it names no destination: give a message one by `Message::to`")]
    Unnamed,
    /// There is no such element.
    #[error("there is no element `{dst}`{}", if .near.is_empty() { String::new() } else { format!("; did you mean `{}`?", .near) })]
    Unknown {
        /// The destination.
        dst: String,
        /// The path most like it, or nothing.
        near: String,
    },
    /// The element takes other items.
    #[error("`{dst}` takes `{takes}`, not `{sent}`")]
    OtherType {
        /// The destination.
        dst: String,
        /// What it takes.
        takes: String,
        /// What was sent.
        sent: &'static str,
    },
    /// The element is not running or gone.
    #[error("`{dst}` did not take it: {reason}")]
    Refused {
        /// The destination.
        dst: String,
        /// Why.
        reason: String,
    },
}

/// Where destinations are looked up: an app is one.
pub(crate) trait Directory: Send + Sync {
    /// The element at a path, or why there is none.
    fn find(&self, path: &str) -> Result<AnyElement, NoDestination>;
}

impl<T: Item> Builder<T, InPort<T>> {
    /// Sends every item to the elements at the paths that `destinations` names, and passes it on to its own links too.
    ///
    /// An item that can't be delivered is an error of this element: the stream goes on, and the item is in the dead
    /// letters with the reason. Items are delivered one after the other: a destination that is full holds up the next.
    pub(crate) fn route<D>(
        self,
        directory: Arc<dyn Directory>,
        destinations: impl Fn(&T) -> D + Send + Sync + 'static,
    ) -> Complete<T, impl Pipe<Item = T>>
    where
        D: IntoIterator<Item: Into<String>>,
    {
        self.each_async(move |item: T, out: Emitter<T>| {
            let directory = directory.clone();
            let paths: Vec<String> = destinations(&item).into_iter().map(Into::into).collect();
            async move {
                if paths.is_empty() {
                    return Err(NoDestination::Unnamed);
                }
                let mut failed = Ok(());
                for path in paths {
                    failed = failed.and(deliver(&*directory, path, item.clone()).await);
                }
                failed?;
                out.emit(item).await;
                Ok(())
            }
        })
    }
}

async fn deliver<T: Item>(directory: &dyn Directory, dst: String, item: T) -> Result<(), NoDestination> {
    let element = directory.find(&dst)?;
    let port = element.in_port::<T>().map_err(|takes| NoDestination::OtherType {
        dst: dst.clone(),
        takes: takes.to_owned(),
        sent: std::any::type_name::<T>(),
    })?;
    let refused = |reason: String| NoDestination::Refused { dst: dst.clone(), reason };
    if !element.state().accepts_items() {
        return Err(refused(format!("it is {}", element.state())));
    }
    let queue = port.entry();
    queue.push_one(item).await.map_err(|_| refused("its port is closed".into()))
}
