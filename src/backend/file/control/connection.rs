//! One client, as its owner sees it.

use super::failure::Failure;
use super::frame;
use super::message::{FromOwner, Heard, LogRequest, PROTOCOL, Request, ToOwner};
use super::server::Served;
use crate::backend::embedded::MemoryStore;
use crate::channel::{Payload, PubSub};
use crate::event::EventLog;
use crate::knowledge::{Key, Pop, Popped, Store};
use crate::stream::Answer;
use futures::{Stream, StreamExt};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

/// How many calls of one client may wait for their answer, watching and subscribing included.
const RUNNING: usize = 4096;
/// How many answers may wait for a client that does not read them; then none of its calls go on.
const ANSWERS: usize = 256;
/// How long a client may take to say hello.
const HELLO: Duration = Duration::from_secs(5);
/// How long calls may go on that the owner has when it ends; those that wait for something to come are given up then.
const LAST_CALLS: Duration = Duration::from_millis(300);
/// How long a client may take to hear the last of its owner.
const FAREWELL: Duration = Duration::from_millis(500);

/// Serves a client until it goes, or the owner leaves.
pub(super) async fn serve(stream: UnixStream, served: Served, leave: watch::Receiver<bool>) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let name = match tokio::time::timeout(HELLO, hello(&mut reader)).await {
        Ok(Ok(name)) => name,
        Ok(Err(why)) => {
            tracing::warn!(why, "a client of the control socket is refused");
            if let Ok(frame) = frame::encode(&FromOwner::<()>::Refused(why)) {
                let _ = tokio::time::timeout(HELLO, writer.write_all(&frame)).await;
            }
            return;
        }
        Err(_) => return tracing::warn!("a client of the control socket said nothing"),
    };
    tracing::debug!(name, "a client came by the control socket");
    let (answers, mut queue) = mpsc::channel::<Vec<u8>>(ANSWERS);
    let (running, following) = (HashMap::new(), HashSet::new());
    let mut client = Client { served, answers, tasks: JoinSet::new(), running, following };
    let welcome =
        FromOwner::<()>::Welcome { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() };
    // The client's queue ends with it.
    let reading = async move {
        client.send(&welcome).await;
        client.hear(&mut reader, leave).await
    };
    let writing = async {
        let mut frames = Vec::new();
        while queue.recv_many(&mut frames, ANSWERS).await > 0 {
            let bytes = frames.concat();
            frames.clear();
            writer.write_all(&bytes).await?;
        }
        io::Result::Ok(())
    };
    tokio::pin!(writing);
    let ended = tokio::select! {
        ended = reading => {
            let _ = tokio::time::timeout(FAREWELL, writing).await;
            ended
        }
        ended = &mut writing => ended,
    };
    match ended {
        Ok(()) => tracing::debug!(name, "a client of the control socket went"),
        Err(error) => tracing::warn!(name, %error, "a client of the control socket was lost"),
    }
}

/// The name of the client, or why it is refused.
async fn hello(reader: &mut (impl AsyncRead + Unpin)) -> Result<String, String> {
    let frame = frame::read(reader).await.map_err(|error| error.to_string())?.unwrap_or_default();
    match serde_json::from_slice(&frame) {
        Ok(ToOwner::Hello { protocol: PROTOCOL, name }) => Ok(name),
        Ok(ToOwner::Hello { protocol, .. }) => Err(format!(
            "the client speaks version {protocol} of the protocol, the owner (mape {}) version {PROTOCOL}; use \
             the same version of mape",
            env!("CARGO_PKG_VERSION")
        )),
        _ => Err("the client did not say hello".to_owned()),
    }
}

struct Client {
    served: Served,
    answers: mpsc::Sender<Vec<u8>>,
    tasks: JoinSet<u64>,
    running: HashMap<u64, AbortHandle>,
    /// Those of them that watch or subscribe.
    following: HashSet<u64>,
}

