//! What a client has said and waits for, whether it is connected or not.

use super::failure::Failure;
use super::frame;
use super::message::{Heard, Request, ToOwner};
use crate::channel::DeliverySender;
use crate::knowledge::{ChangeSender, Key, Notice, Pop, Popped};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, oneshot};

/// How much may wait to be sent before callers have to wait, in bytes.
const LIMIT: usize = 4 << 20;

/// Numbers calls and brings answers to those who asked.
#[derive(Debug)]
pub(super) struct Link {
    next: AtomicU64,
    state: Mutex<State>,
    /// For the driver: there is something to send.
    more: Notify,
    /// For callers: there is room again.
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Why nothing can be asked at the moment; `None` while connected.
    down: Option<Arc<str>>,
    outgoing: Vec<u8>,
    waiting: HashMap<u64, Waiting>,
    following: HashMap<u64, Following>,
}

#[derive(Debug)]
enum Waiting {
    /// A caller, and what it takes if it takes an item.
    Caller(oneshot::Sender<Result<Box<RawValue>, Failure>>, Option<(Key, Pop)>),
    /// It wanted to take an item from there and is gone.
    GoneTaker(Key, Pop),
}

/// What goes on until it is cancelled, also with the next owner.
#[derive(Debug)]
pub(super) struct Following {
    pub(super) request: Request,
    pub(super) sink: Arc<Sink>,
}

/// Where items go.
#[derive(Debug)]
pub(super) enum Sink {
    Changes(ChangeSender),
    Payloads(DeliverySender),
}

/// For callers.
impl Link {
    pub(super) fn new() -> Self {
        Self { next: AtomicU64::new(1), state: Mutex::default(), more: Notify::new(), room: Notify::new() }
    }

    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks the owner; items of what goes on go into the sink of `following`, with this owner and those after it.
    ///
    /// # Cancel safety
    /// Dropping it leaves open whether it happens, but takes no item.
    pub(super) async fn call<T: DeserializeOwned>(
        self: Arc<Self>,
        number: u64,
        request: Request,
        following: Option<Following>,
    ) -> Result<T, Failure> {
        let taker = if let Request::Pop(key, from) = &request { Some((key.clone(), *from)) } else { None };
        let call = ToOwner::Call(number, request);
        let frame = frame::encode(&call).map_err(|too_long| Failure::Refused(too_long.to_string()))?;
        drop(call);
        let mut call = self.begin(number, &frame, taker, following).await?;
        drop(frame);
        let answer = match (&mut call.answer).await {
            Ok(answer) => answer?,
            Err(_) => return Err(Failure::Unavailable("the connection is closed".to_owned())),
        };
        call.link = None;
        let answer: Result<T, Failure> = serde_json::from_str(answer.get())
            .map_err(|error| Failure::Refused(format!("the owner's answer cannot be read: {error}")))?;
        answer
    }

    /// Sends the frame as soon as there is room.
    async fn begin(
        self: Arc<Self>,
        number: u64,
        frame: &[u8],
        taker: Option<(Key, Pop)>,
        mut following: Option<Following>,
    ) -> Result<Call, Failure> {
        loop {
            let notified = self.room.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            {
                let mut state = self.state.lock();
                if let Some(why) = &state.down {
                    return Err(Failure::NotDone(why.to_string()));
                }
                if state.outgoing.len() < LIMIT {
                    let (sender, answer) = oneshot::channel();
                    state.outgoing.extend_from_slice(frame);
                    state.following.extend(following.take().map(|following| (number, following)));
                    state.waiting.insert(number, Waiting::Caller(sender, taker.clone()));
                    drop(state);
                    self.more.notify_one();
                    return Ok(Call { link: Some(self.clone()), number, answer, taker });
                }
            }
            notified.await;
        }
    }

    /// Nobody wants further items of this call.
    pub(super) fn cancel(&self, number: u64) {
        let mut state = self.state.lock();
        let following = state.following.remove(&number);
        self.tell(&mut state, &ToOwner::Cancel(number));
        drop(state);
        drop(following);
    }

    /// Sends what nobody waits for; that there is room for it is not asked, since there is as much of it as there are
    /// calls. Nothing while there is no connection: then the owner has forgotten the calls.
    fn tell(&self, state: &mut State, message: &ToOwner) -> bool {
        let Ok(frame) = frame::encode(message) else { return false };
        if state.down.is_some() {
            return false;
        }
        state.outgoing.extend(frame);
        self.more.notify_one();
        true
    }

    fn put_back(&self, key: Key, from: Pop, popped: Popped) {
        let named = key.clone();
        let call = ToOwner::Call(self.number(), Request::PutBack(key, from, popped));
        if !self.tell(&mut self.state.lock(), &call) {
            tracing::warn!(key = %named, "an item was taken, but its taker and the owner are gone: it is lost");
        }
    }
}

/// For the driver.
impl Link {
    /// There is a connection again; whatever goes on begins again.
    pub(super) fn up(&self) {
        let mut state = self.state.lock();
        state.down = None;
        let again = state.following.iter().map(|(number, f)| ToOwner::Call(*number, f.request.clone()));
        for call in again.collect::<Vec<_>>() {
            self.tell(&mut state, &call);
        }
    }

