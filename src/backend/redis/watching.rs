//! Watching: who watches what, and making sure that those who write know.
//!
//! Redis tells nobody what changed unless it is set up to (`notify-keyspace-events`), and then without the values. So
//! those who write tell: they know the [list](Watched) of what is watched, and a write to a watched key is a script that
//! also publishes what it changed. The list is kept on the server, in a sorted set whose members expire unless they are
//! renewed; an addition is written to a key of its own for a moment, and a client hears of that on the connection on which
//! it writes, before the answer to anything that is done after it was answered to who watches.

use super::client::Client;
use super::deadlines::Deadlines;
use super::explain::failed;
use super::failure::Failure;
use super::pubsub::RedisPubSub;
use super::script::Script;
use super::told::Channels;
use super::watched::{Watched, What, member};
use super::watcher::Watcher;
use crate::channel::{ChannelName, PubSub, Topic, Topics};
use crate::knowledge::{Changes, Error, Filter, Key, Keys};
use parking_lot::Mutex;
use redis::Value;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep};
use tracing::{debug, info};

/// How long a member of the list lasts.
const LASTS: Duration = Duration::from_secs(30);
/// How often members are renewed, and the list is read.
const RENEWED: Duration = Duration::from_secs(10);
/// How often it is tried when the server is out of reach.
const AGAIN: Duration = Duration::from_millis(200);
/// Messages that may wait for a watcher before it has made changes of them.
const QUEUE: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

static EXCHANGE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/watchers.lua")));

/// What this client watches, and what it knows of others.
#[derive(Debug)]
pub(super) struct Watching {
    client: Client,
    pubsub: RedisPubSub,
    pub(super) channels: Channels,
    pub(super) watched: Arc<Watched>,
    who: String,
    own: Mutex<HashMap<What, Own>>,
    numbers: AtomicU64,
    /// Asks for the list to be read.
    pub(super) outdated: Notify,
    /// Whether the server tells of its own what happens to keys, as found out on a connection.
    events: Mutex<Option<(u64, bool)>>,
    said: AtomicBool,
}

/// Something that is watched here.
#[derive(Debug)]
struct Own {
    member: String,
    users: usize,
    /// When the server last took it on the list.
    listed: Option<Instant>,
    /// Counts how often it was not on the list although it should have been.
    lapses: watch::Sender<u64>,
}

/// One watcher's part in what is watched; dropping it gives it up.
#[derive(Debug)]
pub(super) struct Registration {
    watching: Weak<Watching>,
    what: What,
    lapses: watch::Receiver<u64>,
}

impl Registration {
    /// Waits until others may have written without telling; `false` if the store is closed.
    pub(super) async fn lapsed(&mut self) -> bool {
        self.lapses.changed().await.is_ok()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(watching) = self.watching.upgrade()
            && let Some(own) = watching.own.lock().get_mut(&self.what)
        {
            // It stays on the list until that is next renewed: somebody may watch the same again.
            own.users -= 1;
        }
    }
}

impl Watching {
    pub(super) fn new(client: Client, pubsub: RedisPubSub) -> Self {
        let channels = Channels::of(client.prefix(), client.settings().endpoint.db);
        Self {
            client,
            pubsub,
            channels,
            watched: Arc::default(),
            who: format!("{:016x}", fastrand::u64(..)),
            own: Mutex::default(),
            numbers: AtomicU64::default(),
            outdated: Notify::new(),
            events: Mutex::default(),
            said: AtomicBool::default(),
        }
    }

    /// Reads what is watched elsewhere for the first time; if that fails, it is read as soon as it is asked for.
    pub(super) async fn begin(&self) {
        if self.renew().await.is_err() {
            self.outdated.notify_one();
        }
    }

    /// Renews what is watched here and reads what is watched elsewhere, for ever.
    pub(super) async fn keep(self: Arc<Self>) {
        let shared = self.client.shared();
        let mut pause = RENEWED;
        loop {
            let epoch = shared.epoch();
            tokio::select! {
                () = sleep(pause) => {}
                () = self.outdated.notified() => {}
                () = shared.until(|link| (link.epoch != epoch).then_some(())) => {}
            }
            pause = match self.renew().await {
                Ok(()) => RENEWED,
                Err(failure) if failure.is_retryable() => AGAIN,
                // Somebody has to act; hurry does not help.
                Err(failure) => {
                    debug!("the server does not say who watches what: {failure}");
                    RENEWED
                }
            };
        }
    }

    /// Puts a watcher to work.
    pub(super) async fn watch(self: &Arc<Self>, filter: Filter) -> Result<Changes, Error> {
        let what = match filter.keys() {
            Keys::One(key) => What::Key(key.as_str().into()),
            Keys::Matching(pattern) => What::Pattern(pattern.clone()),
        };
        let events = self.has_events().await;
        // What is no knowledge is mape's own, and nobody else's to change.
        let is_knowledge = !matches!(&what, What::Key(key) if !key.starts_with("k."));
        if !events && is_knowledge && !self.said.swap(true, Ordering::Relaxed) {
            info!(
                "this server is not set up to tell what other programs than mape's do to watched keys; \
                 `notify-keyspace-events KA` would do that"
            );
        }
        let registration = self.enter(&what, events);
        let about = || Key::from(what.text());
        let topics = self.topics(&what, events);
        let subscription = self.pubsub.subscribe(topics).await.map_err(|error| {
            let (key, retryable, source) = (about(), error.is_retryable(), Box::new(error));
            if retryable { Error::Unavailable { key, source } } else { Error::Refused { key, source } }
        })?;
        self.register(&registration).await.map_err(|failure| failed(&about(), failure))?;

        let (here, gone) = oneshot::channel::<()>();
        let wants_expired = filter.wants(crate::knowledge::Operation::Expired);
        let (sender, changes) = Changes::bounded(filter, move || drop(here));
        let watcher = Watcher {
            client: self.client.clone(),
            watching: Arc::downgrade(self),
            channels: self.channels.clone(),
            registration,
            sender,
            subscription,
            gone,
            expiring: wants_expired.then_some(what),
            deadlines: Deadlines::default(),
            heard: HashSet::new(),
            ours: HashMap::new(),
        };
        // It ends when its changes are dropped or the store is closed.
        drop(tokio::spawn(watcher.run()));
        Ok(changes)
    }

