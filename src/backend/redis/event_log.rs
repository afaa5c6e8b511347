//! Events in Redis Streams, as the Python programs on `rqse` write and read them.

use super::call::{FIELDS, appended, number};
use super::client::Client;
use super::commands::millis;
use super::entries::{delivered, entries, id, ids, list, written};
use super::failure::Failure;
use super::log_state::{UNKNOWN, consumer, count_of, info, pending};
use super::reading;
use super::replies::integer;
use super::script::Script;
use crate::event::{
    Consumer, ConsumerInfo, Delivered, Entry, Error, Event, EventId, EventLog, GroupName, LogInfo, LogName,
    Pending, Retention, Settling,
};
use crate::knowledge::Data;
use crate::stream::Answer;
use redis::{Cmd, Value};
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// A consumer that has nothing pending and has not been seen for so long is taken off its group's list.
const GONE: Duration = Duration::from_hours(1);
/// How many entries are counted at once.
const COUNTED: i64 = 10_000;
/// How many arguments a script that settles several entries gets, about.
const MOST_ARGUMENTS: usize = 4_000;

macro_rules! scripts {
    ($($name:ident = $($file:literal)+;)*) => {
        $(static $name: LazyLock<Script> = LazyLock::new(|| Script::new(concat!($(include_str!($file)),+)));)*
    };
}

scripts! {
    APPEND = "lua/append.lua";
    CLAIM = "lua/claim.lua";
    FORGOTTEN = "lua/forgotten.lua";
    SET_IDLE = "lua/set_idle.lua";
    SETTLE = "lua/settle.lua";
    SETTLE_ALL = "lua/settle_all.lua";
    LEAVE = "lua/leave.lua";
    LAG = "lua/lag.lua";
    DELETE = "lua/groups.lua" "lua/delete.lua";
    TRIM = "lua/groups.lua" "lua/trim.lua";
    REMOVE = "lua/groups.lua" "lua/remove.lua";
    INFO = "lua/groups.lua" "lua/info.lua";
}

/// The [`EventLog`] on a Redis server.
#[derive(Clone)]
pub(in crate::backend) struct RedisEventLog {
    client: Client,
}

impl RedisEventLog {
    pub(in crate::backend) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Does `ask` and reads its answer with `read`; `f` makes the future of both.
    fn answer<T, F>(&self, log: &LogName, f: impl FnOnce(On) -> F) -> Answer<Result<T, Error>>
    where
        T: 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        Answer::pending(f(On { client: self.client.clone(), log: log.clone(), group: None }))
    }

    /// Sets how long entries have been idle, and takes that many deliveries off their count.
    fn idle(
        &self,
        consumer: &Consumer,
        uncounted: &'static str,
        of: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>> {
        let consumer = consumer.clone();
        self.answer(&consumer.log.clone(), move |on| async move {
            let idle = millis(idle).to_string();
            let args = texts([consumer.group.as_str(), consumer.name.as_str(), idle.as_str(), uncounted]);
            nothing_without_group(
                on.clone().of(&consumer.group).script(&SET_IDLE, &with_ids(args, &of)).await,
            )
            .and_then(|mine| on.expect(ids(mine)))
        })
    }
}

/// A log, and what there is to say of it in errors.
#[derive(Clone)]
pub(super) struct On {
    pub(super) client: Client,
    pub(super) log: LogName,
    pub(super) group: Option<GroupName>,
}

impl On {
    pub(super) fn of(mut self, group: &GroupName) -> Self {
        self.group = Some(group.clone());
        self
    }

    pub(super) fn key(&self) -> String {
        self.client.key(self.log.as_str())
    }

    /// What a failure means.
    pub(super) fn failed(&self, failure: Failure) -> Error {
        let log = self.log.clone();
        match (failure.code(), &self.group) {
            (Some("WRONGTYPE"), _) => Error::NoLog { log },
            (Some("NOGROUP"), Some(group)) => Error::NoGroup { log, group: group.clone() },
            _ if failure.is_retryable() => Error::Unavailable { log, source: Arc::new(failure) },
            _ => Error::Refused { log, source: Arc::new(failure) },
        }
    }

