//! Items that know where they come from and where they have been.

use super::function::{Each, Pipe};
use super::site::Site;
use super::{Builder, Complete, ElementPath, Item, Out};
use crate::stream::trace::{self, Parent, Span, SpanKind, TraceContext};
use futures::Stream;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
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
/// Its `trace` is one of W3C Trace Context: each step is a span whose parent is the step before, also in other processes
/// ([`context`](Self::context)).
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
#[derive(Clone)]
pub struct Message<T> {
    value: T,
    src: Option<ElementPath>,
    dst: Option<Arc<str>>,
    hops: Arc<Vec<Hop>>,
    at: SystemTime,
    id: Arc<str>,
    trace: Arc<str>,
    /// The last span of its way, of its trace.
    span: Option<TraceContext>,
}

impl<T> Message<T> {
    /// A message of now, with an id of its own that is also its trace; made as a part of something that is traced
    /// ([`TraceContext::current`]), it belongs to that.
    #[must_use]
    pub fn new(value: T) -> Self {
        let id: Arc<str> = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)).into();
        let at = crate::stream::clock::now();
        let message =
            Self { value, src: None, dst: None, hops: Arc::default(), at, trace: id.clone(), id, span: None };
        match TraceContext::current() {
            Some(context) => message.traced_by(&context),
            None => message,
        }
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
        self.span.clone_from(&cause.span);
        self
    }

    /// The same message as a part of this trace: what it goes through next is a span behind it.
    #[must_use]
    pub fn traced_by(mut self, context: &TraceContext) -> Self {
        self.trace = context.trace_id().into();
        self.span = Some(context.clone());
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

    /// Its trace with the last span of its way, for whoever goes on with it; nothing as long as nobody has traced it.
    #[must_use]
    pub fn context(&self) -> Option<&TraceContext> {
        self.span.as_ref()
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
        let step = self.step(through);
        self.stepped(through, value, &step)
    }

    /// The span of a step through an element.
    fn step(&self, through: &ElementPath) -> Span {
        let parent = match &self.span {
            Some(span) => Parent::Span(span.clone()),
            None if !trace::is_wanted() => return Span::none(),
            None => match trace::id(&self.trace) {
                Some(trace) => Parent::Trace(trace),
                // It was made elsewhere, and is in no trace that could be shown.
                None => return Span::none(),
            },
        };
        Span::begin(SpanKind::Internal, format_args!("{through}"), parent).with("element", through)
    }

    fn stepped<U>(&self, through: &ElementPath, value: U, step: &Span) -> Message<U> {
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
            span: step.context().cloned(),
        }
    }
}

impl<T: Item, S> Builder<Message<T>, S>
where
    S: Stream<Item = Message<T>> + Send + 'static,
{
    /// A function over the values of messages: every result goes on as the same message, one hop further. If messages are
    /// traced, the call of the function is a span of the message's trace.
    pub fn map_message<U: Item>(
        self,
        mut f: impl FnMut(&T) -> U + Send + 'static,
    ) -> Complete<Message<T>, impl Pipe<Item = Message<U>>> {
        let here = Arc::new(OnceLock::<Weak<Site>>::new());
        let through = here.clone();
        let function = move |message: Message<T>, out: &mut Out<Message<U>>| {
            let path = through.get().and_then(Weak::upgrade).map(|site| site.path());
            let path = path.unwrap_or_else(|| ElementPath::new("", ""));
            let step = message.step(&path);
            let value = step.run(|| f(message.value()));
            out.emit(message.stepped(&path, value, &step));
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

/// A message as it is written.
#[derive(Serialize)]
struct Written<'m, T> {
    value: &'m T,
    src: &'m Option<ElementPath>,
    dst: &'m Option<Arc<str>>,
    hops: &'m [Hop],
    #[serde(with = "rfc3339")]
    at: SystemTime,
    id: &'m str,
    trace: &'m str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'m TraceContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracestate: Option<&'m str>,
}

/// A message as it is read: who knows nothing of traces leaves them out.
#[derive(Deserialize)]
struct Read<T> {
    value: T,
    src: Option<ElementPath>,
    dst: Option<Arc<str>>,
    hops: Vec<Hop>,
    #[serde(with = "rfc3339")]
    at: SystemTime,
    id: Arc<str>,
    trace: Option<Arc<str>>,
    #[serde(default)]
    traceparent: Option<String>,
    #[serde(default)]
    tracestate: Option<String>,
}

/// With its `traceparent` and `tracestate`, if it was traced; a sink to which it is given learns of them.
impl<T: Serialize> Serialize for Message<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        trace::carry(|| self.span.clone());
        Written {
            value: &self.value,
            src: &self.src,
            dst: &self.dst,
            hops: &self.hops,
            at: self.at,
            id: &self.id,
            trace: &self.trace,
            traceparent: self.span.as_ref(),
            tracestate: self.span.as_ref().and_then(TraceContext::state),
        }
        .serialize(to)
    }
}

/// What brings it, such as a request, is the step before; a message without a trace takes over that one's.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Message<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Read { value, src, dst, hops, at, id, trace, traceparent, tracestate } = Read::deserialize(from)?;
        let brought = TraceContext::current();
        let own = traceparent.and_then(|parent| TraceContext::parse(&parent, tracestate.as_deref()));
        let (trace, span) = match trace {
            Some(trace) => {
                let is_of = |context: &TraceContext| context.is_of(&trace);
                let span = brought.filter(is_of).or_else(|| own.filter(is_of));
                (trace, span)
            }
            None => match brought.or(own) {
                Some(context) => (context.trace_id().into(), Some(context)),
                None => (id.clone(), None),
            },
        };
        Ok(Self { value, src, dst, hops: Arc::new(hops), at, id, trace, span })
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
