//! A bulk writer at work.

use super::collector::{Batch, Collector, Gathered, Taken, What};
use super::cursor::{Cursor, Places};
use super::dead_letters::DeadLetters;
use super::engine::{Failure, Step};
use super::passing::Passing;
use super::rows::Rows;
use super::shape::Shape;
use super::written::{Chunk, Item};
use super::{Table, metered};
use crate::event::{Error, EventId, Group, Log};
use crate::stream::Backoff;
use crate::stream::meter::{self, Meter};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use std::{iter, mem};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

/// What follows the log.
pub(super) struct Writer<T> {
    pub(super) table: Table<T>,
    pub(super) log: Log,
    pub(super) group: Group,
    pub(super) cursor: Cursor,
    pub(super) dead: DeadLetters,
    pub(super) taken: Taken,
    pub(super) out: mpsc::Sender<Chunk<T>>,
    pub(super) passing: Arc<Passing>,
    pub(super) meter: Arc<Meter>,
    /// Up to where everything is in the database.
    pub(super) position: EventId,
    /// Whether there may be something to bury, or to forget.
    pub(super) has_refused: bool,
    /// When to see to what is not urgent.
    pub(super) tend_at: Option<Instant>,
    /// When to move the group, and where it is.
    pub(super) follow_at: Instant,
    pub(super) followed: Option<EventId>,
    /// Where another writer of this name has stopped passing on, and since when.
    pub(super) stuck: Option<(EventId, Instant)>,
    /// In a row.
    pub(super) failures: u32,
}

/// Why the cursor has to be read again.
enum Interrupted {
    /// Another writer has moved it.
    Lost,
    /// A transaction behind this place may have happened, or may not.
    Unsure(EventId),
}

/// What a batch has become.
type Outcome<T> = (Vec<Chunk<T>>, Option<Interrupted>);

/// How long what was passed on waits for a transaction that keeps it along.
const SOON: Duration = Duration::from_millis(250);
/// How long to wait until trying again what is not urgent.
const LATER: Duration = Duration::from_secs(1);
/// How soon it is looked again whether another writer has passed something on.
const MOMENT: Duration = Duration::from_millis(20);
/// How often the group is moved.
const FOLLOW: Duration = Duration::from_secs(5);
/// How long another writer may take to pass on something before it counts as dead.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many entries are read at a time that come out again.
const PAGE: usize = 256;

