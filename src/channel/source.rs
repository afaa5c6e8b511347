//! A stream of what is published.

use super::envelope::{Envelope, EnvelopeKind, RemoteError, traced};
use super::{ChannelName, Delivery, Error, Incoming, Subscription, metered};
use crate::stream::Notification;
use crate::stream::meter::Meter;
use crate::stream::trace::{Parent, Span, SpanKind, TraceContext};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

/// The merged items of every publisher on some channels, a [`Stream`] of `Result<T, Error>`.
///
/// An error stands in its place and the stream goes on: what a publisher reported ([`Error::Remote`]), a payload that is
/// no `T` ([`Error::Decode`]), a loss ([`Error::Missed`]), an outage ([`Error::Interrupted`]). That one publisher
/// completes does not end the stream, for others may publish; [`received`](Self::received) shows it. It ends when the
/// backend is closed.
///
/// Source: `SubObservable` of `PyMAPE`.
///
/// # Delivery
///
/// At most once. A loss is told as soon as the next item of that publisher arrives. An item that arrives a second time
/// because its publisher tried again is left out and counted.
#[doc(alias = "SubObservable")]
pub struct ChannelSource<T> {
    subscription: Subscription,
    bare: bool,
    /// The last `seq` of each publisher's start and channel.
    last: HashMap<(ChannelName, u64), u64>,
    ready: VecDeque<Received<T>>,
    stats: SourceStats,
}

/// One thing that came through a channel, with where it comes from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Received<T> {
    /// The channel; `None` for what concerns the whole subscription.
    pub channel: Option<ChannelName>,
    /// Its publisher; `None` for bare payloads, losses and what could not be read.
    pub origin: Option<Origin>,
    /// The item, the error, or that this publisher has ended.
    pub notification: Notification<T, Error>,
}

/// The publisher of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// Who it is: an element's path or the channel's name.
    pub src: String,
    /// Which of its starts; random.
    pub epoch: u64,
    /// The item's number since then, from 1.
    pub seq: u64,
    /// When it was published, if it says so.
    pub at: Option<SystemTime>,
    /// The trace to which it belongs, if it says so.
    pub trace: Option<String>,
    /// The span of its arrival, or of its publication if that is not recorded, for whoever goes on with it; nothing if it is
    /// in no trace.
    pub context: Option<TraceContext>,
}

/// How many publishers' places are kept; beyond, all are forgotten and a loss may go unnoticed.
const PUBLISHERS: usize = 65_536;

impl<T: DeserializeOwned> ChannelSource<T> {
    pub(super) fn new(subscription: Subscription, topics: &str) -> Self {
        let (last, stats) = (HashMap::new(), SourceStats(Meter::new(&metered::SOURCE, topics)));
        Self { subscription, bare: false, last, ready: VecDeque::new(), stats }
    }

    /// Reads plain JSON values, as foreign programs publish them: no completion, and of losses only the own ones show.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// The items with their channel and origin, and the completions.
    pub fn received(mut self) -> impl Stream<Item = Received<T>> + use<T> {
        stream::poll_fn(move |cx| self.poll_received(cx))
    }

    /// Only the items; everything else is counted in [`stats`](Self::stats).
    pub fn values(self) -> impl Stream<Item = T> + use<T> {
        self.filter_map(|item| std::future::ready(item.ok()))
    }

    /// Its counters, which go on counting.
    #[must_use]
    pub fn stats(&self) -> SourceStats {
        self.stats.clone()
    }

    fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Option<Received<T>>> {
        loop {
            if let Some(received) = self.ready.pop_front() {
                self.stats.count(&received);
                return Poll::Ready(Some(received));
            }
            match self.subscription.poll_next_unpin(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(incoming)) => self.take(incoming),
            }
        }
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Delivery(Delivery { channel, payload }) if self.bare => {
                let notification = match serde_json::from_slice(&payload) {
                    Ok(item) => Notification::Next(item),
                    Err(error) => Notification::Error(Error::decode::<T>(&channel, &payload, error)),
                };
                self.ready.push_back(Received { channel: Some(channel), origin: None, notification });
            }
            Incoming::Delivery(Delivery { channel, payload }) => match open_traced(&channel, &payload) {
                Ok((origin, notification)) => {
                    if self.in_order(&channel, &origin) {
                        let (channel, origin) = (Some(channel), Some(origin));
                        self.ready.push_back(Received { channel, origin, notification });
                    }
                }
                Err(error) => self.problem(Some(channel), error),
            },
            // With envelopes the gaps in the numbering tell, and of whom.
            Incoming::Missed(_) if !self.bare => {}
            Incoming::Missed(count) => self.problem(None, Error::Missed { channel: None, count }),
            Incoming::Interrupted => self.problem(None, Error::Interrupted),
        }
    }

    /// Whether the item is new; reports those missing before it.
    fn in_order(&mut self, channel: &ChannelName, origin: &Origin) -> bool {
        // Who does not number its items, cannot be checked.
        if origin.seq == 0 {
            return true;
        }
        if self.last.len() >= PUBLISHERS {
            self.last.clear();
        }
        let Some(last) = self.last.insert((channel.clone(), origin.epoch), origin.seq) else { return true };
        if origin.seq <= last {
            self.last.insert((channel.clone(), origin.epoch), last);
            self.stats.0.add(metered::REPEATED, 1);
            return false;
        }
        let count = origin.seq - last - 1;
        if count > 0 {
            let missed = Error::Missed { channel: Some(channel.clone()), count };
            self.problem(Some(channel.clone()), missed);
        }
        true
    }

    fn problem(&mut self, channel: Option<ChannelName>, error: Error) {
        self.ready.push_back(Received { channel, origin: None, notification: Notification::Error(error) });
    }
}

