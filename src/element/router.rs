//! Sending messages to where they say they want to go.

use super::in_port::InPort;
use super::{AnyElement, Builder, Complete, Emitter, Item, Message};
use std::sync::Arc;

/// Why a message could not be sent on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDestination {
    /// It names none.
    #[error("the message names no destination: give it one by `Message::to`")]
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
pub trait Destinations: Send + Sync {
    /// The element at a path.
    ///
    /// # Errors
    /// [`NoDestination::Unknown`].
    fn destination(&self, dst: &str) -> Result<AnyElement, NoDestination>;
}

impl<T: Item> Builder<Message<T>, InPort<Message<T>>> {
    /// Sends every message to the element that its `dst` names, and passes it on to its own links too.
    ///
    /// A message that can't be delivered is an error of this element: the stream goes on, and the message is in the
    /// dead letters with the reason.
    ///
    /// Source: PyMAPE's `router` and `gateway`, where an unknown destination raises within the stream.
    pub fn route_by(
        self,
        directory: Arc<dyn Destinations>,
    ) -> Complete<Message<T>, impl super::function::Pipe<Item = Message<T>>> {
        self.each_async(move |message: Message<T>, out: Emitter<Message<T>>| {
            let directory = directory.clone();
            async move {
                deliver(&*directory, message.clone()).await?;
                out.emit(message).await;
                Ok::<(), NoDestination>(())
            }
        })
    }
}

async fn deliver<T: Item>(directory: &dyn Destinations, message: Message<T>) -> Result<(), NoDestination> {
    let dst = message.dst().ok_or(NoDestination::Unnamed)?.to_owned();
    let element = directory.destination(&dst)?;
    let port = element.in_port::<Message<T>>().map_err(|takes| NoDestination::OtherType {
        dst: dst.clone(),
        takes: takes.to_owned(),
        sent: std::any::type_name::<Message<T>>(),
    })?;
    let refused = |reason: String| NoDestination::Refused { dst: dst.clone(), reason };
    if !element.state().accepts_items() {
        return Err(refused(format!("it is {}", element.state())));
    }
    let queue = port.entry();
    queue.push_one(message).await.map_err(|_| refused("its port is closed".into()))
}
