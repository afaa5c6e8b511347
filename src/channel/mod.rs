//! Publish and subscribe: streams between loops, programs and machines, by name and pattern.
//!
//! A [`ChannelSink`] publishes the items of a stream under a [`ChannelName`]; a [`ChannelSource`] is the merged stream
//! of everything published under some names or [`Pattern`]s. A backend carries it ([`PubSub`]); the same program runs
//! on any of them.
//!
//! ```
//! use futures::{SinkExt, StreamExt};
//! use mape::backend::Backend;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::channel::Error> {
//! let channels = Backend::memory().channels();
//!
//! let mut cars = channels.source::<f64>(["car_*.detect"]).await?;
//! let mut panda = channels.sink::<f64>("car_panda.detect");
//! panda.send(42.5).await?;
//! assert_eq!(cars.next().await, Some(Ok(42.5)));
//! # Ok(()) }
//! ```
//!
//! # Delivery
//!
//! At most once and best effort: who does not listen at the moment gets nothing, and a subscriber that is too slow loses
//! the oldest of what waits for it. Losses are noticed and told ([`Error::Missed`]). The items of one sink arrive in
//! order; those of several sinks in any. What must arrive belongs into the event log.

mod channels;
mod envelope;
mod error;
pub(crate) mod metered;
mod name;
mod pattern;
mod pubsub;
mod sink;
mod source;
mod subscription;

pub use channels::Channels;
pub use envelope::{Envelope, EnvelopeKind, RemoteError};
pub use error::Error;
pub use name::ChannelName;
pub use pattern::Pattern;
pub use pubsub::{Payload, PubSub, Topic, Topics};
pub use sink::{ChannelSignals, ChannelSink, SinkStats};
pub use source::{ChannelSource, Origin, Received, SourceStats};
pub use subscription::{Delivery, DeliverySender, Incoming, Subscription};
