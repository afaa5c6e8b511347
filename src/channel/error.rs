//! What can go wrong on a channel.

use super::{ChannelName, RemoteError};
use std::fmt;
use std::sync::Arc;

/// What a channel tells besides items. In a [`ChannelSource`](super::ChannelSource) it stands in its place among the
/// items, and the stream goes on.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The publisher sent an error instead of an item.
    #[error("{channel} reported: {error}")]
    Remote {
        /// Where it was published.
        channel: ChannelName,
        /// What the publisher says.
        error: RemoteError,
    },
    /// A payload is no item of the asked type. It is left out, the stream goes on.
    #[error("reading a payload of {channel} as {type_name}: {reason}; it began with {beginning:?}")]
    Decode {
        /// Where it was published.
        channel: ChannelName,
        /// The Rust type that was asked for.
        type_name: &'static str,
        /// What is wrong with it.
        reason: String,
        /// Its first bytes.
        beginning: String,
    },
    /// Items were lost here: the publisher dropped them, the connection did, or the subscriber was too slow.
    #[error("{count} items of {} were lost", .channel.as_ref().map_or("the subscription", ChannelName::as_str))]
    Missed {
        /// The channel, if the loss can be told apart.
        channel: Option<ChannelName>,
        /// How many.
        count: u64,
    },
    /// The backend was out of reach for a while; items may have been lost here.
    #[error("the subscription was interrupted; items may have been lost")]
    Interrupted,
    /// The sink has been closed: its completion is published. Make another sink to go on.
    #[error("publishing on {channel}: the sink is closed")]
    Closed {
        /// Its channel.
        channel: ChannelName,
    },
    /// An item cannot be written, as serde says. A retry does not help.
    #[error("publishing a {type_name} on {channel}")]
    Encode {
        /// Where it was to be published.
        channel: ChannelName,
        /// The Rust type of the item.
        type_name: &'static str,
        /// Why serde refuses it.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The backend cannot be reached at the moment. A retry may help.
    #[error("reaching the backend for {topic}")]
    Unavailable {
        /// What was to be published or subscribed to.
        topic: String,
        /// What the connection said.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The backend refuses (rights, size, memory). A retry does not help until that is mended.
    #[error("the backend refuses {topic}")]
    Refused {
        /// What was to be published or subscribed to.
        topic: String,
        /// Its reason.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Whether doing the same again can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    pub(super) fn decode<T>(channel: &ChannelName, payload: &[u8], reason: impl fmt::Display) -> Self {
        let beginning = payload.get(..payload.len().min(SHOWN)).unwrap_or_default();
        Self::Decode {
            channel: channel.clone(),
            type_name: std::any::type_name::<T>(),
            reason: reason.to_string(),
            beginning: String::from_utf8_lossy(beginning).into_owned(),
        }
    }
}

/// How much of a payload that cannot be read an error shows, in bytes.
const SHOWN: usize = 60;

impl PartialEq for Error {
    /// By what they say; sources are compared as text.
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
            && std::mem::discriminant(self) == std::mem::discriminant(other)
            && source(self) == source(other)
    }
}

fn source(error: &Error) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}