    /// The owner has said goodbye: what it has not answered, it has not done.
    pub(super) fn left(&self) {
        let why = "the owner of the directory ended before";
        let waiting = self.stop(why);
        for waiting in waiting.into_values() {
            if let Waiting::Caller(caller, _) = waiting {
                let _ = caller.send(Err(Failure::NotDone(why.to_owned())));
            }
        }
    }

    /// Nothing can be asked any more; who waits for an answer.
    fn stop(&self, why: &str) -> HashMap<u64, Waiting> {
        let mut state = self.state.lock();
        state.down = Some(why.into());
        state.outgoing = Vec::new();
        mem::take(&mut state.waiting)
    }

    /// The connection is gone: everyone who waits is told.
    pub(super) fn down(&self, why: &str) {
        let waiting = self.stop(why);
        for waiting in waiting.into_values() {
            if let Waiting::Caller(caller, _) = waiting {
                let _ = caller.send(Err(Failure::Unavailable(why.to_owned())));
            }
        }
        let sinks: Vec<_> = self.state.lock().following.values().map(|f| f.sink.clone()).collect();
        for sink in sinks {
            sink.interrupted();
        }
        self.room.notify_waiters();
    }

    /// There is no connection any more, and will be none.
    pub(super) fn close(&self) {
        let following = mem::take(&mut self.state.lock().following);
        // They end, without having been interrupted.
        drop(following);
        self.down("the backend is closed");
    }

    /// Waits for something to send.
    pub(super) async fn outgoing(&self) -> Vec<u8> {
        loop {
            let bytes = mem::take(&mut self.state.lock().outgoing);
            if !bytes.is_empty() {
                self.room.notify_waiters();
                return bytes;
            }
            self.more.notified().await;
        }
    }

    pub(super) fn answered(&self, number: u64, answer: Box<RawValue>) {
        let mut state = self.state.lock();
        let (answer, taker) = match state.waiting.remove(&number) {
            Some(Waiting::Caller(caller, taker)) => {
                // Not while locked: who is woken may do anything, also cancel its call.
                drop(state);
                match (caller.send(Ok(answer)), taker) {
                    (Err(Ok(answer)), Some(taker)) => (answer, taker),
                    _ => return,
                }
            }
            Some(Waiting::GoneTaker(key, from)) => {
                drop(state);
                (answer, (key, from))
            }
            None => {
                // Of what goes on with a new owner.
                if let Ok(Err(failure)) = serde_json::from_str::<Result<(), Failure>>(answer.get()) {
                    tracing::warn!(?failure, "the new owner does not go on with what the former one did");
                    let following = state.following.remove(&number);
                    drop(state);
                    drop(following);
                }
                return;
            }
        };
        self.item_came_too_late(&answer, taker);
    }

    fn item_came_too_late(&self, answer: &RawValue, (key, from): (Key, Pop)) {
        if let Ok(Ok(popped)) = serde_json::from_str::<Result<Popped, Failure>>(answer.get()) {
            self.put_back(key, from, popped);
        }
    }

    pub(super) fn sink(&self, number: u64) -> Option<Arc<Sink>> {
        self.state.lock().following.get(&number).map(|following| following.sink.clone())
    }

    /// Nothing more comes for this call.
    pub(super) fn ended(&self, number: u64) {
        let mut state = self.state.lock();
        let gone = (state.waiting.remove(&number), state.following.remove(&number));
        drop(state);
        drop(gone);
    }
}

impl Sink {
    /// Hands over an item as it came.
    pub(super) fn send(&self, item: &str) -> serde_json::Result<()> {
        match self {
            Self::Changes(sender) => match serde_json::from_str(item)? {
                Notice::Change(change) => sender.send(&change),
                Notice::Missed(count) => sender.missed(count),
                Notice::Interrupted => sender.interrupted(),
            },
            Self::Payloads(sender) => match serde_json::from_str(item)? {
                Heard::Payload(channel, payload) => {
                    // That nobody takes it any more is told by cancelling.
                    let _ = sender.send(&channel, &payload.as_slice().into());
                }
                Heard::Missed(count) => sender.missed(count),
                Heard::Interrupted => sender.interrupted(),
            },
        }
        Ok(())
    }

    fn interrupted(&self) {
        match self {
            Self::Changes(sender) => sender.interrupted(),
            Self::Payloads(sender) => sender.interrupted(),
        }
    }
}

/// A call that is under way; dropping it cancels it.
struct Call {
    /// `None` once it is answered.
    link: Option<Arc<Link>>,
    number: u64,
    answer: oneshot::Receiver<Result<Box<RawValue>, Failure>>,
    taker: Option<(Key, Pop)>,
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some(link) = self.link.take() else { return };
        let mut state = link.state.lock();
        if let Some(waiting) = state.waiting.remove(&self.number) {
            if let Some((key, from)) = self.taker.take() {
                // Its item may be under way.
                state.waiting.insert(self.number, Waiting::GoneTaker(key, from));
            }
            link.tell(&mut state, &ToOwner::Cancel(self.number));
            drop(state);
            drop(waiting);
            return;
        }
        drop(state);
        // It has been answered, and nobody has looked.
        self.answer.close();
        if let (Ok(Ok(answer)), Some(taker)) = (self.answer.try_recv(), self.taker.take()) {
            link.item_came_too_late(&answer, taker);
        }
    }
}
