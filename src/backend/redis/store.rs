//! Knowledge on Redis.

use super::call::Call;
use super::client::Client;
use super::commands::Wire;
use super::explain::{because, failed, refused, wrong_kind};
use super::failure::{Failure, Refusal};
use super::outcome::outcome;
use super::pubsub::RedisPubSub;
use super::replies::unexpected;
use super::script::Script;
use super::told::MISSED_ONE;
use super::watching::Watching;
use crate::backend;
use crate::channel::Pattern;
use crate::knowledge::{
    Changes, Command, Committed, Cursor, Error, Filter, Key, Page, Pop, Popped, Reply, Store, Transaction,
};
use crate::stream::Answer;
use redis::{Cmd, Value};
use std::fmt;
use std::sync::{Arc, LazyLock};
use tokio::task::JoinHandle;
use tracing::warn;

static UNWATCHED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(include_str!("lua/unwatched.lua"), include_str!("lua/transaction.lua")))
});
static TELLING: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(include_str!("lua/telling.lua"), include_str!("lua/transaction.lua")))
});

/// A [`Store`] on a Redis server, in the types that Redis has for it; clones share it.
///
/// What reads, and what writes where nobody watches, is the one command it is named after. A write to a watched key and
/// a transaction are a script. Versions are digests of the contents, so keys need no company.
#[derive(Clone)]
pub(in crate::backend) struct RedisStore {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) client: Client,
    pub(super) watching: Arc<Watching>,
    keeping: JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

impl RedisStore {
    /// The store of this client; begins to listen for what is watched.
    ///
    /// # Errors
    /// [`backend::Error::Unsuitable`] if this user may not listen to what is watched, or not tell those who watch.
    pub(in crate::backend) async fn open(
        client: Client,
        pubsub: RedisPubSub,
    ) -> Result<Self, backend::Error> {
        let watching = Arc::new(Watching::new(client.clone(), pubsub));
        let watched = watching.watched.clone();
        let heard = move |member: &[u8]| watched.heard(member);
        let additions = &watching.channels.additions;
        let unsuitable = |failure: Failure, needs: &str| {
            let problem = format!("{failure}; let this user use {needs}");
            backend::Error::Unsuitable { address: client.url(), problem }
        };
        let listening = client.on_push(additions.clone(), heard).await;
        listening.map_err(|failure| unsuitable(failure, "the command `CLIENT TRACKING`"))?;
        // On a channel like those on which watchers are told, but nobody hears this one.
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(additions).arg("");
        let published = client.query(publish).await;
        let needs = format!("the channels `{}mape:*`", client.prefix());
        published.map_err(|failure| unsuitable(failure, &needs))?;
        // Known from the beginning, as far as possible, so that no first write is made in ignorance of it.
        watching.begin().await;
        let keeping = tokio::spawn(watching.clone().keep());
        Ok(Self { inner: Arc::new(Inner { client, watching, keeping }) })
    }
}

impl Store for RedisStore {
    fn run(&self, key: &Key, command: Command) -> Answer<Result<Reply, Error>> {
        let (inner, key) = (self.inner.clone(), key.clone());
        Answer::pending(async move {
            let wire = Wire::of(&key, command)?;
            inner.run(&key, wire).await
        })
    }

    fn pop(&self, key: &Key, from: Pop) -> Answer<Result<Popped, Error>> {
        Answer::pending(super::pop::pop(self.inner.clone(), key.clone(), from))
    }

    fn commit(&self, transaction: Transaction) -> Answer<Result<Committed, Error>> {
        let inner = self.inner.clone();
        Answer::pending(async move {
            let call = Call::of(&inner.client, &transaction)?;
            inner.call(call, transaction).await
        })
    }

    fn scan(&self, pattern: &Pattern, from: Cursor) -> Answer<Result<Page, Error>> {
        let (inner, pattern) = (self.inner.clone(), pattern.clone());
        Answer::pending(async move { inner.scan(&pattern, from).await })
    }

    fn watch(&self, filter: Filter) -> Answer<Result<Changes, Error>> {
        let inner = self.inner.clone();
        Answer::pending(async move { inner.watching.watch(filter).await })
    }
}

impl Inner {
    /// One command, as the script if somebody watches its key.
    pub(super) async fn run(&self, key: &Key, wire: Wire) -> Result<Reply, Error> {
        let by_script = wire.name == "VERSION";
        if !wire.writes && !by_script {
            let answer = self.client.query(self.cmd(key, &wire)).await;
            return self.reply(key, &wire, answer).await;
        }
        let (watched, epoch) = (&self.watching.watched, self.client.connection_epoch());
        let mark = watched.mark(epoch);
        if by_script || watched.look(epoch, key).is_some() {
            let call = self.call(Call::of_one(&self.client, key, wire), Transaction::new());
            // In boxes of their own, so that the future of what happens mostly is small.
            let committed = Box::pin(call).await?;
            return committed.replies.into_iter().next().ok_or_else(|| unexpected(key, &Value::Nil));
        }
        let answer = self.client.query(self.cmd(key, &wire)).await;
        if answer.is_ok() && watched.mark(self.client.connection_epoch()) != mark {
            Box::pin(self.tell_missed(key)).await;
        }
        self.reply(key, &wire, answer).await
    }

