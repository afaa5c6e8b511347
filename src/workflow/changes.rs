//! Changes of runs, as they happen.

use super::record::Record;
use super::{Cause, Error, RunId, Status, Workflows, history};
use crate::event::EventId;
use crate::knowledge::{Change, Filter, Notice, Operation};
use futures::stream::{self, BoxStream, SelectAll};
use futures::{Stream, StreamExt};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What has become of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RunChange {
    /// Which, in the short form.
    #[serde(serialize_with = "super::inspection::short")]
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub id: RunId,
    /// How far it is now; nothing if it is gone.
    #[serde(rename = "state")]
    pub status: Option<Status>,
    /// What has happened to it, by the names of [`Cause`], as far as that is known; `event` is whatever another program
    /// has told of it.
    pub causes: BTreeSet<String>,
    /// The steps that it has happened to, by their indices.
    pub steps: BTreeSet<u32>,
}

/// For how long changes are gathered that are told together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How many runs are told of together.
const MOST: usize = 1_000;
/// How often it is looked for what programs of other kinds change and tell nobody.
const LOOK: Duration = Duration::from_millis(500);
/// How many runs are looked at for that.
const LOOKED_AT: usize = 2_000;

/// What was heard.
enum Heard {
    Run(RunId, Vec<Cause>),
    /// An event about it.
    Event(RunId),
    Look,
    Missed(Notice<()>),
}

impl Workflows {
    /// Every change of every run from now on, whoever makes it, within a tenth of a second; within a second where
    /// programs of other kinds change runs and tell nobody. Changes of a run that come together are one.
    ///
    /// # Errors
    ///
    /// What the backend says. An outage is in the stream ([`Notice::Interrupted`]); who hears of one, or of having missed
    /// something, reads again.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only watches, and its stream ends by being dropped.
    pub async fn changes(&self) -> Result<impl Stream<Item = Notice<RunChange>> + Send + use<>, Error> {
        let mut sources: SelectAll<BoxStream<'static, Heard>> = SelectAll::new();
        // Every change of ours is a record.
        let records = self.store().watch(Filter::glob(format!("{RECORDS}*"))).await?;
        sources.push(records.map(|notice| heard(notice, |change| of_record(&change))).boxed());
        if self.is_open() {
            let states = self.store().watch(Filter::glob("workflow:*:state")).await?;
            sources.push(states.map(|notice| heard(notice, |change| of_state(&change))).boxed());
            let events = self.log().follow(EventId::MAX).filter_map(|entry| {
                let event = entry.ok().and_then(|entry| entry.event.ok());
                let id = event.and_then(|event| event.get("workflow")?.as_str().map(RunId::from));
                future::ready(id.map(Heard::Event))
            });
            sources.push(events.boxed());
            let interval = tokio::time::interval(LOOK);
            let looks = stream::unfold(interval, |mut interval| async {
                interval.tick().await;
                Some((Heard::Look, interval))
            });
            sources.push(looks.boxed());
        }
        let (workflows, told, known) = (self.clone(), VecDeque::new(), HashMap::new());
        let telling = Telling { workflows, sources, told, known, has_looked: false };
        Ok(stream::unfold(telling, |mut telling| async {
            let notice = telling.next().await?;
            Some((notice, telling))
        }))
    }
}

/// What the keys begin with whose fields are the records of a run.
const RECORDS: &str = "mape:run:";

fn heard(notice: Notice, what: impl Fn(Change) -> Option<Heard>) -> Heard {
    match notice {
        // What is not about a run is nothing that anybody has to be told.
        Notice::Change(change) => what(change).unwrap_or(Heard::Missed(Notice::Change(()))),
        Notice::Missed(count) => Heard::Missed(Notice::Missed(count)),
        Notice::Interrupted => Heard::Missed(Notice::Interrupted),
    }
}

fn of_record(change: &Change) -> Option<Heard> {
    let (_, id) = change.key.as_str().split_once(RECORDS)?;
    let record = change.new.as_ref().filter(|_| change.operation == Operation::Hset);
    let record = record.and_then(|record| serde_json::from_slice::<Record>(record).ok());
    Some(Heard::Run(id.into(), record.map(|record| record.causes).unwrap_or_default()))
}

