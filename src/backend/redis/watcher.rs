//! One who watches: from messages to changes.

use super::client::Client;
use super::deadlines::{Deadlines, Ending, State};
use super::replies::{data, integer};
use super::told::{Changed, Channels, Told};
use super::watched::What;
use super::watching::{Registration, Watching};
use crate::channel::{Delivery, Incoming, Pattern, Subscription};
use crate::knowledge::{Change, ChangeSender, Data, Key, Operation};
use futures::StreamExt;
use redis::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Weak;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, warn};

/// Reads what is told and hands it on, until it is aborted or the store is closed.
pub(super) struct Watcher {
    pub(super) client: Client,
    pub(super) watching: Weak<Watching>,
    pub(super) channels: Channels,
    pub(super) registration: Registration,
    pub(super) sender: ChangeSender,
    pub(super) subscription: Subscription,
    /// Resolves when nobody reads the changes any more.
    pub(super) gone: oneshot::Receiver<()>,
    /// Where to look for keys that cease, if that is to be told.
    pub(super) expiring: Option<What>,
    pub(super) deadlines: Deadlines,
    /// What the server has told of its own.
    pub(super) heard: HashSet<Operation>,
    /// The keys that a transaction is about, since when.
    pub(super) ours: HashMap<Key, Instant>,
}

/// How long after a key has ceased the server's own word on it is expected.
const ECHO: Duration = Duration::from_secs(10);
/// After this long a transaction whose end was not told has ended.
const TRANSACTION: Duration = Duration::from_secs(5);
/// How often a server that cannot be asked is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// Keys looked at when watching begins, at least.
const LOOKED_AT: usize = 16_384;

