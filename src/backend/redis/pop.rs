//! Taking an item, waiting for one if there is none.
//!
//! The server hands an item over to a connection, so whoever gives up waiting may just be given one. So the waiting is
//! done by a task of its own, which learns when nobody wants the item any more, and puts it back where it was. An item
//! is on its way only in this process then: it is lost if that is killed at this very moment.

use super::commands::Wire;
use super::dedicated::Dedicated;
use super::explain::{failed, wrong_kind};
use super::failure::Failure;
use super::replies::{Shape, data};
use super::script::Script;
use super::store::Inner;
use super::told;
use crate::knowledge::{
    Command, Data, End, Error, Key, Kind, ListCommand, Pop, Popped, Reply, SortedCommand,
};
use redis::{Cmd, Value};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::{error, warn};

/// How long the server waits for an item before it says that there is none.
const WAIT_SECS: u32 = 5;
/// How long is waited for what the server says then.
const ANSWER: Duration = Duration::from_secs(10);
/// How often an item that nobody wants is offered to a server that is out of reach.
const OFFERS: u32 = 30;

static TAKEN: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/taken.lua")));

type Result<T> = std::result::Result<T, Error>;

pub(super) async fn pop(inner: Arc<Inner>, key: Key, from: Pop) -> Result<Popped> {
    let (sender, receiver) = oneshot::channel();
    let taker = Taker { inner: inner.clone(), key: key.clone(), from };
    let mut waiting = Waiting { receiver, taker: Some(taker.clone()) };
    // It ends when its answer is delivered or not wanted any more.
    drop(tokio::spawn(taker.clone().take(sender)));
    let popped = (&mut waiting.receiver).await;
    waiting.taker = None;
    popped.unwrap_or_else(|_| Err(failed(&key, Failure::not_sent("the program is ending"))))
}

/// One who waits for an item.
struct Waiting {
    receiver: oneshot::Receiver<Result<Popped>>,
    /// Until it has its answer.
    taker: Option<Taker>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(taker) = self.taker.take() else { return };
        self.receiver.close();
        // Delivered, but never looked at.
        if let Ok(Ok(popped)) = self.receiver.try_recv()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { taker.put_back(popped).await });
        }
    }
}

#[derive(Clone)]
struct Taker {
    inner: Arc<Inner>,
    key: Key,
    from: Pop,
}

impl Taker {
    async fn take(self, mut answer: oneshot::Sender<Result<Popped>>) {
        let taken = match self.take_now().await {
            Ok(None) => self.wait(&mut answer).await,
            Ok(Some(popped)) => Some(Ok(popped)),
            Err(error) => Some(Err(error)),
        };
        if let Some(taken) = taken
            && let Err(Ok(popped)) = answer.send(taken)
        {
            self.put_back(popped).await;
        }
    }

    async fn take_now(&self) -> Result<Option<Popped>> {
        let command: Command = match self.from {
            Pop::Front => ListCommand::Pop(End::Front).into(),
            Pop::Back => ListCommand::Pop(End::Back).into(),
            Pop::Min => SortedCommand::PopMin.into(),
        };
        Ok(match self.inner.run(&self.key, Wire::of(&self.key, command)?).await? {
            Reply::Data(item) => Some(Popped { item, score: None }),
            Reply::Scored(scored) => {
                scored.into_iter().next().map(|(item, score)| Popped { item, score: Some(score) })
            }
            _ => None,
        })
    }

    /// Waits for an item; `None` if nobody wants it any more.
    async fn wait(&self, answer: &mut oneshot::Sender<Result<Popped>>) -> Option<Result<Popped>> {
        let cmd = self.blocking();
        loop {
            let connection = tokio::select! {
                connection = self.inner.client.dedicated() => connection,
                () = answer.closed() => return None,
            };
            // Waits itself for a while when there is no server.
            let Ok(mut connection) = connection else { continue };
            loop {
                let asked = self.ask(&cmd, &mut connection, answer).await;
                match asked {
                    Ok(Value::Nil) if answer.is_closed() => return None,
                    Ok(Value::Nil) => {}
                    Ok(value) => {
                        let popped = Self::popped(value)?;
                        self.tell(&popped).await;
                        return Some(Ok(popped));
                    }
                    Err(Failure::NotSent(_)) => break,
                    Err(Failure::Unavailable(cause)) => {
                        warn!(key = %self.key, %cause, "a connection was lost that waited for an item; \
                            one that was handed over at this moment is lost with it");
                        break;
                    }
                    Err(Failure::Server(refusal)) if refusal.code() == "WRONGTYPE" => {
                        return Some(Err(self.wrong_kind(Failure::Server(refusal)).await));
                    }
                    Err(failure) => return Some(Err(failed(&self.key, failure))),
                }
            }
        }
    }

