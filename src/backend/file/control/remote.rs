//! Knowledge and channels of a directory that another process owns.

use super::client::{Client, NotConnected};
use super::failure::Failure;
use super::link::{Following, Sink};
use super::message::Request;
use crate::backend::keeper::Keeper;
use crate::channel::{self, ChannelName, Pattern, Payload, PubSub, Subscription, Topic, Topics};
use crate::knowledge::{
    Changes, Command, Committed, Cursor, Error, Filter, Key, Keys, Page, Pop, Popped, Reply, Store,
    Transaction,
};
use crate::stream::Answer;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;

/// A store, channels and logs by way of their owner.
#[derive(Debug)]
pub(in crate::backend::file) struct Remote {
    client: Client,
}

impl Remote {
    /// Connects to the owner of `dir`; `None` if it has none.
    ///
    /// # Errors
    /// Why there is no connection although there seems to be an owner.
    pub(in crate::backend::file) async fn connect(dir: &Path, name: &str) -> Result<Option<Self>, String> {
        match Client::connect(dir, name).await {
            Ok(client) => Ok(Some(Self { client })),
            Err(NotConnected::NoOwner) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Asks the owner; a failure becomes an error by `told`.
    pub(super) fn call<T, E>(
        &self,
        request: Request,
        told: impl FnOnce(Failure) -> E + Send + 'static,
    ) -> Answer<Result<T, E>>
    where
        T: DeserializeOwned + Send + 'static,
        E: Send + 'static,
    {
        let link = self.client.link.clone();
        Answer::pending(async move {
            let number = link.number();
            link.call(number, request, None).await.map_err(told)
        })
    }

    /// Asks the owner for something that goes on: `sink` makes both its ends, one of which says when it is no longer
    /// wanted.
    fn follow<S: Send + 'static, E: Send + 'static>(
        &self,
        request: Request,
        sink: impl FnOnce(Box<dyn FnOnce() + Send + Sync>) -> (Sink, S) + Send + 'static,
        told: impl FnOnce(Failure) -> E + Send + 'static,
    ) -> Answer<Result<S, E>> {
        let link = self.client.link.clone();
        Answer::pending(async move {
            let number = link.number();
            let weak = Arc::downgrade(&link);
            let (sink, stream) = sink(Box::new(move || {
                if let Some(link) = weak.upgrade() {
                    link.cancel(number);
                }
            }));
            let following = Following { request: request.clone(), sink: Arc::new(sink) };
            link.call::<()>(number, request, Some(following)).await.map_err(told)?;
            Ok(stream)
        })
    }
}

impl Keeper for Remote {
    fn close(&self) -> Answer<()> {
        self.client.close();
        Answer::ready(())
    }
}

impl Store for Remote {
    fn run(&self, key: &Key, command: Command) -> Answer<Result<Reply, Error>> {
        let key = key.clone();
        self.call(Request::Run(key.clone(), command), move |failure| failure.with_key(&key))
    }

    fn pop(&self, key: &Key, from: Pop) -> Answer<Result<Popped, Error>> {
        let key = key.clone();
        self.call(Request::Pop(key.clone(), from), move |failure| failure.with_key(&key))
    }

    fn commit(&self, transaction: Transaction) -> Answer<Result<Committed, Error>> {
        self.call(Request::Commit(transaction.clone()), move |failure| failure.with_transaction(transaction))
    }

    fn scan(&self, pattern: &Pattern, from: Cursor) -> Answer<Result<Page, Error>> {
        let key = Key::from(pattern.as_str());
        self.call(Request::Scan(pattern.clone(), from), move |failure| failure.with_key(&key))
    }

    fn watch(&self, filter: Filter) -> Answer<Result<Changes, Error>> {
        let key = match filter.keys() {
            Keys::One(key) => key.clone(),
            Keys::Matching(pattern) => pattern.as_str().into(),
        };
        self.follow(
            Request::Watch(filter.clone()),
            move |end| {
                let (sender, changes) = Changes::bounded(filter, end);
                (Sink::Changes(sender), changes)
            },
            move |failure| failure.with_key(&key),
        )
    }
}

impl PubSub for Remote {
    fn publish(&self, channel: &ChannelName, payloads: &[Payload]) -> Answer<Result<u64, channel::Error>> {
        let topic = channel.to_string();
        let payloads = payloads.iter().map(|payload| payload[..].into()).collect();
        self.call(Request::Publish(channel.clone(), payloads), move |failure| failure.with_topic(topic))
    }

    fn subscribe(&self, topics: Topics) -> Answer<Result<Subscription, channel::Error>> {
        let topic = topics.topics().iter().map(|topic| match topic {
            Topic::Name(name) => name.as_str(),
            Topic::Pattern(pattern) => pattern.as_str(),
        });
        let topic = topic.collect::<Vec<_>>().join(", ");
        self.follow(
            Request::Subscribe(topics.clone()),
            move |end| {
                let (sender, subscription) = Subscription::bounded(topics, end);
                (Sink::Payloads(sender), subscription)
            },
            move |failure| failure.with_topic(topic),
        )
    }
}
