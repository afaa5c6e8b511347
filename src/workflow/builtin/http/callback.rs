//! Tokens by which services say that a step has ended.

use super::super::super::{Error, Invocation, Place, RunId, keys};
use crate::knowledge::{HashCommand, Store, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// What is kept of a request whose answer comes later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Callback {
    /// `RUN.INDEX.PART.SINCE.RANDOM`.
    pub(super) token: String,
    /// Whether the service has accepted the request, so that it is not sent again.
    #[serde(default)]
    pub(super) sent: bool,
}

fn field(place: Place, since: u64) -> String {
    format!("{}.{}.{since}", place.node, place.part)
}

impl Callback {
    /// The callback of a step: the same for all attempts at it.
    pub(super) async fn of(store: &Arc<dyn Store>, invocation: &Invocation) -> Result<Self, Error> {
        let (run, key) = (invocation.workflow(), keys::callbacks(invocation.workflow()));
        let field = field(invocation.place(), invocation.since().micros());
        loop {
            let get = HashCommand::Get(field.as_str().into());
            if let Some(known) = store.run(&key, get.into()).await?.non_nil() {
                return serde_json::from_slice(&known.data(&key)?).map_err(|error| damaged(run, &error));
            }
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(|error| damaged(run, &error))?;
            let random = u128::from_ne_bytes(random);
            let callback = Self { token: format!("{}.{field}.{random:032x}", run.short()), sent: false };
            let keep = Transaction::new().expect_field(&key, field.as_str(), None).hset(
                &key,
                field.as_str(),
                callback.written(run)?,
            );
            match store.commit(keep).await {
                Ok(_) => return Ok(callback),
                Err(crate::knowledge::Error::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Keeps that the service has accepted the request.
    pub(super) async fn was_sent(
        mut self,
        store: &Arc<dyn Store>,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        self.sent = true;
        let run = invocation.workflow();
        let field = field(invocation.place(), invocation.since().micros());
        let keep = Transaction::new().hset(keys::callbacks(run), field, self.written(run)?);
        store.commit(keep).await?;
        Ok(())
    }

    fn written(&self, run: &RunId) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|error| damaged(run, &error))
    }
}

fn damaged(run: &RunId, error: &dyn std::fmt::Display) -> Error {
    Error::Damaged { id: run.clone(), reason: format!("its callbacks: {error}") }
}

/// The step that a token is for, and since when it waits; nothing if there is no such token.
pub(in super::super::super) async fn find(
    store: &Arc<dyn Store>,
    token: &str,
) -> Result<Option<(RunId, Place, u64)>, Error> {
    let mut parts = token.rsplitn(5, '.');
    let (_, since, part, node) = (parts.next(), parts.next(), parts.next(), parts.next());
    let numbers = (|| Some((node?.parse().ok()?, part?.parse().ok()?, since?.parse().ok()?)))();
    let (Some(run), Some((node, part, since))) = (parts.next(), numbers) else { return Ok(None) };
    let (run, place) = (RunId::from(run), Place { node, part });
    let key = keys::callbacks(&run);
    let get = HashCommand::Get(field(place, since).into());
    let Some(kept) = store.run(&key, get.into()).await?.non_nil() else { return Ok(None) };
    let kept: Value = serde_json::from_slice(&kept.data(&key)?).map_err(|error| damaged(&run, &error))?;
    let is = kept.get("token").and_then(Value::as_str).is_some_and(|kept| same(kept, token));
    Ok(is.then_some((run, place, since)))
}

/// Whether two texts are the same, in a time that says nothing about where they differ.
fn same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && differ == 0
}

/// Takes away what is kept of a run's callbacks.
pub(in super::super) async fn forget(store: &dyn Store, run: &RunId) -> Result<(), Error> {
    store.run(&keys::callbacks(run), crate::knowledge::KeyCommand::Delete.into()).await?;
    Ok(())
}