    /// Asks for an item, and lets the server know when nobody waits for it any more.
    async fn ask(
        &self,
        cmd: &Cmd,
        connection: &mut Dedicated,
        answer: &mut oneshot::Sender<Result<Popped>>,
    ) -> std::result::Result<Value, Failure> {
        let id = connection.id();
        let mut asking = pin!(connection.query(cmd, ANSWER));
        tokio::select! {
            answered = &mut asking => return answered,
            () = answer.closed() => {}
        }
        let mut unblock = redis::cmd("CLIENT");
        unblock.arg("UNBLOCK").arg(id);
        // Without that it takes until the server gives up waiting.
        drop(self.inner.client.query(unblock).await);
        asking.await
    }

    fn blocking(&self) -> Cmd {
        let name = match self.from {
            Pop::Front => "BLPOP",
            Pop::Back => "BRPOP",
            Pop::Min => "BZPOPMIN",
        };
        let mut cmd = redis::cmd(name);
        cmd.arg(self.inner.client.key(&self.key)).arg(WAIT_SECS);
        cmd
    }

    /// The item in an answer of key, item and perhaps score.
    fn popped(answer: Value) -> Option<Popped> {
        let Value::Array(parts) = answer else { return None };
        let mut parts = parts.into_iter().skip(1);
        let item = data(parts.next()?).ok()?;
        let score = match parts.next() {
            None => None,
            Some(score) => match Shape::Score.read(score) {
                Ok(Reply::Score(score)) => Some(score),
                _ => return None,
            },
        };
        Some(Popped { item, score })
    }

    /// Tells those who watch what was taken; the server does not, when it hands over what was waited for.
    async fn tell(&self, popped: &Popped) {
        let (watching, client) = (&self.inner.watching, &self.inner.client);
        if watching.watched.look(client.connection_epoch(), &self.key).is_none() {
            return;
        }
        let message = match self.from {
            Pop::Front => told::taken("lpop", None, &popped.item),
            Pop::Back => told::taken("rpop", None, &popped.item),
            Pop::Min => {
                let score = Data::from(popped.score.unwrap_or(0.0).to_string());
                told::taken("zpopmin", Some(&popped.item), &score)
            }
        };
        let args = [watching.channels.of_key(&self.key).into_bytes(), message];
        if let Err(error) = client.script(&TAKEN, &[client.key(&self.key)], &args).await {
            warn!(key = %self.key, %error, "those who watch could not be told that an item was taken");
        }
    }

    async fn wrong_kind(&self, failure: Failure) -> Error {
        let mut cmd = redis::cmd("TYPE");
        cmd.arg(self.inner.client.key(&self.key));
        let asked = if self.from == Pop::Min { Kind::SortedSet } else { Kind::List };
        let error = match self.inner.client.query(cmd).await {
            Ok(Value::SimpleString(held)) => wrong_kind(&self.key, Some(asked), &held),
            _ => None,
        };
        error.unwrap_or_else(|| failed(&self.key, failure))
    }

    /// Puts an item that nobody wants back where it was.
    async fn put_back(&self, popped: Popped) {
        let Popped { item, score } = popped;
        let command: Command = match self.from {
            Pop::Front => ListCommand::Push(End::Front, item.into()).into(),
            Pop::Back => ListCommand::Push(End::Back, item.into()).into(),
            Pop::Min => SortedCommand::Add((item, score.unwrap_or(0.0)).into()).into(),
        };
        for _ in 0..OFFERS {
            let Ok(wire) = Wire::of(&self.key, command.clone()) else { return };
            match self.inner.run(&self.key, wire).await {
                Ok(_) => return,
                Err(error) if error.is_retryable() => sleep(Duration::from_secs(1)).await,
                Err(error) => {
                    error!(key = %self.key, %error, "an item that nobody waited for any more is lost");
                    return;
                }
            }
        }
        error!(key = %self.key, "an item that nobody waited for any more is lost: the server is out of reach");
    }
}
