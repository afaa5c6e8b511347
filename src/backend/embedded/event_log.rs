//! The logs in memory.

use super::log::Log;
use super::redo::{LogRedos, Redos};
use super::size;
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
    /// What `f` reads from a log.
    fn on_log<R>(&self, name: &LogName, f: impl FnOnce(&mut Log) -> R) -> R {
        let mut logs = self.logs.lock();
        match logs.get_mut(name) {
            Some(log) => f(log),
            None => f(logs.entry(name.clone()).or_default()),
        }
    }

    /// What `f` did to the logs, and the batch after which that is kept.
    fn change_logs<R>(&self, f: impl FnOnce(&mut Logs, &mut Redos) -> R) -> (R, u64) {
        let mut logs = self.logs.lock();
        let mut redos = self.redos();
        let done = f(&mut logs, &mut redos);
        (done, self.keep(redos))
    }

    /// What `f` finds in the log, waiting for news as long as that is nothing; it may change the log if it does
    /// `write`. What it finds is kept when this returns.
    async fn wait_for<R>(
        &self,
        name: &LogName,
        write: bool,
        mut f: impl FnMut(&mut Log, &mut LogRedos) -> Result<Option<R>, Error>,
    ) -> Result<R, Error> {
        loop {
            let news = self.on_log(name, |log| log.news.clone());
            let notified = news.notified();
            tokio::pin!(notified);
            // In line before looking, so that nothing appended between looking and waiting is overheard.
            notified.as_mut().enable();
            if write {
                self.admitted().await.map_err(|trouble| trouble.with_log(name))?;
            }
            let (found, batch) = self.change_logs(|logs, redos| {
                let log = logs.entry(name.clone()).or_default();
                f(log, &mut LogRedos::new(name, redos))
            });
            if let Some(found) = found? {
                self.kept(batch).await.map_err(|trouble| trouble.with_log(name))?;
                return Ok(found);
            }
            notified.await;
        }
    }
}