fn backoff(failures: u32) -> Duration {
    let backoff = Backoff::exponential(Duration::from_millis(50), Duration::from_secs(5));
    backoff.wait(failures).unwrap_or(LATER)
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Writer<T> {
    /// Writes for ever; what is behind `passed` comes out first, up to where the position was as it began: what others of
    /// its name write from then on is theirs to pass on.
    pub(super) async fn run(mut self, passed: EventId) {
        let mut again = Some(passed);
        loop {
            // What another has committed may be left to be passed on.
            self.tend_at = self.tend_at.or(Some(self.follow_at));
            if let Some(from) = again.take() {
                self.come_again(from, self.position).await;
            }
            if let Interrupted::Unsure(from) = self.follow().await {
                again = Some(from);
            }
            self.position = self.places().await.position;
        }
    }

    /// Writes until the cursor has to be read again.
    async fn follow(&mut self) -> Interrupted {
        let mut collector = Collector::new(&self.log, self.position, &self.table, &self.taken);
        loop {
            let batch = tokio::select! {
                batch = collector.next() => batch,
                () = self.due() => {
                    self.tend().await;
                    continue;
                }
            };
            let (chunks, interrupted) = tokio::select! {
                biased;
                done = self.commit(batch) => done,
                () = collector.gather() => continue,
            };
            for chunk in chunks {
                self.hand_over(chunk).await;
            }
            if let Some(interrupted) = interrupted {
                return interrupted;
            }
        }
    }

    /// Waits until it is taken, and moves the group meanwhile: others see by its lag that it is not.
    async fn hand_over(&mut self, chunk: Chunk<T>) {
        if chunk.items.is_empty() {
            return;
        }
        let out = self.out.clone();
        let mut handed = pin!(out.send(chunk));
        loop {
            tokio::select! {
                biased;
                // Whoever would receive it has ended this task otherwise.
                _ = &mut handed => return,
                () = self.move_group_at_times() => {}
            }
        }
    }
}

/// Batches.
impl<T: Serialize + DeserializeOwned> Writer<T> {
    /// Writes a batch, in parts if a row of it is refused.
    async fn commit(&mut self, batch: Batch<T>) -> Outcome<T> {
        let Batch { mut entries, rows } = batch;
        let rows = Arc::new(rows);
        let mut shape = self.shape(&rows).await;
        let mut unsure = false;
        let (mut chunks, mut parts): (Vec<_>, Vec<_>) = (Vec::new(), iter::once(0..entries.len()).collect());
        while let Some(part) = parts.pop() {
            let Some(entries) = entries.get_mut(part.clone()).filter(|entries| !entries.is_empty()) else {
                continue;
            };
            let begun = meter::now();
            match self.transact(entries, &rows, &shape).await {
                Ok(()) => {
                    if let Some(begun) = begun {
                        self.meter.record(begun.elapsed());
                    }
                    chunks.push(self.committed(entries));
                    unsure = false;
                }
                // What was committed as its answer got lost may only show now, and then it is our own.
                Err(Failure::Lost) if unsure => {
                    return (chunks, Some(Interrupted::Unsure(self.position)));
                }
                Err(Failure::Lost) => return (chunks, Some(Interrupted::Lost)),
                Err(Failure::Refused { reason, .. }) if !entries.iter().any(Gathered::is_row) => {
                    self.sit_out(&reason).await;
                    parts.push(part);
                }
                Err(Failure::Refused { row, reason }) => {
                    self.meter.add(metered::SPLITS, 1);
                    let middle = part.start + split(entries, row, reason);
                    parts.extend([middle..part.end, part.start..middle]);
                }
                Err(Failure::Away(reason)) => {
                    self.sit_out(&reason).await;
                    unsure = true;
                    parts.push(part);
                }
                Err(Failure::Wrong(reason)) => {
                    self.sit_out(&reason).await;
                    self.table.forget();
                    shape = self.shape(&rows).await;
                    parts.push(part);
                }
            }
        }
        (chunks, None)
    }

    async fn transact(
        &mut self,
        entries: &[Gathered<T>],
        rows: &Arc<Rows>,
        shape: &Shape,
    ) -> Result<(), Failure> {
        let to = entries.last().map_or(self.position, |entry| entry.id);
        let mut steps = vec![self.cursor.moved(self.position, to)];
        let passed = self.passing.passed();
        steps.extend(passed.map(|(from, to)| self.cursor.passed(from, to)));
        let mut picks = Vec::with_capacity(entries.len());
        for entry in entries {
            match &entry.what {
                What::Row(_, row) => picks.push(*row),
                What::Refused(reason) => {
                    steps.push(self.cursor.refused(entry.id, reason, &entry.event.to_string()));
                }
                What::Unseen => {}
            }
        }
        if !picks.is_empty() {
            steps.push(Step::Rows { upsert: shape.upsert.clone(), rows: rows.clone(), picks });
        }
        let changed = self.table.database().engine().transact(steps).await?;
        if let (Some((_, to)), Some(1)) = (passed, changed.get(1)) {
            self.passing.keep(to);
        }
        Ok(())
    }

    /// What is in the database by now, to be handed over.
    fn committed(&mut self, entries: &mut [Gathered<T>]) -> Chunk<T> {
        let from = self.position;
        self.position = entries.last().map_or(from, |entry| entry.id);
        // Also where there is always a next batch, the group follows.
        self.tend_at = self.tend_at.or(Some(self.follow_at));
        let mut items = Vec::with_capacity(entries.len());
        for entry in entries {
            match mem::replace(&mut entry.what, What::Unseen) {
                What::Row(value, _) => {
                    items.push(Item { id: entry.id, event: mem::take(&mut entry.event), value });
                }
                What::Refused(reason) => {
                    warn!(writer = self.cursor.name, id = %entry.id, reason, "an event is no row and is buried");
                    self.meter.add(metered::REFUSED, 1);
                    self.has_refused = true;
                    self.tend_at = Some(Instant::now());
                }
                What::Unseen => {}
            }
        }
        self.failures = 0;
        self.meter.add(metered::ROWS, items.len() as u64);
        self.meter.add(metered::BATCHES, 1);
        Chunk { items, again: false, _passed: self.passing.begin(from, self.position) }
    }

    /// How rows get into the table; waits until they do.
    async fn shape(&mut self, rows: &Rows) -> Arc<Shape> {
        loop {
            match self.table.shape(rows).await {
                Ok(shape) => return shape,
                Err(error) => self.sit_out(&error.to_string()).await,
            }
        }
    }

    /// Where the cursor is; waits until that is known.
    async fn places(&mut self) -> Places {
        loop {
            match self.cursor.read().await {
                Ok(places) => return places,
                Err(Failure::Away(reason) | Failure::Wrong(reason) | Failure::Refused { reason, .. }) => {
                    self.sit_out(&reason).await;
                }
                Err(Failure::Lost) => {}
            }
        }
    }

    async fn sit_out(&mut self, reason: &str) {
        self.meter.add(metered::RETRIES, 1);
        if self.failures == 0 {
            let (writer, table) = (&self.cursor.name, self.table.name());
            warn!(writer, table, reason, "rows cannot be written; it is tried again");
        }
        sleep(backoff(self.failures)).await;
        self.failures = self.failures.saturating_add(1);
    }
}

/// Where to cut a part of which a row was refused; what is certain to be it is marked.
fn split<T>(entries: &mut [Gathered<T>], row: Option<usize>, reason: String) -> usize {
    let rows = entries.iter().filter(|entry| entry.is_row()).count();
    let middle = entries.len() / 2;
    let which = row.or((rows <= 1).then_some(0));
    let Some(which) = which else { return middle };
    match entries.iter_mut().enumerate().filter(|(_, entry)| entry.is_row()).nth(which) {
        Some((place, entry)) => {
            entry.what = What::Refused(reason);
            place + 1
        }
        None => middle,
    }
}

/// What comes out again.
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Writer<T> {
    /// Hands over once more what was written behind `from`, up to `to`.
    async fn come_again(&mut self, mut from: EventId, to: EventId) {
        while from < to {
            let (page, refused) = self.written(from, to).await;
            // What is no longer in the log has been there long enough.
            let upto = if page.len() < PAGE { to } else { page.last().map_or(to, |entry| entry.id) };
            let items =
                page.into_iter().filter(|entry| !refused.contains_key(&entry.id)).filter_map(|entry| {
                    let id = entry.id;
                    let (event, value) = self.taken.open(entry);
                    Some(Item { id, event, value: value.ok().flatten()? })
                });
            let items: Vec<_> = items.collect();
            self.meter.add(metered::AGAIN, items.len() as u64);
            let chunk = Chunk { items, again: true, _passed: self.passing.begin(from, upto) };
            self.hand_over(chunk).await;
            from = upto;
        }
    }

    /// Entries that were dealt with, and which of all were refused; waits until they can be read.
    async fn written(
        &mut self,
        from: EventId,
        to: EventId,
    ) -> (Vec<crate::event::Entry>, super::cursor::Refused) {
        loop {
            let reason = match (self.log.range(from.next(), to, PAGE).await, self.cursor.all_refused().await)
            {
                (Ok(page), Ok(refused)) => {
                    self.failures = 0;
                    return (page, refused);
                }
                (Err(error), _) => error.to_string(),
                (_, Err(failure)) => format!("{failure:?}"),
            };
            self.sit_out(&reason).await;
        }
    }
}

/// What is not urgent.
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Writer<T> {
    /// Ends when there is something to see to.
    async fn due(&self) {
        let passed = async {
            while self.passing.passed().is_none() {
                self.passing.changed.notified().await;
            }
            // A transaction that comes soon keeps it along.
            sleep(SOON).await;
        };
        match self.tend_at {
            // It has just been tried.
            Some(at) if at <= Instant::now() + LATER => sleep_until(at).await,
            Some(at) => tokio::select! {
                () = sleep_until(at) => {}
                () = passed => {}
            },
            None => passed.await,
        }
    }

    async fn tend(&mut self) {
        let mut later = match self.keep_passed().await {
            Ok(()) => self.after_another().map(|wait| Instant::now() + wait),
            Err(reason) => {
                self.could_not("keep what was passed on", &reason);
                Some(Instant::now() + LATER)
            }
        };
        // What is behind another's is buried when that has been passed on.
        if self.has_refused
            && later.is_none()
            && let Err(reason) = self.bury().await
        {
            self.could_not("bury what was refused", &reason);
            later = Some(Instant::now() + LATER);
        }
        if self.follow_at <= Instant::now() {
            self.move_group_at_times().await;
            if let Err(reason) = self.take_over().await {
                self.could_not("see what others have passed on", &reason);
            }
        }
        let is_behind =
            self.has_refused || self.passing.first().is_some() || self.followed != Some(self.position);
        self.tend_at = later.or(is_behind.then_some(self.follow_at));
    }

    fn could_not(&self, what: &str, reason: &str) {
        self.meter.add(metered::RETRIES, 1);
        tracing::debug!(writer = self.cursor.name, reason, "it could not {what} and tries again");
    }

    async fn keep_passed(&mut self) -> Result<(), String> {
        let Some((from, to)) = self.passing.passed() else { return Ok(()) };
        let engine = self.table.database().engine();
        let kept = engine.transact(vec![self.cursor.passed(from, to)]).await;
        if kept.map_err(|failure| format!("{failure:?}"))? == [1] {
            self.passing.keep(to);
            self.stuck = None;
            return Ok(());
        }
        // Another writer of this name is before or behind.
        let passed = self.cursor.read().await.map_err(|failure| format!("{failure:?}"))?.passed;
        self.passing.keep(passed);
        let first = self.passing.first().filter(|first| passed < *first);
        if let Some(first) = first
            && self.is_stuck(passed)
        {
            self.come_again(passed, first).await;
        }
        Ok(())
    }

    /// How long to wait until looking again whether another writer has passed on what lies before what was passed on
    /// here: as long as it has stood still, so that writers who take turns do not wait for each other long.
    fn after_another(&self) -> Option<Duration> {
        self.passing.passed()?;
        Some(self.stuck.map_or(MOMENT, |(_, since)| since.elapsed()).clamp(MOMENT, SOON))
    }

    /// Lets come out what another writer has committed and not passed on, where there is nothing else to pass on.
    async fn take_over(&mut self) -> Result<(), String> {
        if self.passing.first().is_some() {
            return Ok(());
        }
        let passed = self.cursor.read().await.map_err(|failure| format!("{failure:?}"))?.passed;
        if passed < self.position && self.is_stuck(passed) {
            self.come_again(passed, self.position).await;
        }
        Ok(())
    }

    /// Whether another writer has stopped passing on at this place for so long that it counts as dead.
    fn is_stuck(&mut self, at: EventId) -> bool {
        let since = match self.stuck {
            Some((place, since)) if place == at => since,
            _ => Instant::now(),
        };
        let is_stuck = since.elapsed() >= PATIENCE;
        self.stuck = (!is_stuck).then_some((at, since));
        is_stuck
    }

    /// Puts what was refused into the dead letters, and forgets what is there and will not come out again.
    async fn bury(&mut self) -> Result<(), String> {
        let refused = self.cursor.all_refused().await.map_err(|failure| format!("{failure:?}"))?;
        if refused.is_empty() {
            self.has_refused = false;
            return Ok(());
        }
        let buried = self.dead.bury(&refused).await.map_err(|error| error.to_string())?;
        let passed = self.cursor.read().await.map_err(|failure| format!("{failure:?}"))?.passed;
        let done = refused.range(..=buried.min(passed)).map(|(id, _)| *id);
        self.cursor.forget(done.clone()).await.map_err(|failure| format!("{failure:?}"))?;
        self.has_refused = done.count() < refused.len();
        Ok(())
    }

    /// Moves the group when it is time. Dropping the future leaves it due.
    async fn move_group_at_times(&mut self) {
        sleep_until(self.follow_at).await;
        if let Err(reason) = self.move_group().await {
            self.could_not("move its group", &reason);
        }
        self.follow_at = Instant::now() + FOLLOW;
    }

    /// Lets the log be trimmed up to where nothing comes out again.
    async fn move_group(&mut self) -> Result<(), String> {
        let passed = self.cursor.read().await.map_err(|failure| format!("{failure:?}"))?.passed;
        if self.followed != Some(passed) {
            match self.group.seek(passed).await {
                Err(Error::NoGroup { .. }) => {
                    self.group.clone().after(passed).create().await.map_err(|error| error.to_string())?;
                }
                other => other.map_err(|error| error.to_string())?,
            }
            self.followed = Some(passed);
        }
        if let Some(info) = self.group.info().await.map_err(|error| error.to_string())? {
            self.meter.set(metered::LAG, info.lag as f64);
        }
        Ok(())
    }
}