impl Client {
    async fn hear(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
        mut leave: watch::Receiver<bool>,
    ) -> io::Result<()> {
        loop {
            let frame = tokio::select! {
                biased;
                () = left(&mut leave) => {
                    self.say_goodbye().await;
                    return Ok(());
                }
                frame = frame::read(reader) => frame?,
            };
            let Some(frame) = frame else { return Ok(()) };
            while let Some(done) = self.tasks.try_join_next() {
                self.done(done.ok());
            }
            let message = serde_json::from_slice(&frame);
            drop(frame);
            match message.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))? {
                ToOwner::Hello { .. } => {}
                ToOwner::Call(number, request) => self.call(number, request).await,
                ToOwner::Cancel(number) => {
                    if let Some(task) = self.running.remove(&number) {
                        task.abort();
                    }
                    self.following.remove(&number);
                    self.send(&FromOwner::<()>::End(number)).await;
                }
            }
        }
    }

    /// What was cancelled is off the list already.
    fn done(&mut self, number: Option<u64>) {
        if let Some(number) = number {
            self.running.remove(&number);
            self.following.remove(&number);
        }
    }

    /// Answers all calls that were heard, so that the rest is known not to have been done.
    async fn say_goodbye(&mut self) {
        let until = tokio::time::Instant::now() + LAST_CALLS;
        while self.running.len() > self.following.len() {
            match tokio::time::timeout_at(until, self.tasks.join_next()).await {
                Ok(Some(done)) => self.done(done.ok()),
                Ok(None) | Err(_) => break,
            }
        }
        self.tasks.shutdown().await;
        for number in std::mem::take(&mut self.running).into_keys() {
            if !self.following.contains(&number) {
                let ended = Failure::Unavailable("the owner of the directory ended meanwhile".to_owned());
                self.send(&FromOwner::Answer(number, Err::<(), _>(ended))).await;
            }
        }
        self.send(&FromOwner::<()>::Goodbye).await;
    }

    async fn send(&self, message: &impl Serialize) {
        if let Ok(frame) = frame::encode(message) {
            // If nobody takes them any more, the client is gone, and this with it.
            let _ = self.answers.send(frame).await;
        }
    }

    async fn call(&mut self, number: u64, request: Request) {
        if self.running.len() >= RUNNING {
            let refused = Failure::Refused(format!("{RUNNING} calls of this client wait already"));
            self.send(&FromOwner::Answer(number, Err::<(), _>(refused))).await;
            return;
        }
        let (store, pubsub) = (self.served.store.clone(), self.served.pubsub.clone());
        match request {
            Request::Run(key, command) => self.answer(number, store.run(&key, command)).await,
            Request::Pop(key, from) => {
                self.pop(number, key, from);
                // So that it is in line before whatever this client does next.
                tokio::task::yield_now().await;
            }
            Request::PutBack(key, from, popped) => {
                store.put_back(&key, from, popped);
                self.send(&FromOwner::Answer(number, Ok::<_, Failure>(()))).await;
            }
            Request::Commit(transaction) => self.answer(number, store.commit(transaction)).await,
            Request::Scan(pattern, from) => self.answer(number, store.scan(&pattern, from)).await,
            Request::Watch(filter) => self.follow(number, store.watch(filter), |notice| notice),
            Request::Publish(channel, payloads) => {
                let payloads: Vec<Payload> = payloads.iter().map(|data| data.as_slice().into()).collect();
                self.answer(number, pubsub.publish(&channel, &payloads)).await;
            }
            Request::Subscribe(topics) => self.follow(number, pubsub.subscribe(topics), Heard::from),
            Request::Log(request) => self.log(number, request).await,
        }
    }

    async fn log(&mut self, number: u64, request: LogRequest) {
        let log = self.served.store.clone();
        match request {
            LogRequest::Append(name, events) => self.answer(number, log.append(&name, events)).await,
            LogRequest::Range(name, from, to, n) => self.answer(number, log.range(&name, from, to, n)).await,
            LogRequest::Follow(name, after, n) => self.answer(number, log.follow(&name, after, n)).await,
            LogRequest::Info(name) => self.answer(number, log.info(&name)).await,
            LogRequest::Delete(name, ids) => self.answer(number, log.delete(&name, ids)).await,
            LogRequest::Trim(name, keep) => self.answer(number, log.trim(&name, keep)).await,
            LogRequest::Remove(name) => self.answer(number, log.remove(&name)).await,
            LogRequest::CreateGroup(name, group, after) => {
                self.answer(number, log.create_group(&name, &group, after)).await;
            }
            LogRequest::Seek(name, group, after) => {
                self.answer(number, log.seek(&name, &group, after)).await;
            }
            LogRequest::RemoveGroup(name, group) => {
                self.answer(number, log.remove_group(&name, &group)).await;
            }
            LogRequest::Read(consumer, n) => self.answer(number, log.read(&consumer, n)).await,
            LogRequest::Claim(consumer, idle, n) => self.answer(number, log.claim(&consumer, idle, n)).await,
            LogRequest::Forgotten(consumer, known) => {
                self.answer(number, log.forgotten(&consumer, known)).await;
            }
            LogRequest::SetIdle(consumer, ids, idle) => {
                self.answer(number, log.set_idle(&consumer, ids, idle)).await;
            }
            LogRequest::Acknowledge(name, group, ids) => {
                self.answer(number, log.acknowledge(&name, &group, ids)).await;
            }
            LogRequest::Settle(consumer, id, append) => {
                self.answer(number, log.settle(&consumer, id, append)).await;
            }
            LogRequest::Pending(name, group, from, n) => {
                self.answer(number, log.pending(&name, &group, from, n)).await;
            }
            LogRequest::Leave(consumer) => self.answer(number, log.leave(&consumer)).await,
            LogRequest::PutBack(consumer, ids, idle) => {
                self.answer(number, EventLog::put_back(&log, &consumer, ids, idle)).await;
            }
        }
    }

    /// Sends the answer: at once if it is there, else when it is.
    async fn answer<T, E>(&mut self, number: u64, answer: Answer<Result<T, E>>)
    where
        T: Serialize + Send + 'static,
        E: Send + 'static,
        Failure: From<E>,
    {
        match answer.now() {
            Ok(result) => {
                let _ = self.answers.send(answer_frame(number, &result.map_err(Failure::from))).await;
            }
            Err(pending) => {
                let answers = self.answers.clone();
                self.spawn(number, async move {
                    let result = pending.await.map_err(Failure::from);
                    let _ = answers.send(answer_frame(number, &result)).await;
                });
            }
        }
    }

    /// An item that cannot be sent goes back to where it was.
    fn pop(&mut self, number: u64, key: Key, from: Pop) {
        let (store, answers) = (self.served.store.clone(), self.answers.clone());
        self.spawn(number, async move {
            let frame = match store.pop(&key, from).await {
                Err(error) => answer_frame(number, &Err::<(), _>(Failure::from(error))),
                Ok(popped) => {
                    let frame = answer_frame(number, &Ok(&popped));
                    let unsent = Unsent { store: &store, key: &key, from, popped: Some(popped) };
                    if let Ok(place) = answers.reserve().await {
                        unsent.forget();
                        place.send(frame);
                    }
                    return;
                }
            };
            let _ = answers.send(frame).await;
        });
    }

    /// Says that it has begun, then sends what comes until the client cancels it.
    fn follow<S, T, E>(
        &mut self,
        number: u64,
        begun: Answer<Result<S, E>>,
        item: impl Fn(S::Item) -> T + Send + 'static,
    ) where
        S: Stream + Send + Unpin + 'static,
        S::Item: Send,
        T: Serialize + Send,
        E: Send + 'static,
        Failure: From<E>,
    {
        let answers = self.answers.clone();
        self.following.insert(number);
        self.spawn(number, async move {
            let mut items = match begun.await {
                Ok(items) => items,
                Err(error) => {
                    let _ = answers.send(answer_frame(number, &Err::<(), _>(Failure::from(error)))).await;
                    return;
                }
            };
            let _ = answers.send(answer_frame(number, &Ok(()))).await;
            while let Some(next) = items.next().await {
                let frame = match frame::encode(&FromOwner::Item(number, item(next))) {
                    Ok(frame) => frame,
                    Err(error) => {
                        tracing::warn!(%error, "a client of the control socket misses something");
                        continue;
                    }
                };
                if answers.send(frame).await.is_err() {
                    return;
                }
            }
            if let Ok(end) = frame::encode(&FromOwner::<()>::End(number)) {
                let _ = answers.send(end).await;
            }
        });
    }

    fn spawn(&mut self, number: u64, call: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(async move {
            call.await;
            number
        });
        self.running.insert(number, task);
    }
}