impl MemoryStore {
    /// Does `f` to the log when there is room for it; the answer is there when that is kept.
    fn on_log<R: Send + 'static>(
        &self,
        name: &LogName,
        f: impl FnOnce(&mut Log, &mut LogRedos) -> Result<R, Error> + Send + 'static,
    ) -> Answer<Result<R, Error>> {
        let log = name.clone();
        self.on_logs(name, move |logs, redos| match logs.get_mut(&log) {
            Some(held) => f(held, &mut LogRedos::new(&log, redos)),
            None => f(logs.entry(log.clone()).or_default(), &mut LogRedos::new(&log, redos)),
        })
    }

    fn on_logs<R: Send + 'static>(
        &self,
        name: &LogName,
        f: impl FnOnce(&mut Logs, &mut Redos) -> Result<R, Error> + Send + 'static,
    ) -> Answer<Result<R, Error>> {
        let name = name.clone();
        self.durably(move |trouble| trouble.with_log(&name), move |store| store.inner.change_logs(f))
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
        if self.inner.is_durable()
            && let Err(error) = size::check_events(log, &events)
        {
            return Answer::ready(Err(error));
        }
        self.on_log(log, |log, redos| Ok(events.into_iter().map(|event| log.append(event, redos)).collect()))
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
            let find = |log: &mut Log, _: &mut LogRedos| {
                let from = *from.get_or_insert_with(|| log.last().next());
                Ok(some(log.range(from, EventId::MAX, count)))
            };
            inner.wait_for(&name, false, find).await
        })
    }

    fn info(&self, log: &LogName) -> Answer<Result<LogInfo, Error>> {
        Answer::ready(Ok(self.inner.on_log(log, |log| log.info())))
    }

    fn delete(&self, log: &LogName, ids: Vec<EventId>) -> Answer<Result<Vec<EventId>, Error>> {
        self.on_log(log, |log, redos| Ok(log.delete(ids, redos)))
    }

    fn trim(&self, log: &LogName, keep: Retention) -> Answer<Result<u64, Error>> {
        self.on_log(log, move |log, redos| Ok(log.trim(keep, redos)))
    }

    fn remove(&self, log: &LogName) -> Answer<Result<bool, Error>> {
        let name = log.clone();
        self.on_logs(log, move |logs, redos| {
            let Some(log) = logs.remove(&name) else { return Ok(false) };
            log.forget(&mut LogRedos::new(&name, redos));
            Ok(log.exists())
        })
    }

    fn create_group(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<bool, Error>> {
        let group = group.clone();
        self.on_log(log, move |log, redos| Ok(log.create_group(&group, after, redos)))
    }

    fn seek(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<(), Error>> {
        let (name, group) = (log.clone(), group.clone());
        self.on_log(
            log,
            move |log, redos| {
                if log.seek(&group, after, redos) { Ok(()) } else { Err(no_group(&name, &group)) }
            },
        )
    }

    fn remove_group(&self, log: &LogName, group: &GroupName) -> Answer<Result<bool, Error>> {
        let group = group.clone();
        self.on_log(log, move |log, redos| Ok(log.remove_group(&group, redos)))
    }

    fn read(&self, consumer: &Consumer, count: usize) -> Answer<Result<Vec<Delivered>, Error>> {
        let (inner, consumer) = (self.inner.clone(), consumer.clone());
        Answer::pending(async move {
            let Consumer { log, group, name } = &consumer;
            let find = |held: &mut Log, redos: &mut LogRedos| match held.read(group, name, count, redos) {
                Some(read) => Ok(some(read)),
                None => Err(no_group(log, group)),
            };
            inner.wait_for(log, true, find).await
        })
    }

    fn claim(
        &self,
        consumer: &Consumer,
        idle: Duration,
        count: usize,
    ) -> Answer<Result<Vec<Delivered>, Error>> {
        let of = consumer.clone();
        self.on_log(&consumer.log, move |log, redos| {
            let ended = |pending: &Pending| pending.idle >= idle;
            let claimed = log.deliver_again(&of.group, &of.name, count, ended, redos);
            claimed.ok_or_else(|| no_group(&of.log, &of.group))
        })
    }

    fn forgotten(&self, consumer: &Consumer, known: Vec<EventId>) -> Answer<Result<Vec<Delivered>, Error>> {
        let of = consumer.clone();
        self.on_log(&consumer.log, move |log, redos| {
            let forgotten = |pending: &Pending| pending.consumer == of.name && !known.contains(&pending.id);
            let given = log.deliver_again(&of.group, &of.name, usize::MAX, forgotten, redos);
            given.ok_or_else(|| no_group(&of.log, &of.group))
        })
    }

    fn set_idle(
        &self,
        consumer: &Consumer,
        ids: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>> {
        let of = consumer.clone();
        self.on_log(&consumer.log, move |log, redos| {
            Ok(log.set_idle(&of.group, &of.name, ids, (idle, 0), redos))
        })
    }

    fn put_back(
        &self,
        consumer: &Consumer,
        ids: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>> {
        let of = consumer.clone();
        self.on_log(&consumer.log, move |log, redos| {
            Ok(log.set_idle(&of.group, &of.name, ids, (idle, 1), redos))
        })
    }

    fn acknowledge(&self, log: &LogName, group: &GroupName, ids: Vec<EventId>) -> Answer<Result<u64, Error>> {
        let group = group.clone();
        self.on_log(log, move |log, redos| Ok(log.acknowledge(&group, &ids, redos)))
    }

    fn settle(
        &self,
        consumer: &Consumer,
        id: EventId,
        append: Vec<(LogName, Event)>,
    ) -> Answer<Result<bool, Error>> {
        if self.inner.is_durable()
            && let Err(error) = size::check_events(&consumer.log, append.iter().map(|(_, event)| event))
        {
            return Answer::ready(Err(error));
        }
        let of = consumer.clone();
        self.on_logs(&consumer.log, move |logs, redos| {
            let log = logs.entry(of.log.clone()).or_default();
            let mine = log.is_pending(&of.group, &of.name, id);
            if mine {
                log.acknowledge(&of.group, &[id], &mut LogRedos::new(&of.log, redos));
                for (log, event) in append {
                    let held = logs.entry(log.clone()).or_default();
                    held.append(event, &mut LogRedos::new(&log, redos));
                }
            }
            Ok(mine)
        })
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
        let of = consumer.clone();
        self.on_log(&consumer.log, move |log, redos| {
            log.leave(&of.group, &of.name, redos);
            Ok(())
        })
    }
}