    fn cmd(&self, key: &Key, wire: &Wire) -> Cmd {
        match self.client.prefix() {
            "" => wire.cmd(key),
            _ => wire.cmd(&self.client.key(key)),
        }
    }

    /// The script, and whoever began to watch while it was under way is told that it missed something.
    async fn call(&self, mut call: Call, transaction: Transaction) -> Result<Committed, Error> {
        let (watched, epoch) = (&self.watching.watched, self.client.connection_epoch());
        let mark = watched.mark(epoch);
        if !watched.is_known(epoch) {
            self.watching.outdated.notify_one();
        }
        let (mut told, mut untold, mut edges) = (Vec::new(), Vec::new(), false);
        for key in call.written() {
            match watched.look(epoch, key) {
                Some(wanted) => {
                    told.push((key.clone(), self.watching.channels.of_key(key)));
                    edges |= wanted;
                }
                None => untold.push(key.clone()),
            }
        }
        told.dedup();
        let (script, head) = if told.is_empty() {
            (&UNWATCHED, Vec::new())
        } else {
            (&TELLING, call.watched(&self.client, edges, &told))
        };
        let args = call.arguments(head);
        let answer = self.client.script(script, &call.keys, &args).await;
        if answer.is_ok() && !untold.is_empty() && watched.mark(self.client.connection_epoch()) != mark {
            for key in &untold {
                self.tell_missed(key).await;
            }
        }
        match answer {
            Ok(answer) => outcome(&call, transaction, answer),
            Err(failure) => Err(failed(&call.name(1), failure)),
        }
    }

    /// Tells those who watch the key now that it was written to without their being told what.
    pub(super) async fn tell_missed(&self, key: &Key) {
        if self.watching.watched.look(self.client.connection_epoch(), key).is_none() {
            return;
        }
        let mut cmd = redis::cmd("PUBLISH");
        cmd.arg(self.watching.channels.of_key(key)).arg(MISSED_ONE);
        if let Err(error) = self.client.query(cmd).await {
            warn!(%key, %error, "somebody who began to watch while this was written could not be told");
        }
    }

    /// The reply that an answer is, or what its failure means.
    async fn reply(&self, key: &Key, wire: &Wire, answer: Result<Value, Failure>) -> Result<Reply, Error> {
        match answer {
            Ok(value) => wire.shape.read(value).map_err(|value| unexpected(key, &value)),
            Err(Failure::Server(refusal)) => Box::pin(self.explain(key, wire, refusal)).await,
            Err(failure) => Err(failed(key, failure)),
        }
    }

    /// What a refusal means, which may take another question.
    async fn explain(&self, key: &Key, wire: &Wire, refusal: Refusal) -> Result<Reply, Error> {
        let name = self.client.key(key);
        if refusal.code() == "WRONGTYPE" {
            let mut cmd = redis::cmd("TYPE");
            cmd.arg(&name);
            if let Ok(Value::SimpleString(held)) = self.client.query(cmd).await
                && let Some(error) = wrong_kind(key, wire.asked, &held)
            {
                return Err(error);
            }
        } else if wire.may_fail() {
            let held = match wire.held(&name) {
                Some(cmd) => self.client.query(cmd).await.unwrap_or_default(),
                None => Value::Nil,
            };
            if let Some(error) = because(key, wire, &refusal.to_string(), held) {
                return Err(error);
            }
        }
        Err(failed(key, Failure::Server(refusal)))
    }

    async fn scan(&self, pattern: &Pattern, from: Cursor) -> Result<Page, Error> {
        let about = Key::from(pattern.as_str());
        let mut cmd = redis::cmd("SCAN");
        let whole = pattern.prefixed(self.client.prefix());
        cmd.arg(from.place).arg("MATCH").arg(whole.as_str()).arg("COUNT").arg(1000);
        let answer = self.client.query(cmd).await.map_err(|failure| failed(&about, failure))?;
        let page = match answer {
            Value::Array(parts) => <[Value; 2]>::try_from(parts).ok(),
            _ => None,
        };
        let Some([Value::BulkString(cursor), Value::Array(keys)]) = page else {
            return Err(refused(&about, "it answered what does not belong to a scan"));
        };
        let place = std::str::from_utf8(&cursor).ok().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let names = keys.iter().filter_map(|key| match key {
            // Names that are no text cannot be keys, and are those of other programs.
            Value::BulkString(name) => std::str::from_utf8(name).ok()?.strip_prefix(self.client.prefix()),
            _ => None,
        });
        let keys = names.filter(|name| !name.starts_with("mape:")).map(Key::from).collect();
        Ok(Page { keys, next: (place != 0).then_some(Cursor { part: 0, place }) })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisStore").field(&self.inner.client).finish()
    }
}
