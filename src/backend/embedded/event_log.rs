//! The logs in memory.

use super::log::Log;
use super::store::{Inner, MemoryStore};
use crate::event::{
    Consumer, Delivered, Entry, Error, Event, EventId, EventLog, GroupName, LogInfo, LogName, Pending,
    Retention,
};
use crate::stream::Answer;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::time::Duration;

/// All logs; behind one lock, which is taken after those of the shards.
pub(super) type Logs = HashMap<LogName, Log, RandomState>;

impl Inner {
    fn on_log<R>(&self, name: &LogName, f: impl FnOnce(&mut Log) -> R) -> R {
        let mut logs = self.logs.lock();
        match logs.get_mut(name) {
            Some(log) => f(log),
            None => f(logs.entry(name.clone()).or_default()),
        }
    }

    /// What `f` finds in the log, waiting for news as long as that is nothing.
    async fn wait_for<R>(
        &self,
        name: &LogName,
        mut f: impl FnMut(&mut Log) -> Result<Option<R>, Error>,
    ) -> Result<R, Error> {
        loop {
            let news = self.on_log(name, |log| log.news.clone());
            let notified = news.notified();
            tokio::pin!(notified);
            // In line before looking, so that nothing appended between looking and waiting is overheard.
            notified.as_mut().enable();
            if let Some(found) = self.on_log(name, &mut f)? {
                return Ok(found);
            }
            notified.await;
        }
    }
}

fn no_group(log: &LogName, group: &GroupName) -> Error {
    Error::NoGroup { log: log.clone(), group: group.clone() }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

impl EventLog for MemoryStore {
    fn append(&self, log: &LogName, events: Vec<Event>) -> Answer<Result<Vec<EventId>, Error>> {
        let append = |log: &mut Log| events.into_iter().map(|event| log.append(event)).collect();
        Answer::ready(Ok(self.inner.on_log(log, append)))
    }

    fn range(
        &self,
        log: &LogName,
        from: EventId,
        to: EventId,
        count: usize,
    ) -> Answer<Result<Vec<Entry>, Error>> {
        Answer::ready(Ok(self.inner.on_log(log, |log| log.range(from, to, count))))
    }

    fn follow(&self, log: &LogName, after: EventId, count: usize) -> Answer<Result<Vec<Entry>, Error>> {
        let (inner, name) = (self.inner.clone(), log.clone());
        let mut from = (after < EventId::MAX).then(|| after.next());
        Answer::pending(async move {
            let find = |log: &mut Log| {
                let from = *from.get_or_insert_with(|| log.last().next());
                Ok(some(log.range(from, EventId::MAX, count)))
            };
            inner.wait_for(&name, find).await
        })
    }

    fn info(&self, log: &LogName) -> Answer<Result<LogInfo, Error>> {
        Answer::ready(Ok(self.inner.on_log(log, |log| log.info())))
    }

    fn delete(&self, log: &LogName, ids: Vec<EventId>) -> Answer<Result<Vec<EventId>, Error>> {
        Answer::ready(Ok(self.inner.on_log(log, |log| log.delete(ids))))
    }

    fn trim(&self, log: &LogName, keep: Retention) -> Answer<Result<u64, Error>> {
        Answer::ready(Ok(self.inner.on_log(log, |log| log.trim(keep).len() as u64)))
    }

    fn remove(&self, log: &LogName) -> Answer<Result<bool, Error>> {
        let removed = self.inner.logs.lock().remove(log);
        if let Some(log) = &removed {
            log.news.notify_waiters();
        }
        Answer::ready(Ok(removed.is_some_and(|log| log.exists())))
    }

    fn create_group(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<bool, Error>> {
        Answer::ready(Ok(self.inner.on_log(log, |log| log.create_group(group, after))))
    }

    fn remove_group(&self, log: &LogName, group: &GroupName) -> Answer<Result<bool, Error>> {
        Answer::ready(Ok(self.inner.on_log(log, |log| log.remove_group(group))))
    }

    fn read(&self, consumer: &Consumer, count: usize) -> Answer<Result<Vec<Delivered>, Error>> {
        let (inner, consumer) = (self.inner.clone(), consumer.clone());
        Answer::pending(async move {
            let Consumer { log, group, name } = &consumer;
            let find = |held: &mut Log| match held.read(group, name, count) {
                Some(read) => Ok(some(read)),
                None => Err(no_group(log, group)),
            };
            inner.wait_for(log, find).await
        })
    }

    fn claim(
        &self,
        consumer: &Consumer,
        idle: Duration,
        count: usize,
    ) -> Answer<Result<Vec<Delivered>, Error>> {
        let Consumer { log, group, name } = consumer;
        let ended = |pending: &Pending| pending.idle >= idle;
        let claimed = self.inner.on_log(log, |log| log.deliver_again(group, name, count, ended));
        Answer::ready(claimed.ok_or_else(|| no_group(log, group)))
    }

    fn forgotten(&self, consumer: &Consumer, known: Vec<EventId>) -> Answer<Result<Vec<Delivered>, Error>> {
        let Consumer { log, group, name } = consumer;
        let forgotten = |pending: &Pending| pending.consumer == *name && !known.contains(&pending.id);
        let given = self.inner.on_log(log, |log| log.deliver_again(group, name, usize::MAX, forgotten));
        Answer::ready(given.ok_or_else(|| no_group(log, group)))
    }

    fn set_idle(
        &self,
        consumer: &Consumer,
        ids: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>> {
        let Consumer { log, group, name } = consumer;
        Answer::ready(Ok(self.inner.on_log(log, |log| log.set_idle(group, name, ids, idle))))
    }

    fn acknowledge(&self, log: &LogName, group: &GroupName, ids: Vec<EventId>) -> Answer<Result<u64, Error>> {
        Answer::ready(Ok(self.inner.on_log(log, |log| log.acknowledge(group, &ids))))
    }

    fn settle(
        &self,
        consumer: &Consumer,
        id: EventId,
        append: Vec<(LogName, Event)>,
    ) -> Answer<Result<bool, Error>> {
        let mut logs = self.inner.logs.lock();
        let log = logs.entry(consumer.log.clone()).or_default();
        let mine = log.is_pending(&consumer.group, &consumer.name, id);
        if mine {
            log.acknowledge(&consumer.group, &[id]);
            for (log, event) in append {
                logs.entry(log).or_default().append(event);
            }
        }
        Answer::ready(Ok(mine))
    }

    fn pending(
        &self,
        log: &LogName,
        group: &GroupName,
        from: EventId,
        count: usize,
    ) -> Answer<Result<Vec<Pending>, Error>> {
        let pending = self.inner.on_log(log, |log| log.pending(group, from, count));
        Answer::ready(pending.ok_or_else(|| no_group(log, group)))
    }

    fn leave(&self, consumer: &Consumer) -> Answer<Result<(), Error>> {
        let Consumer { log, group, name } = consumer;
        self.inner.on_log(log, |log| log.leave(group, name));
        Answer::ready(Ok(()))
    }
}
