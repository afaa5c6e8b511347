//! Items that know where they come from and where they have been.

use super::function::{Each, Pipe};
use super::site::Site;
use super::{Builder, Complete, ElementPath, Item, Out};
use futures::Stream;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::SystemTime;

/// One step on a message's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// The element it went through.
    pub element: ElementPath,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: SystemTime,
}

/// An item with its source, destination, way, time and identity.
///
/// It never changes: each step makes a new message that shares the way so far, so branches of a fan-out don't see each
/// other's hops. `id` and `trace` stay the same on every branch; `id` names the message, `trace` what it was caused by.
///
/// Source: PyMAPE's `Message(value, src, dst, hops, timestamp)`, where parallel branches count on one object.
///
/// ```
/// use mape::element::{ElementPath, Message};
///
/// let message = Message::new(42).from(&ElementPath::new("car", "detect")).to("ambulance.policy");
/// let left = message.hop(&ElementPath::new("car", "left"));
/// let right = message.hop(&ElementPath::new("car", "right"));
/// assert_eq!((left.hops().len(), right.hops().len()), (1, 1));
/// assert_eq!(left.id(), right.id());
/// assert_eq!(*left.value(), 42);
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct Message<T> {
    value: T,
    src: Option<ElementPath>,
    dst: Option<Arc<str>>,
    hops: Arc<Vec<Hop>>,
    #[serde(with = "rfc3339")]
    at: SystemTime,
    id: Arc<str>,
    trace: Arc<str>,
}

impl<T> Message<T> {
    /// A message of now, with an id of its own that is also its trace.
    #[must_use]
    pub fn new(value: T) -> Self {
        let id: Arc<str> = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)).into();
        let at = crate::stream::clock::now();
        Self { value, src: None, dst: None, hops: Arc::default(), at, trace: id.clone(), id }
    }

    /// The same message with its source.
    #[must_use]
    pub fn from(mut self, src: &ElementPath) -> Self {
        self.src = Some(src.clone());
        self
    }

    /// The same message with its destination: `loop.element` or `level.loop.element`.
    #[must_use]
    pub fn to(mut self, dst: &str) -> Self {
        self.dst = Some(dst.into());
        self
    }

    /// The same message caused by another one: it takes over that one's trace.
    #[must_use]
    pub fn caused_by<U>(mut self, cause: &Message<U>) -> Self {
        self.trace = cause.trace.clone();
        self
    }

    /// The same message with the time of what it tells of, instead of the time it was made.
    #[must_use]
    pub fn at(mut self, at: SystemTime) -> Self {
        self.at = at;
        self
    }

    /// What it carries.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// What it carries, by value.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The element it comes from, if it says so.
    #[must_use]
    pub fn src(&self) -> Option<&ElementPath> {
        self.src.as_ref()
    }

    /// The path it is meant for, if it says so.
    #[must_use]
    pub fn dst(&self) -> Option<&str> {
        self.dst.as_deref()
    }

    /// The elements it went through, the first one first.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// When it was made, or the time of what it tells of.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        self.at
    }

    /// What names this message: 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of the message that started it all: 32 hexadecimal digits.
    #[must_use]
    pub fn trace(&self) -> &str {
        &self.trace
    }

    /// The message after one more step.
    #[must_use]
    pub fn hop(&self, through: &ElementPath) -> Self
    where
        T: Clone,
    {
        self.hop_with(through, self.value.clone())
    }

    /// The message after one more step, with another value.
    #[must_use]
    pub fn hop_with<U>(&self, through: &ElementPath, value: U) -> Message<U> {
        let mut hops = Vec::with_capacity(self.hops.len() + 1);
        hops.extend_from_slice(&self.hops);
        hops.push(Hop { element: through.clone(), at: crate::stream::clock::now() });
        Message {
            value,
            src: self.src.clone(),
            dst: self.dst.clone(),
            hops: Arc::new(hops),
            at: self.at,
            id: self.id.clone(),
            trace: self.trace.clone(),
        }
    }
}

impl<T: Item, S> Builder<Message<T>, S>
where
    S: Stream<Item = Message<T>> + Send + 'static,
{
    /// A function over the values of messages: every result goes on as the same message, one hop further.
    pub fn map_message<U: Item>(
        self,
        mut f: impl FnMut(&T) -> U + Send + 'static,
    ) -> Complete<Message<T>, impl Pipe<Item = Message<U>>> {
        let here = Arc::new(OnceLock::<Weak<Site>>::new());
        let through = here.clone();
        let function = move |message: Message<T>, out: &mut Out<Message<U>>| {
            let path = through.get().and_then(Weak::upgrade).map(|site| site.path());
            let value = f(message.value());
            out.emit(message.hop_with(&path.unwrap_or_else(|| ElementPath::new("", "")), value));
        };
        self.with(function, move |s, f, site| {
            here.get_or_init(|| Arc::downgrade(&site));
            Each::new(s, f, site)
        })
    }
}

impl<T: PartialEq> PartialEq for Message<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.value == other.value && self.hops == other.hops && self.dst == other.dst
    }
}

impl<T: Item + fmt::Debug> fmt::Debug for Message<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("value", &self.value)
            .field("src", &self.src)
            .field("dst", &self.dst)
            .field("hops", &self.hops.iter().map(|h| h.element.as_str()).collect::<Vec<_>>())
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Points in time as text.
mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};
    use std::time::SystemTime;

    pub(super) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        let stamp = jiff::Timestamp::try_from(*time).map_err(ser::Error::custom)?;
        to.collect_str(&stamp)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(from)?;
        let stamp: jiff::Timestamp = text.parse().map_err(de::Error::custom)?;
        Ok(stamp.into())
    }
}
