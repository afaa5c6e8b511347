//! Runs that somebody looks for.

use super::record::Record;
use super::{Error, RunId, Status, Workflows, history, keys};
use crate::knowledge::{Data, HashCommand, Key, ListCommand, Reply, SetCommand, Transaction, ValueCommand};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Which runs somebody looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// From which place on in the list of all runs, newest first; the first is 0.
    pub from: usize,
    /// At most how many; 1,000 are never exceeded.
    pub count: usize,
    /// Only those with one of these; none: with any.
    pub statuses: Vec<Status>,
    /// Only those with this in their id or in the name of their flow, capital letters or not; empty: all.
    pub text: String,
}

/// The runs that were found.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = Runs))]
#[non_exhaustive]
pub struct Listing {
    /// They, newest first.
    pub runs: Vec<Listed>,
    /// The place from which there may be more.
    pub next: Option<usize>,
    /// How many runs there are in all, found or not.
    pub total: u64,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ListedRun))]
#[non_exhaustive]
pub struct Listed {
    /// Its id, in the short form.
    #[serde(serialize_with = "super::inspection::short")]
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub id: RunId,
    /// How far it is, if that is known.
    #[serde(rename = "state")]
    pub status: Option<Status>,
    /// When it began.
    pub began: Option<String>,
    /// When it was over.
    pub ended: Option<String>,
    /// What its flow is called.
    pub flow: Option<String>,
}

/// How many runs are looked at together.
const PAGE: usize = 256;
/// How many places are looked at for one answer.
const LOOKED_AT: usize = 20_000;
/// How many runs are given at once.
const MOST: usize = 1_000;

impl Workflows {
    /// As [`list`](Self::list), and with those whose status is not known, or that another program has listed twice.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads. The same holds for all that only looks for runs.
    pub async fn listed(&self, from: usize, count: usize) -> Result<Vec<(RunId, Option<Status>)>, Error> {
        let first = i64::try_from(from).unwrap_or(i64::MAX);
        let last = first.saturating_add(i64::try_from(count).unwrap_or(i64::MAX)).saturating_sub(1);
        if count == 0 {
            return Ok(Vec::new());
        }
        let all = &self.names().all;
        let listed = self.store().run(all, ListCommand::Range(first, last).into()).await?.list(all)?;
        let ids: Vec<RunId> = listed.iter().filter_map(Data::as_str).map(RunId::from).collect();
        let statuses = history::statuses(&**self.store(), &ids).await?;
        Ok(ids.into_iter().zip(statuses).collect())
    }

    /// Those that are not over, in any order.
    pub async fn in_progress(&self) -> Result<Vec<RunId>, Error> {
        let key = &self.names().in_progress;
        let members = self.store().run(key, SetCommand::Members.into()).await?.list(key)?;
        Ok(members.iter().filter_map(Data::as_str).map(RunId::from).collect())
    }

    /// Looks for runs. Of very many it looks at some, and says where to go on.
    pub async fn find(&self, search: &Search) -> Result<Listing, Error> {
        let all = &self.names().all;
        let total = self.store().run(all, ListCommand::Len.into()).await?.count(all)?;
        let (text, count) = (search.text.to_lowercase(), search.count.min(MOST));
        let (mut at, mut seen, mut runs) = (search.from, HashSet::new(), Vec::new());
        let end = search.from.saturating_add(LOOKED_AT);
        let is_plain = search.statuses.is_empty() && text.is_empty();
        let mut next = None;
        if count == 0 {
            return Ok(Listing { runs: Vec::new(), next: None, total });
        }
        loop {
            let page = if is_plain { count.min(PAGE) } else { PAGE };
            let listed = self.listed(at, page).await?;
            let is_last = listed.len() < page;
            let names = if text.is_empty() { Vec::new() } else { self.flow_names(&listed).await? };
            for (n, (id, status)) in listed.into_iter().enumerate() {
                let has_status =
                    search.statuses.is_empty() || status.is_some_and(|is| search.statuses.contains(&is));
                let flow = names.get(n).and_then(Option::as_deref).unwrap_or_default();
                let has_text =
                    id.short().to_lowercase().contains(&text) || flow.to_lowercase().contains(&text);
                if !has_status || !has_text || !seen.insert(id.clone()) {
                    continue;
                }
                if runs.len() == count {
                    next = Some(at + n);
                    break;
                }
                runs.push((id, status));
            }
            at = at.saturating_add(page);
            if next.is_some() || is_last {
                break;
            }
            if at >= end || runs.len() == count && is_plain {
                next = (u64::try_from(at).unwrap_or(u64::MAX) < total).then_some(at);
                break;
            }
        }
        Ok(Listing { runs: self.described(runs).await?, next, total })
    }

