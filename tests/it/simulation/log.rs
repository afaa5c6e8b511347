//! Events at the end of a way.

use super::link::{Link, What};
use mape::event::{
    Consumer, Delivered, Entry, Error, Event, EventId, EventLog, GroupName, LogInfo, LogName, Pending,
    Retention,
};
use mape::stream::Answer;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The log as a process sees it.
#[derive(Debug)]
pub(super) struct SlowLog(pub(super) Arc<Link>);

impl SlowLog {
    fn call<T: Send + 'static>(
        &self,
        name: &'static str,
        log: &LogName,
        told: &dyn fmt::Debug,
        perform: impl FnOnce(&dyn EventLog, &LogName) -> Answer<Result<T, Error>> + Send + 'static,
    ) -> Answer<Result<T, Error>> {
        let link = self.0.clone();
        let told = if link.world.tells() { format!("{told:?}") } else { String::new() };
        let (on, log) = (log.as_str().into(), log.clone());
        let away = {
            let log = log.clone();
            move |why| Error::Unavailable { log: log.clone(), source: Arc::new(io::Error::other(why)) }
        };
        Answer::pending(async move {
            let events = link.world.log.clone();
            link.call(What { name, on, told }, || perform(&*events, &log), away).await
        })
    }
}

impl EventLog for SlowLog {
    fn append(&self, log: &LogName, events: Vec<Event>) -> Answer<Result<Vec<EventId>, Error>> {
        let told = if self.0.world.tells() {
            events.iter().map(ToString::to_string).collect()
        } else {
            String::new()
        };
        self.call("append", log, &told, move |inner, log| inner.append(log, events))
    }

    fn range(
        &self,
        log: &LogName,
        from: EventId,
        to: EventId,
        count: usize,
    ) -> Answer<Result<Vec<Entry>, Error>> {
        self.call("range", log, &"", move |inner, log| inner.range(log, from, to, count))
    }

    fn follow(&self, log: &LogName, after: EventId, count: usize) -> Answer<Result<Vec<Entry>, Error>> {
        self.call("follow", log, &"", move |inner, log| inner.follow(log, after, count))
    }

    fn info(&self, log: &LogName) -> Answer<Result<LogInfo, Error>> {
        self.call("info", log, &"", |inner, log| inner.info(log))
    }

    fn delete(&self, log: &LogName, ids: Vec<EventId>) -> Answer<Result<Vec<EventId>, Error>> {
        self.call("delete", log, &ids.clone(), move |inner, log| inner.delete(log, ids))
    }

    fn trim(&self, log: &LogName, keep: Retention) -> Answer<Result<u64, Error>> {
        self.call("trim", log, &"", move |inner, log| inner.trim(log, keep))
    }

    fn remove(&self, log: &LogName) -> Answer<Result<bool, Error>> {
        self.call("remove", log, &"", |inner, log| inner.remove(log))
    }

    fn create_group(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<bool, Error>> {
        let group = group.clone();
        self.call("group", log, &group.clone(), move |inner, log| inner.create_group(log, &group, after))
    }

    fn seek(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<(), Error>> {
        let group = group.clone();
        self.call("seek", log, &group.clone(), move |inner, log| inner.seek(log, &group, after))
    }

    fn remove_group(&self, log: &LogName, group: &GroupName) -> Answer<Result<bool, Error>> {
        let group = group.clone();
        self.call("ungroup", log, &group.clone(), move |inner, log| inner.remove_group(log, &group))
    }

    fn read(&self, consumer: &Consumer, count: usize) -> Answer<Result<Vec<Delivered>, Error>> {
        let consumer = consumer.clone();
        self.call("read", &consumer.log.clone(), &consumer.group.clone(), move |inner, _| {
            inner.read(&consumer, count)
        })
    }

    fn claim(
        &self,
        consumer: &Consumer,
        idle: Duration,
        count: usize,
    ) -> Answer<Result<Vec<Delivered>, Error>> {
        let consumer = consumer.clone();
        let told = consumer.group.clone();
        self.call("claim", &consumer.log.clone(), &told, move |inner, _| inner.claim(&consumer, idle, count))
    }

    fn forgotten(&self, consumer: &Consumer, known: Vec<EventId>) -> Answer<Result<Vec<Delivered>, Error>> {
        let consumer = consumer.clone();
        let told = consumer.group.clone();
        self.call("forgotten", &consumer.log.clone(), &told, move |inner, _| {
            inner.forgotten(&consumer, known)
        })
    }

    fn set_idle(
        &self,
        consumer: &Consumer,
        ids: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>> {
        let consumer = consumer.clone();
        self.call("set_idle", &consumer.log.clone(), &idle, move |inner, _| {
            inner.set_idle(&consumer, ids, idle)
        })
    }

    fn put_back(
        &self,
        consumer: &Consumer,
        ids: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>> {
        let consumer = consumer.clone();
        self.call("put_back", &consumer.log.clone(), &idle, move |inner, _| {
            inner.put_back(&consumer, ids, idle)
        })
    }

    fn acknowledge(&self, log: &LogName, group: &GroupName, ids: Vec<EventId>) -> Answer<Result<u64, Error>> {
        let group = group.clone();
        let told = (group.clone(), ids.clone());
        self.call("acknowledge", log, &told, move |inner, log| inner.acknowledge(log, &group, ids))
    }

    fn settle(
        &self,
        consumer: &Consumer,
        id: EventId,
        append: Vec<(LogName, Event)>,
    ) -> Answer<Result<bool, Error>> {
        let consumer = consumer.clone();
        let told = (
            consumer.group.clone(),
            id,
            append.iter().map(|(_, event)| event.to_string()).collect::<String>(),
        );
        self.call("settle", &consumer.log.clone(), &told, move |inner, _| inner.settle(&consumer, id, append))
    }

    fn pending(
        &self,
        log: &LogName,
        group: &GroupName,
        from: EventId,
        count: usize,
    ) -> Answer<Result<Vec<Pending>, Error>> {
        let group = group.clone();
        self.call("pending", log, &group.clone(), move |inner, log| inner.pending(log, &group, from, count))
    }

    fn leave(&self, consumer: &Consumer) -> Answer<Result<(), Error>> {
        let consumer = consumer.clone();
        self.call("leave", &consumer.log.clone(), &consumer.group.clone(), move |inner, _| {
            inner.leave(&consumer)
        })
    }
}