    pub(super) fn refused(&self, reason: String) -> Error {
        Error::Refused { log: self.log.clone(), source: Arc::new(super::explain::Refused(reason)) }
    }

    async fn query(&self, cmd: Cmd) -> Result<Value, Error> {
        self.client.query(cmd).await.map_err(|failure| self.failed(failure))
    }

    async fn script(&self, script: &Script, args: &[Data]) -> Result<Value, Error> {
        let keys = [self.key()];
        self.client.script(script, &keys, args).await.map_err(|failure| self.failed(failure))
    }

    /// What an answer says, if it is one that belongs here.
    pub(super) fn expect<T>(&self, read: Option<T>) -> Result<T, Error> {
        read.ok_or_else(|| self.refused("it answered what does not belong to the command".to_owned()))
    }
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Data> {
    texts.into_iter().map(Data::from).collect()
}

fn with_ids(mut args: Vec<Data>, ids: &[EventId]) -> Vec<Data> {
    args.extend(ids.iter().map(|id| Data::from(id.to_string())));
    args
}

impl EventLog for RedisEventLog {
    fn append(&self, log: &LogName, events: Vec<Event>) -> Answer<Result<Vec<EventId>, Error>> {
        self.answer(log, |on| async move {
            match events.as_slice() {
                [] => Ok(Vec::new()),
                [event] => {
                    let at = on.query(addition(&on.key(), event)).await?;
                    Ok(vec![on.expect(id(&at))?])
                }
                events => {
                    // What a script could not do when it is needed.
                    if events.iter().any(|event| event.fields().len() > FIELDS) {
                        return Err(on.too_many_fields());
                    }
                    let key = on.key();
                    let commands = events.iter().map(|event| addition(&key, event));
                    match on.client.transaction(commands).await.map_err(|failure| on.failed(failure))? {
                        Some(at) => on.expect(at.iter().map(id).collect()),
                        None => on.append_patiently(events).await,
                    }
                }
            }
        })
    }

    fn range(
        &self,
        log: &LogName,
        from: EventId,
        to: EventId,
        count: usize,
    ) -> Answer<Result<Vec<Entry>, Error>> {
        self.answer(log, move |on| async move {
            let mut cmd = redis::cmd("XRANGE");
            cmd.arg(on.key()).arg(from.to_string()).arg(to.to_string()).arg("COUNT").arg(count);
            // A count of 0 would be no limit at all.
            let found = if count == 0 { Value::Nil } else { on.query(cmd).await? };
            on.expect(entries(found))
        })
    }

    fn follow(&self, log: &LogName, after: EventId, count: usize) -> Answer<Result<Vec<Entry>, Error>> {
        self.answer(log, move |on| async move {
            let after = if after == EventId::MAX { on.state().await?.last } else { after };
            reading::follow(&on, after, count).await
        })
    }

    fn info(&self, log: &LogName) -> Answer<Result<LogInfo, Error>> {
        self.answer(log, |on| async move { on.info().await })
    }

    fn delete(&self, log: &LogName, deleted: Vec<EventId>) -> Answer<Result<Vec<EventId>, Error>> {
        self.answer(log, |on| async move {
            let gone = on.script(&DELETE, &with_ids(Vec::new(), &deleted)).await?;
            on.expect(ids(gone))
        })
    }

    fn trim(&self, log: &LogName, keep: Retention) -> Answer<Result<u64, Error>> {
        self.answer(log, move |on| async move {
            let args = match keep {
                Retention::Entries(n) => texts(["entries", n.to_string().as_str()]),
                Retention::Age(age) => texts(["age", millis(age).to_string().as_str()]),
                Retention::Needed => texts(["needed"]),
            };
            let mut removed = 0;
            // In steps, so that others get their turn.
            loop {
                let step = on.script(&TRIM, &args).await?;
                match on.expect(count_of(&step))? {
                    0 => return Ok(removed),
                    more => removed += more,
                }
            }
        })
    }