    async fn described(&self, runs: Vec<(RunId, Option<Status>)>) -> Result<Vec<Listed>, Error> {
        let (names, times) = (self.flow_names(&runs).await?, self.times(&runs).await?);
        let listed = runs.into_iter().zip(names).zip(times);
        let listed =
            listed.map(|(((id, status), flow), (began, ended))| Listed { id, status, began, ended, flow });
        Ok(listed.collect())
    }

    /// What the flows of runs are called, as they were saved with them.
    async fn flow_names(&self, runs: &[(RunId, Option<Status>)]) -> Result<Vec<Option<String>>, Error> {
        let read = |reading: Transaction, (id, _): &(RunId, Option<Status>)| {
            let reading = reading.run(keys::definition(id), ValueCommand::Get);
            // Where programs of other kinds read it, the name may stand elsewhere.
            reading.run(keys::steps(id), HashCommand::Get(history::FLOW.into()))
        };
        let replies = self.store().commit(runs.iter().fold(Transaction::new(), read)).await?.replies;
        let mut replies = replies.into_iter();
        let mut next = |key: &Key| replies.next().and_then(Reply::non_nil)?.data(key).ok();
        let names = runs.iter().map(|(id, _)| {
            let (definition, flow) = (next(&keys::definition(id)), next(&keys::steps(id)));
            let named = |data: &Data| serde_json::from_slice::<Named>(data).ok()?.name();
            flow.as_ref().and_then(named).or_else(|| definition.as_ref().and_then(named))
        });
        Ok(names.collect())
    }

    /// When runs began, and when those ended that are over.
    async fn times(
        &self,
        runs: &[(RunId, Option<Status>)],
    ) -> Result<Vec<(Option<String>, Option<String>)>, Error> {
        let is_open = self.is_open();
        // Where there are lists of changes, also other programs have written them.
        let first = |reading: Transaction, (id, _): &(RunId, Option<Status>)| {
            if is_open {
                let key = keys::active(id);
                reading.run(key.clone(), ListCommand::Get(-1)).run(key, ListCommand::Get(0))
            } else {
                let key = keys::steps(id);
                reading.run(key.clone(), HashCommand::Get(keys::number(0))).run(key, HashCommand::Len)
            }
        };
        let replies = self.store().commit(runs.iter().fold(Transaction::new(), first)).await?.replies;
        let (mut times, mut rest) = (Vec::with_capacity(runs.len()), Transaction::new());
        let mut replies = replies.into_iter();
        let mut next = || replies.next().unwrap_or(Reply::Nil);
        for (id, status) in runs {
            let is_over = status.is_some_and(Status::is_over);
            if is_open {
                let mut time = || written(next().non_nil()?.data(&keys::active(id)).ok()?.as_str()?);
                let (began, ended) = (time(), time());
                times.push((began, ended.filter(|_| is_over)));
                continue;
            }
            let began = at(next(), id);
            let last = next().count(&keys::steps(id)).unwrap_or(0).saturating_sub(1);
            rest = rest.run(keys::steps(id), HashCommand::Get(keys::number(last)));
            times.push((began, None));
        }
        if !is_open {
            let replies = self.store().commit(rest).await?.replies;
            for (((_, ended), (id, status)), reply) in times.iter_mut().zip(runs).zip(replies) {
                *ended = at(reply, id).filter(|_| status.is_some_and(Status::is_over));
            }
        }
        Ok(times)
    }
}

/// The time of a record.
fn at(reply: Reply, id: &RunId) -> Option<String> {
    let record: Record = serde_json::from_slice(&reply.non_nil()?.data(&keys::steps(id)).ok()?).ok()?;
    Some(record.at.to_string())
}

/// The time of an entry.
fn written(line: &str) -> Option<String> {
    line.split_ascii_whitespace().next().map(str::to_owned)
}

/// A saved definition, as far as its name goes.
#[derive(Deserialize)]
struct Named {
    name: Option<String>,
    graph: Option<Box<Named>>,
    mape: Option<Box<Named>>,
}

impl Named {
    fn name(self) -> Option<String> {
        let of = |inner: Option<Box<Self>>| inner.and_then(|inner| inner.name());
        of(self.graph).or_else(|| of(self.mape)).or(self.name)
    }
}
