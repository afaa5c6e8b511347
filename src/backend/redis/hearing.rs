//! Keeps the connection of all subscriptions.

use super::failure::{Failure, Refusal};
use super::link::{Ended, Link};
use super::pauses::Pauses;
use super::settings::Settings;
use super::shared::Shared;
use super::subscriptions::{Changes, Subscriptions};
use crate::channel::Topic;
use redis::RedisError;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

/// How many topics one command names.
const TOPICS: usize = 256;

/// Connects when the first subscriber comes, and ever again; follows the shared connection from server to server.
pub(super) struct Hearing {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Arc<Settings>,
    pub(super) subscriptions: Arc<Subscriptions>,
}

impl Hearing {
    /// Never ends by itself.
    pub(super) async fn keep(self) {
        while self.subscriptions.is_empty() {
            self.subscriptions.changed().await;
        }
        let mut pauses = Pauses::default();
        let mut lost = None;
        for epoch in 1.. {
            let (link, mut ended) = self.connect(epoch, &mut pauses).await;
            let up = Instant::now();
            let why = tokio::select! {
                biased;
                _ = &mut ended => "the connection was lost".to_owned(),
                () = link.silence() => "the server gave no sign of life".to_owned(),
                () = self.moved(&link) => "the keys are on another server now".to_owned(),
                error = self.hear(&link, &mut lost) => error.to_string(),
            };
            link.close();
            warn!(address = %link.address, "subscriptions to channels of redis are interrupted: {why}");
            lost.get_or_insert_with(Instant::now);
            pauses.lost_after(up.elapsed());
        }
    }

    async fn connect(&self, epoch: u64, pauses: &mut Pauses) -> (Link, Ended) {
        let mut warned = false;
        loop {
            sleep(pauses.before()).await;
            let address = self.shared.until(|link| Some(link.address.clone())).await;
            let subscriptions = self.subscriptions.clone();
            let pushes = Arc::new(move |push| subscriptions.take(epoch, push));
            let obstacle = match Link::open(&self.settings, &address, epoch, Some(pushes)).await {
                Ok(opened) => return opened,
                Err(obstacle) => obstacle,
            };
            if !obstacle.is_passing() {
                pauses.slow_down();
            }
            if !mem::replace(&mut warned, true) {
                warn!(
                    "the connection for subscriptions cannot be made, which is tried again and again: {obstacle}"
                );
            }
        }
    }

    /// Resolves when the shared connection leads elsewhere.
    async fn moved(&self, link: &Link) {
        self.shared.until(|shared| (shared.address != link.address).then_some(())).await;
    }

    /// Tells the server what is wanted until that fails.
    async fn hear(&self, link: &Link, lost: &mut Option<Instant>) -> RedisError {
        let told = async {
            let mut heard = HashSet::new();
            let everything = self.subscriptions.everything();
            let refused = tell(link, &everything, &mut heard).await?;
            self.subscriptions.open(link.epoch);
            self.subscriptions.confirm(&everything, &refused);
            for (topic, failure) in &refused {
                warn!(?topic, "redis refuses a subscription: {failure}");
            }
            if let Some(lost) = lost.take() {
                info!(address = %link.address, outage = ?lost.elapsed(), "subscribed to channels of redis again");
            }
            loop {
                self.subscriptions.changed().await;
                let changes = self.subscriptions.changes();
                let refused = tell(link, &changes, &mut heard).await?;
                self.subscriptions.confirm(&changes, &refused);
            }
        };
        let told: Result<Infallible, RedisError> = told.await;
        match told {
            Err(error) => error,
            Ok(never) => match never {},
        }
    }
}

/// Subscribes and unsubscribes; what the server refuses comes back.
async fn tell(
    link: &Link,
    changes: &Changes,
    heard: &mut HashSet<Topic>,
) -> Result<HashMap<Topic, Failure>, RedisError> {
    let mut connection = link.connection();
    for topics in chunks(changes.unwanted.iter().filter(|topic| heard.remove(*topic))) {
        let words = words(&topics);
        match topics.first() {
            // The command that fits: the other one would succeed, too, and do nothing.
            Some(Topic::Name(_)) => connection.unsubscribe(words).await?,
            Some(Topic::Pattern(_)) => connection.punsubscribe(words).await?,
            None => {}
        }
    }
    let mut refused = HashMap::new();
    let mut waiting = chunks(changes.wanted.iter().filter(|topic| !heard.contains(*topic)));
    while let Some(topics) = waiting.pop() {
        let words = words(&topics);
        let told = match topics.first() {
            Some(Topic::Name(_)) => connection.subscribe(words).await,
            Some(Topic::Pattern(_)) => connection.psubscribe(words).await,
            None => Ok(()),
        };
        match (told, topics.as_slice()) {
            (Ok(()), topics) => heard.extend(topics.iter().copied().cloned()),
            (Err(error), topics) => {
                let Some(refusal) = refusal(&error) else { return Err(error) };
                // One word that is not allowed, and the whole command is refused.
                match topics {
                    [topic] => drop(refused.insert((*topic).clone(), refusal)),
                    several => waiting.extend(several.iter().map(|topic| vec![*topic])),
                }
            }
        }
    }
    Ok(refused)
}

/// Names and patterns apart, as many as go into one command.
fn chunks<'a>(topics: impl Iterator<Item = &'a Topic>) -> Vec<Vec<&'a Topic>> {
    let (names, patterns): (Vec<_>, Vec<_>) = topics.partition(|topic| matches!(topic, Topic::Name(_)));
    names.chunks(TOPICS).chain(patterns.chunks(TOPICS)).map(<[_]>::to_vec).collect()
}

fn words<'a>(topics: &[&'a Topic]) -> Vec<&'a str> {
    let word = |topic: &&'a Topic| match topic {
        Topic::Name(name) => name.as_str(),
        Topic::Pattern(pattern) => pattern.as_str(),
    };
    topics.iter().map(word).collect()
}

/// The server's answer, if it is that and no broken connection.
fn refusal(error: &RedisError) -> Option<Failure> {
    let errors = error.clone().into_server_errors()?;
    errors.first().map(|(_, error)| Failure::Server(Refusal(error.clone())))
}