/// Waits until the owner leaves.
async fn left(leave: &mut watch::Receiver<bool>) {
    let _ = leave.wait_for(|leaving| *leaving).await;
}

fn answer_frame<T: Serialize>(number: u64, result: &Result<T, Failure>) -> Vec<u8> {
    let frame = frame::encode(&FromOwner::Answer(number, result)).or_else(|too_long| {
        let refused = Failure::Refused(too_long.to_string());
        frame::encode(&FromOwner::Answer(number, Err::<(), _>(refused)))
    });
    // What says that something is too long is not.
    frame.unwrap_or_default()
}

/// An item that was taken for a client and is not on its way yet.
struct Unsent<'a> {
    store: &'a MemoryStore,
    key: &'a Key,
    from: Pop,
    popped: Option<Popped>,
}

impl Unsent<'_> {
    fn forget(mut self) {
        self.popped = None;
    }
}

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        if let Some(popped) = self.popped.take() {
            self.store.put_back(self.key, self.from, popped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_too_long_becomes_one_that_says_so() {
        let frame = answer_frame(7, &Ok("x".repeat(frame::LONGEST)));
        let answer: FromOwner<Result<(), Failure>> = serde_json::from_slice(&frame[4..]).unwrap();
        let FromOwner::Answer(7, Err(Failure::Refused(why))) = answer else { panic!("{answer:?}") };
        assert!(why.contains("is the most that crosses the control socket"), "{why}");
    }
}