type Opened<T> = Result<(Origin, Notification<T, Error>), Error>;

/// Takes an item out of its envelope, as a part of the trace that this belongs to.
fn open_traced<T: DeserializeOwned>(channel: &ChannelName, payload: &[u8]) -> Opened<T> {
    let Some(context) = traced(payload) else { return open(channel, payload) };
    let name = format_args!("receive {channel}");
    let span = Span::begin(SpanKind::Consumer, name, Parent::Span(context));
    span.note("messaging.destination.name", channel);
    span.run(|| open(channel, payload))
}

/// Takes an item out of its envelope.
fn open<T: DeserializeOwned>(channel: &ChannelName, payload: &[u8]) -> Opened<T> {
    let refused = |reason: serde_json::Error| Error::decode::<T>(channel, payload, reason);
    let context = TraceContext::current;
    // Nearly all are items; what is none, or none of this type, is looked at again.
    if let Ok(Envelope { kind: EnvelopeKind::Next, value: Some(item), src, epoch, seq, at, trace, .. }) =
        serde_json::from_slice::<Envelope<T>>(payload)
    {
        return Ok((Origin { src, epoch, seq, at, trace, context: context() }, Notification::Next(item)));
    }
    let Envelope { kind, value, src, epoch, seq, at, trace, .. } =
        serde_json::from_slice::<Envelope<serde_json::Value>>(payload).map_err(refused)?;
    let value = value.unwrap_or_default();
    let notification = match kind {
        EnvelopeKind::Next => match T::deserialize(value) {
            Ok(item) => Notification::Next(item),
            // It has its place in the numbering all the same.
            Err(error) => Notification::Error(refused(error)),
        },
        EnvelopeKind::Error => {
            let error =
                RemoteError::deserialize(&value).unwrap_or_else(|_| RemoteError::new(value.to_string()));
            Notification::Error(Error::Remote { channel: channel.clone(), error })
        }
        EnvelopeKind::Completed => Notification::Completed,
    };
    Ok((Origin { src, epoch, seq, at, trace, context: context() }, notification))
}

impl<T> Unpin for ChannelSource<T> {}

impl<T: DeserializeOwned> Stream for ChannelSource<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match std::task::ready!(self.poll_received(cx)) {
                None => None,
                Some(Received { notification: Notification::Next(item), .. }) => Some(Ok(item)),
                Some(Received { notification: Notification::Error(error), .. }) => Some(Err(error)),
                Some(Received { notification: Notification::Completed, .. }) => continue,
            });
        }
    }
}

impl<T> fmt::Debug for ChannelSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelSource")
            .field("subscription", &self.subscription)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// The counters of a [`ChannelSource`]; clones show the same.
#[derive(Clone, Debug)]
pub struct SourceStats(Arc<Meter>);

impl SourceStats {
    fn count<T>(&self, received: &Received<T>) {
        let (counter, by) = match &received.notification {
            Notification::Next(_) => (metered::ITEMS, 1),
            Notification::Completed => (metered::COMPLETED, 1),
            Notification::Error(Error::Missed { count, .. }) => (metered::MISSED, *count),
            Notification::Error(Error::Decode { .. }) => (metered::UNDECODABLE, 1),
            Notification::Error(_) => (metered::ERRORS, 1),
        };
        self.0.add(counter, by);
    }

    /// Items that came.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.0.counter(metered::ITEMS)
    }

    /// Errors that publishers reported, and interruptions.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.0.counter(metered::ERRORS)
    }

    /// Payloads that could not be read.
    #[must_use]
    pub fn undecodable(&self) -> u64 {
        self.0.counter(metered::UNDECODABLE)
    }

    /// Items known to be lost.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.0.counter(metered::MISSED)
    }

    /// Items that came again and were left out.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.0.counter(metered::REPEATED)
    }

    /// Publishers that completed.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.0.counter(metered::COMPLETED)
    }
}
