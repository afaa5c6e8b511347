//! Logs of a directory that another process owns.

use super::message::{LogRequest, Request};
use super::remote::Remote;
use crate::event::{
    Consumer, Delivered, Entry, Error, Event, EventId, EventLog, GroupName, LogInfo, LogName, Pending,
    Retention,
};
use crate::stream::Answer;
use serde::de::DeserializeOwned;
use std::time::Duration;

impl Remote {
    fn log<T: DeserializeOwned + Send + 'static>(
        &self,
        log: &LogName,
        request: LogRequest,
    ) -> Answer<Result<T, Error>> {
        let log = log.clone();
        self.call(Request::Log(request), move |failure| failure.with_log(&log))
    }
}

impl EventLog for Remote {
    fn append(&self, log: &LogName, events: Vec<Event>) -> Answer<Result<Vec<EventId>, Error>> {
        self.log(log, LogRequest::Append(log.clone(), events))
    }

    fn range(
        &self,
        log: &LogName,
        from: EventId,
        to: EventId,
        count: usize,
    ) -> Answer<Result<Vec<Entry>, Error>> {
        self.log(log, LogRequest::Range(log.clone(), from, to, count))
    }

    fn follow(&self, log: &LogName, after: EventId, count: usize) -> Answer<Result<Vec<Entry>, Error>> {
        self.log(log, LogRequest::Follow(log.clone(), after, count))
    }

    fn info(&self, log: &LogName) -> Answer<Result<LogInfo, Error>> {
        self.log(log, LogRequest::Info(log.clone()))
    }

    fn delete(&self, log: &LogName, ids: Vec<EventId>) -> Answer<Result<Vec<EventId>, Error>> {
        self.log(log, LogRequest::Delete(log.clone(), ids))
    }

    fn trim(&self, log: &LogName, keep: Retention) -> Answer<Result<u64, Error>> {
        self.log(log, LogRequest::Trim(log.clone(), keep))
    }

    fn remove(&self, log: &LogName) -> Answer<Result<bool, Error>> {
        self.log(log, LogRequest::Remove(log.clone()))
    }

    fn create_group(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<bool, Error>> {
        self.log(log, LogRequest::CreateGroup(log.clone(), group.clone(), after))
    }

    fn seek(&self, log: &LogName, group: &GroupName, after: EventId) -> Answer<Result<(), Error>> {
        self.log(log, LogRequest::Seek(log.clone(), group.clone(), after))
    }

    fn remove_group(&self, log: &LogName, group: &GroupName) -> Answer<Result<bool, Error>> {
        self.log(log, LogRequest::RemoveGroup(log.clone(), group.clone()))
    }

    fn read(&self, consumer: &Consumer, count: usize) -> Answer<Result<Vec<Delivered>, Error>> {
        self.log(&consumer.log, LogRequest::Read(consumer.clone(), count))
    }

    fn claim(
        &self,
        consumer: &Consumer,
        idle: Duration,
        count: usize,
    ) -> Answer<Result<Vec<Delivered>, Error>> {
        self.log(&consumer.log, LogRequest::Claim(consumer.clone(), idle, count))
    }

    fn forgotten(&self, consumer: &Consumer, known: Vec<EventId>) -> Answer<Result<Vec<Delivered>, Error>> {
        self.log(&consumer.log, LogRequest::Forgotten(consumer.clone(), known))
    }

    fn set_idle(
        &self,
        consumer: &Consumer,
        ids: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>> {
        self.log(&consumer.log, LogRequest::SetIdle(consumer.clone(), ids, idle))
    }

    fn put_back(
        &self,
        consumer: &Consumer,
        ids: Vec<EventId>,
        idle: Duration,
    ) -> Answer<Result<Vec<EventId>, Error>> {
        self.log(&consumer.log, LogRequest::PutBack(consumer.clone(), ids, idle))
    }

    fn acknowledge(&self, log: &LogName, group: &GroupName, ids: Vec<EventId>) -> Answer<Result<u64, Error>> {
        self.log(log, LogRequest::Acknowledge(log.clone(), group.clone(), ids))
    }

    fn settle(
        &self,
        consumer: &Consumer,
        id: EventId,
        append: Vec<(LogName, Event)>,
    ) -> Answer<Result<bool, Error>> {
        self.log(&consumer.log, LogRequest::Settle(consumer.clone(), id, append))
    }

    fn pending(
        &self,
        log: &LogName,
        group: &GroupName,
        from: EventId,
        count: usize,
    ) -> Answer<Result<Vec<Pending>, Error>> {
        self.log(log, LogRequest::Pending(log.clone(), group.clone(), from, count))
    }

    fn leave(&self, consumer: &Consumer) -> Answer<Result<(), Error>> {
        self.log(&consumer.log, LogRequest::Leave(consumer.clone()))
    }
}