fn of_state(change: &Change) -> Option<Heard> {
    let id = change.key.as_str().strip_suffix(":state")?;
    Some(Heard::Run(id.into(), Vec::new()))
}

/// Whoever tells of changes.
struct Telling {
    workflows: Workflows,
    sources: SelectAll<BoxStream<'static, Heard>>,
    told: VecDeque<Notice<RunChange>>,
    /// The runs that were not over when it was last looked, and what was told of them.
    known: HashMap<RunId, Status>,
    has_looked: bool,
}

/// What was heard of a run since it was last told of.
#[derive(Default)]
struct Gathered {
    causes: BTreeSet<String>,
    steps: BTreeSet<u32>,
}

impl Telling {
    async fn next(&mut self) -> Option<Notice<RunChange>> {
        loop {
            if let Some(notice) = self.told.pop_front() {
                return Some(notice);
            }
            let (mut runs, mut looks) = (HashMap::new(), false);
            let mut heard = self.sources.next().await?;
            let until = Instant::now() + TOGETHER;
            loop {
                match heard {
                    Heard::Run(id, causes) => gather(runs.entry(id).or_default(), &causes),
                    Heard::Event(id) => {
                        let gathered: &mut Gathered = runs.entry(id).or_default();
                        if gathered.causes.is_empty() {
                            gathered.causes.insert("event".to_owned());
                        }
                    }
                    Heard::Look => looks = true,
                    Heard::Missed(Notice::Change(())) => {}
                    Heard::Missed(Notice::Missed(count)) => self.told.push_back(Notice::Missed(count)),
                    Heard::Missed(Notice::Interrupted) => self.told.push_back(Notice::Interrupted),
                }
                if runs.len() >= MOST || looks && runs.is_empty() {
                    break;
                }
                match timeout_at(until, self.sources.next()).await {
                    Ok(Some(next)) => heard = next,
                    Ok(None) | Err(_) => break,
                }
            }
            if looks {
                self.look(&mut runs).await;
            }
            self.tell(runs).await;
        }
    }

    /// Adds the runs whose status is another than what was told of them.
    async fn look(&mut self, runs: &mut HashMap<RunId, Gathered>) {
        let Ok(in_progress) = self.workflows.in_progress().await else { return };
        let is_first = !std::mem::replace(&mut self.has_looked, true);
        let known = self.known.keys().cloned();
        let ids: BTreeSet<RunId> = known.chain(in_progress.into_iter().take(LOOKED_AT)).collect();
        let ids: Vec<RunId> = ids.into_iter().collect();
        let Ok(statuses) = history::statuses(&**self.workflows.store(), &ids).await else { return };
        for (id, status) in ids.into_iter().zip(statuses) {
            let before = self.known.get(&id).copied();
            if before != status && !(is_first && before.is_none()) {
                runs.entry(id.clone()).or_default();
            }
            self.know(id, status);
        }
    }

    /// Keeps in mind what was told of a run that is not over, of so many as can be looked at.
    fn know(&mut self, id: RunId, status: Option<Status>) {
        let has_room = self.known.len() < LOOKED_AT || self.known.contains_key(&id);
        match status.filter(|status| !status.is_over() && has_room) {
            Some(status) => drop(self.known.insert(id, status)),
            None => drop(self.known.remove(&id)),
        }
    }

    async fn tell(&mut self, runs: HashMap<RunId, Gathered>) {
        if runs.is_empty() {
            return;
        }
        let (ids, gathered): (Vec<RunId>, Vec<Gathered>) = runs.into_iter().unzip();
        let Ok(statuses) = history::statuses(&**self.workflows.store(), &ids).await else {
            return self.told.push_back(Notice::Interrupted);
        };
        for ((id, Gathered { causes, steps }), status) in ids.into_iter().zip(gathered).zip(statuses) {
            if self.workflows.is_open() {
                self.know(id.clone(), status);
            }
            self.told.push_back(Notice::Change(RunChange { id, status, causes, steps }));
        }
    }
}

fn gather(gathered: &mut Gathered, causes: &[Cause]) {
    for cause in causes {
        gathered.causes.insert(cause.name().to_owned());
        gathered.steps.extend(cause.place().map(|place| place.node));
    }
}