    /// Makes sure that it is on the list, whatever is known of that.
    pub(super) async fn register_again(&self, registration: &mut Registration) -> Result<(), Failure> {
        self.exchange(Some(&registration.what)).await?;
        registration.lapses.mark_unchanged();
        Ok(())
    }

    fn topics(&self, what: &What, events: bool) -> Topics {
        let prefixes = [Some(&self.channels.told), Some(&self.channels.events).filter(|_| events)];
        let topics = prefixes.into_iter().flatten().map(|prefix| match what {
            What::Key(key) => Topic::Name(ChannelName::from(format!("{prefix}{key}"))),
            What::Pattern(pattern) => Topic::Pattern(pattern.prefixed(prefix)),
        });
        topics.collect::<Topics>().capacity(QUEUE)
    }

    fn enter(self: &Arc<Self>, what: &What, events: bool) -> Registration {
        let mut own = self.own.lock();
        let own = own.entry(what.clone()).or_insert_with(|| {
            // Never the same twice, so that giving up the last cannot take the next off the list.
            let who = format!("{}.{}", self.who, self.numbers.fetch_add(1, Ordering::Relaxed));
            Own { member: member(&who, events, what), users: 0, listed: None, lapses: watch::Sender::new(0) }
        });
        own.users += 1;
        let lapses = own.lapses.subscribe();
        Registration { watching: Arc::downgrade(self), what: what.clone(), lapses }
    }

    async fn register(&self, registration: &Registration) -> Result<(), Failure> {
        let listed = self.own.lock().get(&registration.what).and_then(|own| own.listed);
        // Renewed since by the task, as long as it can.
        if listed.is_some_and(|at| at.elapsed() + RENEWED < LASTS)
            && self.watched.is_known(self.client.connection_epoch())
        {
            return Ok(());
        }
        self.exchange(Some(&registration.what)).await
    }

    async fn renew(&self) -> Result<(), Failure> {
        self.exchange(None).await
    }

    /// Puts on the list what is watched here, or only `one` of it, takes off what is watched no more, and reads it.
    async fn exchange(&self, one: Option<&What>) -> Result<(), Failure> {
        let (mut staying, mut leaving) = (Vec::new(), Vec::new());
        self.own.lock().retain(|what, own| {
            if one.is_some_and(|one| one != what) {
                return true;
            }
            if own.users == 0 {
                leaving.push(own.member.clone());
            } else {
                staying.push((what.clone(), own.member.clone(), own.listed.is_some()));
            }
            own.users > 0
        });
        let lasts = LASTS.as_millis().to_string();
        let mut args = vec![self.channels.additions.as_str(), lasts.as_str()];
        args.extend(staying.iter().map(|(_, member, _)| member.as_str()));
        args.push("-");
        args.extend(leaving.iter().map(String::as_str));

        let asked = Instant::now();
        let before = self.watched.mark(self.client.connection_epoch());
        let keys = [self.client.key("mape:watchers")];
        let answer = self.client.script(&EXCHANGE, &keys, &args).await?;
        let (added, members) = lists(&answer);
        if self.client.connection_epoch() == before.epoch() {
            self.watched.read(before, &members.iter().copied());
        }
        let mut own = self.own.lock();
        for (what, member, was_listed) in &staying {
            let Some(own) = own.get_mut(what).filter(|own| own.member == *member) else { continue };
            own.listed = Some(asked);
            if *was_listed && added.contains(&member.as_str()) {
                own.lapses.send_modify(|lapses| *lapses += 1);
            }
        }
        Ok(())
    }

    /// Whether the server may tell of its own what happens to keys.
    async fn has_events(&self) -> bool {
        let epoch = self.client.connection_epoch();
        if let Some((known, events)) = *self.events.lock()
            && known == epoch
        {
            return events;
        }
        let mut cmd = redis::cmd("CONFIG");
        cmd.arg("GET").arg("notify-keyspace-events");
        let events = match self.client.query(cmd).await {
            // It is not for everyone to know; if it tells, it is heard.
            Err(_) => true,
            Ok(answer) => flags(answer).is_none_or(|flags| flags.contains('K')),
        };
        *self.events.lock() = Some((epoch, events));
        events
    }
}

/// The members that were added, and all.
fn lists(answer: &Value) -> (Vec<&str>, Vec<&str>) {
    match answer {
        Value::Array(parts) => (texts(parts.first()), texts(parts.get(1))),
        _ => (Vec::new(), Vec::new()),
    }
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
        _ => Vec::new(),
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// The value of the one setting that was asked for.
fn flags(answer: Value) -> Option<String> {
    let value = match answer {
        Value::Map(pairs) => pairs.into_iter().next()?.1,
        Value::Array(mut pair) => pair.pop()?,
        _ => return None,
    };
    text(&value).map(str::to_owned)
}