    fn remove(&self, log: &LogName) -> Answer<Result<bool, Error>> {
        self.answer(log, |on| async move {
            let removed = on.script(&REMOVE, &[]).await?;
            Ok(on.expect(count_of(&removed))? > 0)
        })
    }

    fn create_group(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<bool, Error>> {
        let group = group.clone();
        self.answer(log, move |on| async move {
            let after = if after == EventId::MAX { "$".to_owned() } else { after.to_string() };
            let mut cmd = redis::cmd("XGROUP");
            cmd.arg("CREATE").arg(on.key()).arg(group.as_str()).arg(after).arg("MKSTREAM");
            match on.client.query(cmd).await {
                Ok(_) => Ok(true),
                Err(failure) if failure.code() == Some("BUSYGROUP") => Ok(false),
                Err(failure) => Err(on.failed(failure)),
            }
        })
    }

    fn seek(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<(), Error>> {
        let group = group.clone();
        self.answer(log, move |on| async move {
            let after = if after == EventId::MAX { "$".to_owned() } else { after.to_string() };
            let mut cmd = redis::cmd("XGROUP");
            cmd.arg("SETID").arg(on.key()).arg(group.as_str()).arg(after);
            match on.client.query(cmd).await {
                Ok(_) => Ok(()),
                // There is no such log.
                Err(failure) if failure.to_string().contains("requires the key to exist") => {
                    Err(Error::NoGroup { log: on.log, group })
                }
                Err(failure) => Err(on.of(&group).failed(failure)),
            }
        })
    }

    fn remove_group(&self, log: &LogName, group: &GroupName) -> Answer<Result<bool, Error>> {
        let group = group.clone();
        self.answer(log, move |on| async move {
            let mut cmd = redis::cmd("XGROUP");
            cmd.arg("DESTROY").arg(on.key()).arg(group.as_str());
            match on.client.query(cmd).await {
                Ok(removed) => Ok(on.expect(count_of(&removed))? > 0),
                // There is no such log.
                Err(failure) if failure.to_string().contains("requires the key to exist") => Ok(false),
                Err(failure) => Err(on.failed(failure)),
            }
        })
    }

    fn read(&self, consumer: &Consumer, count: usize) -> Answer<Result<Vec<Delivered>, Error>> {
        let consumer = consumer.clone();
        self.answer(&consumer.log.clone(), move |on| async move {
            reading::read(&on.of(&consumer.group), &consumer, count).await
        })
    }

    fn claim(
        &self,
        consumer: &Consumer,
        idle: Duration,
        count: usize,
    ) -> Answer<Result<Vec<Delivered>, Error>> {
        let consumer = consumer.clone();
        self.answer(&consumer.log.clone(), move |on| async move {
            let on = on.of(&consumer.group);
            let numbers = [millis(idle).to_string(), count.to_string(), millis(GONE).to_string()];
            let names = [consumer.group.as_str(), consumer.name.as_str()];
            let args = texts(names.into_iter().chain(numbers.iter().map(String::as_str)));
            let claimed = on.script(&CLAIM, &args).await?;
            on.expect(delivered(claimed))
        })
    }

    fn forgotten(&self, consumer: &Consumer, known: Vec<EventId>) -> Answer<Result<Vec<Delivered>, Error>> {
        let consumer = consumer.clone();
        self.answer(&consumer.log.clone(), move |on| async move {
            let on = on.of(&consumer.group);
            let names = texts([consumer.group.as_str(), consumer.name.as_str()]);
            let given = on.script(&FORGOTTEN, &with_ids(names, &known)).await?;
            on.expect(delivered(given))
        })
    }

    fn set_idle(
        &self,
        consumer: &Consumer,
        of: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>> {
        self.idle(consumer, "0", of, idle)
    }

    fn put_back(
        &self,
        consumer: &Consumer,
        of: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>> {
        self.idle(consumer, "1", of, idle)
    }

    fn acknowledge(&self, log: &LogName, group: &GroupName, ids: Vec<EventId>) -> Answer<Result<u64, Error>> {
        if ids.is_empty() {
            return Answer::ready(Ok(0));
        }
        let group = group.clone();
        self.answer(log, move |on| async move {
            let mut cmd = redis::cmd("XACK");
            cmd.arg(on.key()).arg(group.as_str());
            for id in &ids {
                cmd.arg(id.to_string());
            }
            let done = on.query(cmd).await?;
            on.expect(count_of(&done))
        })
    }

    fn settle(
        &self,
        consumer: &Consumer,
        id: EventId,
        append: Vec<(LogName, Event)>,
    ) -> Answer<Result<bool, Error>> {
        let consumer = consumer.clone();
        self.answer(&consumer.log.clone(), move |on| async move {
            let on = on.of(&consumer.group);
            let id = id.to_string();
            let mut args = texts([consumer.group.as_str(), consumer.name.as_str(), id.as_str()]);
            let mut keys = vec![on.key()];
            for (log, event) in &append {
                keys.push(on.client.key(log.as_str()));
                let fields = appended(event).ok_or_else(|| on.too_many_fields())?;
                args.push(number(fields.len()));
                args.extend(fields);
            }
            let settled = on.client.script(&SETTLE, &keys, &args).await.map_err(|failure| on.failed(failure));
            let settled = nothing_without_group(settled)?;
            match integer(&settled) {
                Some(done @ 0..) => Ok(done > 0),
                Some(no_log) => {
                    let number = usize::try_from(no_log.unsigned_abs()).unwrap_or(usize::MAX);
                    let log = append.get(number.saturating_sub(2)).map(|(log, _)| log.clone());
                    Err(Error::NoLog { log: log.unwrap_or_else(|| on.log.clone()) })
                }
                None if settled == Value::Nil => Ok(false),
                None => on.expect(None),
            }
        })
    }

    fn settle_all(&self, consumer: &Consumer, entries: Vec<Settling>) -> Answer<Result<Vec<bool>, Error>> {
        let consumer = consumer.clone();
        self.answer(&consumer.log.clone(), move |on| async move {
            let on = on.of(&consumer.group);
            let mut settled = Vec::with_capacity(entries.len());
            let mut entries = entries.as_slice();
            while !entries.is_empty() {
                let mut args = texts([consumer.group.as_str(), consumer.name.as_str()]);
                let mut keys = vec![on.key()];
                // Where each log is among the keys.
                let mut places: Vec<&LogName> = Vec::new();
                let mut taken = 0;
                for (id, append) in entries {
                    args.push(Data::from(id.to_string()));
                    args.push(number(append.len()));
                    for (log, event) in append {
                        let place = places.iter().position(|held| *held == log).unwrap_or_else(|| {
                            places.push(log);
                            keys.push(on.client.key(log.as_str()));
                            places.len() - 1
                        });
                        let fields = appended(event).ok_or_else(|| on.too_many_fields())?;
                        args.push(number(place + 2));
                        args.push(number(fields.len()));
                        args.extend(fields);
                    }
                    taken += 1;
                    if args.len() > MOST_ARGUMENTS {
                        break;
                    }
                }
                let answer =
                    on.client.script(&SETTLE_ALL, &keys, &args).await.map_err(|failure| on.failed(failure));
                let answer = nothing_without_group(answer)?;
                match integer(&answer) {
                    Some(no_log) => {
                        let number = usize::try_from(no_log.unsigned_abs()).unwrap_or(usize::MAX);
                        let log = places.get(number.saturating_sub(2)).map(|log| (*log).clone());
                        return Err(Error::NoLog { log: log.unwrap_or_else(|| on.log.clone()) });
                    }
                    None if answer == Value::Nil => settled.extend(std::iter::repeat_n(false, taken)),
                    None => {
                        let each = list(answer)
                            .map(|each| each.iter().map(|done| integer(done) == Some(1)).collect());
                        settled.extend(on.expect::<Vec<bool>>(each)?);
                    }
                }
                entries = entries.get(taken..).unwrap_or_default();
            }
            Ok(settled)
        })
    }

    fn pending(
        &self,
        log: &LogName,
        group: &GroupName,
        from: EventId,
        count: usize,
    ) -> Answer<Result<Vec<Pending>, Error>> {
        let group = group.clone();
        self.answer(log, move |on| async move {
            let on = on.of(&group);
            let mut cmd = redis::cmd("XPENDING");
            cmd.arg(on.key()).arg(group.as_str()).arg(from.to_string()).arg("+").arg(count);
            let held = on.query(cmd).await?;
            on.expect(list(held).and_then(|held| held.into_iter().map(pending).collect()))
        })
    }

    fn consumers(&self, log: &LogName, group: &GroupName) -> Answer<Result<Vec<ConsumerInfo>, Error>> {
        let group = group.clone();
        self.answer(log, move |on| async move {
            let mut cmd = redis::cmd("XINFO");
            cmd.arg("CONSUMERS").arg(on.key()).arg(group.as_str());
            let on = on.of(&group);
            match on.query(cmd).await {
                Ok(held) => on.expect(list(held).and_then(|held| held.into_iter().map(consumer).collect())),
                Err(Error::NoGroup { .. }) => Ok(Vec::new()),
                // There is no such log.
                Err(Error::Refused { source, .. }) if source.to_string().contains("no such key") => {
                    Ok(Vec::new())
                }
                Err(error) => Err(error),
            }
        })
    }

    fn leave(&self, consumer: &Consumer) -> Answer<Result<(), Error>> {
        let consumer = consumer.clone();
        self.answer(&consumer.log.clone(), move |on| async move {
            let names = texts([consumer.group.as_str(), consumer.name.as_str()]);
            let left = on.clone().of(&consumer.group).script(&LEAVE, &names).await;
            nothing_without_group(left).map(drop)
        })
    }
}

/// The command that appends an event.
fn addition(key: &str, event: &Event) -> Cmd {
    let fields = written(event);
    let bytes: usize = fields.iter().map(|(name, json)| name.len() + json.len()).sum();
    let mut cmd = Cmd::with_capacity(3 + 2 * fields.len(), 5 + key.len() + bytes);
    cmd.arg("XADD").arg(key).arg("*");
    for (name, json) in fields {
        cmd.arg(name).arg(json);
    }
    cmd
}

/// Where nothing is to be done if there is no group.
fn nothing_without_group(answer: Result<Value, Error>) -> Result<Value, Error> {
    match answer {
        Err(Error::NoGroup { .. }) => Ok(Value::Nil),
        answer => answer,
    }
}

impl On {
    fn too_many_fields(&self) -> Error {
        self.refused(format!("an event of more than {FIELDS} fields can only be appended by itself"))
    }

    /// Appends as one by a script, which is tried again as long as the server cannot do it.
    async fn append_patiently(&self, events: &[Event]) -> Result<Vec<EventId>, Error> {
        let mut args = Vec::new();
        for event in events {
            let fields = appended(event).ok_or_else(|| self.too_many_fields())?;
            args.push(number(fields.len()));
            args.extend(fields);
        }
        let at = self.script(&APPEND, &args).await?;
        self.expect(ids(at))
    }

    /// As the server knows it.
    async fn state(&self) -> Result<LogInfo, Error> {
        let state = self.script(&INFO, &[]).await?;
        self.expect(info(state))
    }

    async fn info(&self) -> Result<LogInfo, Error> {
        let mut info = self.state().await?;
        for group in &mut info.groups {
            if group.lag == UNKNOWN {
                group.lag = self.lag(group.last_delivered).await?;
            }
        }
        Ok(info)
    }

    /// Counts what is behind an id, in steps, so that others get their turn.
    async fn lag(&self, mut last: EventId) -> Result<u64, Error> {
        let mut lag = 0;
        loop {
            let args = texts([last.to_string().as_str(), COUNTED.to_string().as_str()]);
            let counted = self.script(&LAG, &args).await?;
            let mut counted = self.expect(list(counted))?.into_iter();
            let count = self.expect(counted.next().as_ref().and_then(count_of))?;
            last = self.expect(counted.next().as_ref().and_then(id))?;
            lag += count;
            if count < COUNTED.unsigned_abs() {
                return Ok(lag);
            }
        }
    }
}

impl fmt::Debug for RedisEventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisEventLog").field(&self.client).finish()
    }
}
