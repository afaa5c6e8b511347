//! What is said on the socket.

use crate::channel::{ChannelName, Delivery, Incoming, Pattern, Topics};
use crate::event::{Consumer, Event, EventId, GroupName, LogName, Retention};
use crate::knowledge::{Command, Cursor, Data, Filter, Key, Pop, Popped, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;

/// Changes with everything that a former build would not understand.
pub(super) const PROTOCOL: u32 = 2;

/// From a client.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToOwner {
    /// Comes first.
    Hello { protocol: u32, name: String },
    /// Do this; the number is new.
    Call(u64, Request),
    /// Nobody waits for the answer, or for further items. Answered by [`FromOwner::End`].
    Cancel(u64),
}

/// From the owner; `T` is what an answer or item is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromOwner<T = Box<RawValue>> {
    /// Come in.
    Welcome { protocol: u32, version: String },
    /// Stay outside, for this reason.
    Refused(String),
    /// To a call: `Result<_, Failure>`.
    Answer(u64, T),
    /// Of what a call watches or subscribes to.
    Item(u64, T),
    /// Nothing more comes for this call.
    End(u64),
    /// The owner ends. What it has not answered by now it has not done.
    Goodbye,
}

/// What can be done: the methods of [`Store`](crate::knowledge::Store) and [`PubSub`](crate::channel::PubSub).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Request {
    Run(Key, Command),
    Pop(Key, Pop),
    /// An item that came when its taker was gone.
    PutBack(Key, Pop, Popped),
    Commit(Transaction),
    Scan(Pattern, Cursor),
    /// Items are notices.
    Watch(Filter),
    Publish(ChannelName, Vec<Data>),
    /// Items are [`Heard`].
    Subscribe(Topics),
    Log(LogRequest),
}

/// The methods of [`EventLog`](crate::event::EventLog).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum LogRequest {
    Append(LogName, Vec<Event>),
    Range(LogName, EventId, EventId, usize),
    Follow(LogName, EventId, usize),
    Info(LogName),
    Delete(LogName, Vec<EventId>),
    Trim(LogName, Retention),
    Remove(LogName),
    CreateGroup(LogName, GroupName, EventId),
    Seek(LogName, GroupName, EventId),
    RemoveGroup(LogName, GroupName),
    Read(Consumer, usize),
    Claim(Consumer, Duration, usize),
    Forgotten(Consumer, Vec<EventId>),
    SetIdle(Consumer, Vec<EventId>, Duration),
    Acknowledge(LogName, GroupName, Vec<EventId>),
    Settle(Consumer, EventId, Vec<(LogName, Event)>),
    Pending(LogName, GroupName, EventId, usize),
    Leave(Consumer),
    PutBack(Consumer, Vec<EventId>, Duration),
}

/// What a subscriber hears.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Heard {
    Payload(ChannelName, Data),
    Missed(u64),
    Interrupted,
}

impl From<Incoming> for Heard {
    fn from(incoming: Incoming) -> Self {
        match incoming {
            Incoming::Delivery(Delivery { channel, payload }) => Self::Payload(channel, payload[..].into()),
            Incoming::Missed(count) => Self::Missed(count),
            Incoming::Interrupted => Self::Interrupted,
        }
    }
}