impl Watcher {
    pub(super) async fn run(mut self) {
        self.look_for_deadlines().await;
        loop {
            let deadline = self.deadlines.next();
            tokio::select! {
                _ = &mut self.gone => return,
                incoming = self.subscription.next() => match incoming {
                    Some(Incoming::Delivery(delivery)) => self.delivery(&delivery),
                    Some(Incoming::Missed(count)) => {
                        // The end of a transaction may be among them.
                        self.ours.clear();
                        self.sender.missed(count);
                    }
                    Some(Incoming::Interrupted) => {
                        self.ours.clear();
                        // Said only when writers tell again: who reads again then, misses nothing.
                        if !self.register_again().await {
                            return;
                        }
                        self.sender.interrupted();
                        self.look_for_deadlines().await;
                    }
                    None => return,
                },
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.ask_whether_ceased().await;
                }
                lapsed = self.registration.lapsed() => {
                    if !lapsed {
                        return;
                    }
                    self.sender.interrupted();
                }
            }
        }
    }

    /// Sees to it that writers tell again; `false` if nobody wants to hear any more.
    async fn register_again(&mut self) -> bool {
        loop {
            {
                let Some(watching) = self.watching.upgrade() else { return false };
                if watching.register_again(&mut self.registration).await.is_ok() {
                    return true;
                }
            }
            tokio::select! {
                _ = &mut self.gone => return false,
                () = sleep(AGAIN) => {}
            }
        }
    }

    fn delivery(&mut self, delivery: &Delivery) {
        let channel = delivery.channel.as_str();
        if let Some(key) = channel.strip_prefix(&*self.channels.told) {
            let key = Key::from(key);
            if let Some(told) = Told::parse(&delivery.payload) {
                self.told(&key, told);
            } else {
                debug!(%key, "a writer told something of an unknown form");
                self.sender.missed(1);
            }
        } else if let Some(key) = channel.strip_prefix(&*self.channels.events)
            && !key.starts_with("mape:")
        {
            let key = Key::from(key);
            if let Ok(event) = std::str::from_utf8(&delivery.payload) {
                self.event(&key, event);
            }
        }
    }

    fn told(&mut self, key: &Key, told: Told) {
        match told {
            Told::Begin => {
                self.ours.insert(key.clone(), Instant::now());
            }
            Told::End => {
                self.ours.remove(key);
            }
            Told::Missed(count) => self.sender.missed(count),
            Told::Taken(changes) => {
                for change in changes {
                    if !self.heard.contains(&change.operation) {
                        self.changed(key, change);
                    }
                }
            }
            Told::Changes { was, changes } => {
                if !was && let Some(ended) = self.deadlines.take(key) {
                    // It ceased before this, and nobody has asked yet.
                    if matches!(ended.state, State::Told | State::Doubtful) {
                        self.expired(key, ended.value);
                    }
                }
                for change in changes {
                    self.changed(key, change);
                }
            }
        }
    }

    fn changed(&mut self, key: &Key, changed: Changed) {
        let Changed { operation, field, old, new, lives } = changed;
        match operation {
            Operation::Set | Operation::Del | Operation::Persist => {
                self.deadlines.take(key);
            }
            Operation::Incrby => {
                if let (Some(held), Some(new)) = (self.deadlines.get_mut(key), &new) {
                    *held = new.clone();
                }
            }
            Operation::Expire => {
                self.put(key, lives.unwrap_or_default(), old, State::Told);
                self.sender.send(&Change::new(key.clone(), operation));
                return;
            }
            _ => {}
        }
        let mut change = Change::new(key.clone(), operation).old(old).new_value(new);
        change.field = field;
        self.sender.send(&change);
    }

    /// What the server says by itself, if it is set up to; what transactions of ours do is told by them.
    fn event(&mut self, key: &Key, event: &str) {
        match event.parse() {
            Ok(Operation::Expired) => match self.deadlines.take(key) {
                Some(Ending { state: State::Reported, .. }) => {}
                ended => self.expired(key, ended.and_then(|ended| ended.value)),
            },
            _ if self.ours.get(key).is_some_and(|since| since.elapsed() < TRANSACTION) => {}
            Ok(operation) => {
                self.heard.insert(operation);
                match operation {
                    Operation::Expire => self.put(key, Duration::ZERO, None, State::Found),
                    Operation::Set | Operation::Del | Operation::Persist | Operation::Evicted => {
                        self.deadlines.take(key);
                    }
                    _ => {}
                }
                self.sender.send(&Change::new(key.clone(), operation));
            }
            // Nothing has changed by these.
            Err(_) if ["new", "keymiss"].contains(&event) => {}
            Err(_) => self.sender.missed(1),
        }
    }

    fn expired(&self, key: &Key, old: Option<Data>) {
        self.sender.send(&Change::new(key.clone(), Operation::Expired).old(old));
    }

    fn put(&mut self, key: &Key, lives: Duration, value: Option<Data>, state: State) {
        if self.sender.filter().accepts(key, Operation::Expired)
            && let Some(at) = Instant::now().checked_add(lives)
            && !self.deadlines.put(key, Ending { at, value, state })
        {
            warn!(%key, "too many watched keys have a time to live; it will not be told when this one ceases");
        }
    }

    async fn ask_whether_ceased(&mut self) {
        let Some((key, ending)) = self.deadlines.due(Instant::now()) else { return };
        if ending.state == State::Reported {
            return;
        }
        let mut cmd = redis::cmd("PTTL");
        cmd.arg(self.client.key(&key));
        let Ending { value, state, .. } = ending;
        match self.client.query(cmd).await.map(|left| integer(&left)) {
            Ok(Some(-2)) => {
                self.expired(&key, value);
                self.put(&key, ECHO, None, State::Reported);
            }
            Ok(Some(left @ 0..)) => {
                self.put(&key, Duration::from_millis(left.unsigned_abs().max(1)), value, state);
            }
            // It lives on; whoever saw to that is about to tell, or a foreign program, which does not.
            Ok(_) if state != State::Doubtful => self.put(&key, AGAIN, value, State::Doubtful),
            Ok(_) => {}
            Err(_) => self.put(&key, AGAIN, value, state),
        }
    }

    /// Keys that had a time to live before the watching began.
    async fn look_for_deadlines(&mut self) {
        match self.expiring.clone() {
            None => {}
            Some(What::Key(key)) => {
                self.look_at(vec![Value::BulkString(self.client.key(&key).into_bytes())]).await;
            }
            Some(What::Pattern(pattern)) => self.look_through(&pattern).await,
        }
    }

    async fn look_through(&mut self, pattern: &Pattern) {
        let whole = pattern.prefixed(self.client.prefix());
        let (mut cursor, mut seen) = ("0".to_owned(), 0);
        loop {
            let mut cmd = redis::cmd("SCAN");
            cmd.arg(&cursor).arg("MATCH").arg(whole.as_str()).arg("COUNT").arg(1000);
            let Ok(Value::Array(page)) = self.client.query(cmd).await else { return };
            let mut page = page.into_iter();
            let (Some(Value::BulkString(next)), Some(Value::Array(keys))) = (page.next(), page.next()) else {
                return;
            };
            self.look_at(keys).await;
            cursor = String::from_utf8_lossy(&next).into_owned();
            seen += 1000;
            if cursor == "0" {
                return;
            }
            if seen >= LOOKED_AT {
                debug!(%pattern, "not all keys were looked at; those with a time to live may cease untold");
                return;
            }
        }
    }

    async fn look_at(&mut self, keys: Vec<Value>) {
        let mut pipe = redis::pipe();
        for key in &keys {
            if let Value::BulkString(key) = key {
                pipe.cmd("PTTL").arg(key.as_slice()).cmd("GET").arg(key.as_slice());
            }
        }
        let Ok(answers) = self.client.pipeline(pipe).await else { return };
        let mut answers = answers.into_iter();
        for key in keys {
            let Value::BulkString(key) = key else { continue };
            let (Some(left), Some(value)) = (answers.next(), answers.next()) else { return };
            let name = std::str::from_utf8(&key).ok().and_then(|key| key.strip_prefix(self.client.prefix()));
            if let (Some(left @ 0..), Some(name)) = (integer(&left), name) {
                let lives = Duration::from_millis(left.unsigned_abs());
                self.put(&Key::from(name), lives, data(value).ok(), State::Found);
            }
        }
    }
}
