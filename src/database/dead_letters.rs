//! What was refused, on its way to the dead letters.

use super::cursor::{Cursor, Refused};
use crate::event::{self, Event, EventId, GroupName, LogName};
use crate::knowledge::{self, Command, Data, Key, Reply, Store, Transaction, ValueCommand};
use std::sync::Arc;

/// Buries what a writer has refused, once: the letters and the place of the last are one transaction of the backend.
///
/// What is to be buried is in the database since the cursor has passed it, so a crash between the two worlds loses
/// nothing; the place says to whoever comes next what has been done.
#[derive(Clone, Debug)]
pub(super) struct DeadLetters {
    store: Arc<dyn Store>,
    key: Key,
    log: LogName,
    group: GroupName,
}

/// How many are buried at a time.
const AT_ONCE: usize = 64;

impl DeadLetters {
    pub(super) fn new(store: Arc<dyn Store>, cursor: &Cursor, group: &GroupName) -> Self {
        let key = format!("mape:bulk:{}:{}", cursor.name, cursor.log).into();
        Self { store, key, log: cursor.log.clone(), group: group.clone() }
    }

    /// Buries those that are not; up to where all are.
    pub(super) async fn bury(&self, refused: &Refused) -> Result<EventId, knowledge::Error> {
        loop {
            let held = self.last().await?;
            let last = held.as_ref().and_then(|held| held.as_str()?.parse().ok()).unwrap_or(EventId::MIN);
            let mut transaction = match held {
                Some(held) => Transaction::new().expect_value(&self.key, held),
                None => Transaction::new().expect_absent(&self.key),
            };
            let mut to = None;
            for (id, (reason, event)) in refused.range(last.next()..).take(AT_ONCE) {
                // It was written here, from an event.
                let event: Event = serde_json::from_str(event).unwrap_or_default();
                let letter = event::dead_letter(event, &self.log, &self.group, *id, 1, reason);
                transaction = transaction.append(self.log.dead(), letter);
                to = Some(*id);
            }
            let Some(to) = to else { return Ok(last) };
            match self.store.commit(transaction.set(&self.key, to.to_string())).await {
                // Another does the same.
                Ok(_) | Err(knowledge::Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn last(&self) -> Result<Option<Data>, knowledge::Error> {
        match self.store.run(&self.key, Command::Value(ValueCommand::Get)).await? {
            Reply::Data(data) => Ok(Some(data)),
            _ => Ok(None),
        }
    }
}
