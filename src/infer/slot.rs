//! What stands under one name: the live version, the others, the shadow.

use super::filling::Filled;
use super::metered::{
    BATCHES, BUSY, DROPPED, FAILED, LATE, LATE_NOW, LOAD_FAILURES, MODEL, OVERSIZED, PANICKED, REFUSED, ROWS,
    SWAPS, UNANSWERED, UNKNOWN, VERSIONS,
};
use super::model::{Asked, Row, Rows};
use super::shadow::{Judged, Shadow};
use super::version::{Listed, Version};
use super::{Disagreement, Error, Input, Model, RowError, Verdict};
use crate::stream::meter::{self, Meter};
use arc_swap::{ArcSwap, ArcSwapOption};
use futures::{Stream, StreamExt};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

/// How many versions of a model there may be at once.
const VERSIONS_AT_MOST: usize = 16;
/// How many swaps can be taken back.
const REMEMBERED: usize = 16;
/// How many disagreements wait for who listens.
const WAITING: usize = 1024;

/// One name, with the version that is live.
pub(super) struct Slot {
    name: Arc<str>,
    live: ArcSwap<Version>,
    shadow: ArcSwapOption<Shadow>,
    book: Mutex<Book>,
    meter: Arc<Meter>,
    disagreements: broadcast::Sender<Disagreement>,
}

/// All versions.
struct Book {
    versions: Vec<Arc<Version>>,
    /// Those that were live before, the latest last.
    former: Vec<Arc<Version>>,
    /// How many have come.
    came: u64,
}

impl Book {
    fn find(&self, name: &str, version: &str) -> Result<Arc<Version>, Error> {
        let found = self.versions.iter().find(|known| &**known.name() == version).cloned();
        found.ok_or_else(|| Error::UnknownVersion {
            name: name.to_owned(),
            version: version.to_owned(),
            known: self.versions.iter().map(|version| version.name().to_string()).collect(),
        })
    }

    /// The version that was live before, if it is still there and isn't again.
    fn former(&self, live: &Version) -> Option<&Arc<Version>> {
        self.former.iter().rev().find(|former| former.name() != live.name())
    }
}

impl Slot {
    pub(super) fn new(name: &str, version: Option<&str>, model: Model) -> Self {
        let name: Arc<str> = name.into();
        let meter = Meter::new(&MODEL, &*name);
        meter.set(VERSIONS, 1.0);
        let first = Arc::new(Version::new(name.clone(), version.unwrap_or("1").into(), model));
        let book = Book { versions: vec![first.clone()], former: Vec::new(), came: 1 };
        Self {
            name,
            live: ArcSwap::new(first),
            shadow: ArcSwapOption::empty(),
            book: Mutex::new(book),
            meter,
            disagreements: broadcast::channel(WAITING).0,
        }
    }

    /// Adds a version, which is not live. Its name.
    pub(super) fn add(&self, version: Option<&str>, model: Model) -> Result<String, Error> {
        let mut book = self.book.lock();
        let taken = |book: &Book, version: &str| book.versions.iter().any(|known| &**known.name() == version);
        let version = version.map_or_else(
            || {
                let mut number = book.came + 1;
                while taken(&book, &number.to_string()) {
                    number += 1;
                }
                number.to_string()
            },
            str::to_owned,
        );
        let name = || self.name.to_string();
        if taken(&book, &version) {
            return Err(Error::VersionTaken { name: name(), version });
        }
        if book.versions.len() >= VERSIONS_AT_MOST {
            return Err(Error::Many {
                what: format!("versions of `{}`", self.name),
                limit: VERSIONS_AT_MOST,
            });
        }
        let differences = self.live.load().differences(&model);
        if !differences.is_empty() {
            return Err(Error::Differs { name: name(), version, differences });
        }
        book.versions.push(Arc::new(Version::new(self.name.clone(), version.as_str().into(), model)));
        book.came += 1;
        self.meter.set(VERSIONS, book.versions.len() as f64);
        Ok(version)
    }

    /// Counts a version that did not become one.
    pub(super) fn has_not_loaded(&self) {
        self.meter.add(LOAD_FAILURES, 1);
    }

    /// Makes a version live. The one that was.
    pub(super) fn swap(&self, version: &str) -> Result<String, Error> {
        let mut book = self.book.lock();
        let next = book.find(&self.name, version)?;
        let before = self.go_live(next);
        if &**before.name() != version {
            if book.former.len() >= REMEMBERED {
                book.former.remove(0);
            }
            book.former.push(before.clone());
        }
        Ok(before.name().to_string())
    }

    /// Makes the version live that was before. Its name.
    pub(super) fn roll_back(&self) -> Result<String, Error> {
        let mut book = self.book.lock();
        let live = self.live.load_full();
        let Some(before) = book.former(&live).cloned() else {
            return Err(Error::NoWayBack { name: self.name.to_string() });
        };
        while book.former.pop().is_some_and(|popped| popped.name() != before.name()) {}
        let name = before.name().to_string();
        self.go_live(before);
        Ok(name)
    }

    /// Batches from now on are judged by that version; those under way end on the one that they began with.
    fn go_live(&self, next: Arc<Version>) -> Arc<Version> {
        let (model, version) = (&*self.name, next.name().to_string());
        // What is live is not its own shadow.
        if self.shadow.load().as_ref().is_some_and(|shadow| shadow.version.name() == next.name()) {
            self.shadow.store(None);
        }
        let before = self.live.swap(next);
        if **before.name() != *version {
            self.meter.add(SWAPS, 1);
            tracing::info!(model, version, before = &**before.name(), "another version of a model is live");
        }
        before
    }

    pub(super) fn retire(&self, version: &str) -> Result<(), Error> {
        let mut book = self.book.lock();
        let found = book.find(&self.name, version)?;
        let in_use =
            |role| Err(Error::InUse { name: self.name.to_string(), version: version.to_owned(), role });
        if self.live.load().name() == found.name() {
            return in_use("live");
        }
        if self.shadow.load().as_ref().is_some_and(|shadow| shadow.version.name() == found.name()) {
            return in_use("the shadow");
        }
        book.versions.retain(|known| known.name() != found.name());
        book.former.retain(|known| known.name() != found.name());
        self.meter.set(VERSIONS, book.versions.len() as f64);
        Ok(())
    }

    pub(super) fn set_shadow(&self, version: Option<&str>, tolerance: Option<f64>) -> Result<(), Error> {
        let Some(version) = version else {
            self.shadow.store(None);
            return Ok(());
        };
        if tolerance.is_some_and(|most| !most.is_finite() || most < 0.0) {
            return Err(Error::Setting {
                what: "the tolerance of a shadow is a finite number from 0 on".to_owned(),
            });
        }
        let book = self.book.lock();
        let found = book.find(&self.name, version)?;
        if self.live.load().name() == found.name() {
            let (name, version) = (self.name.to_string(), version.to_owned());
            return Err(Error::InUse { name, version, role: "live" });
        }
        let shadow = Shadow::new(found, tolerance, self.meter.clone(), self.disagreements.clone());
        self.shadow.store(Some(Arc::new(shadow)));
        Ok(())
    }

    /// The version that judges now.
    pub(super) fn live(&self) -> Arc<Version> {
        self.live.load_full()
    }

    pub(super) fn listed(&self) -> Listed {
        let book = self.book.lock();
        let live = self.live.load_full();
        let counters = MODEL.counters.iter().enumerate();
        let counts = counters.map(|(place, (name, _))| ((*name).to_owned(), self.meter.counter(place)));
        let versions: Vec<_> = book.versions.iter().map(|version| version.listed()).collect();
        Listed {
            name: self.name.to_string(),
            live: live.name().to_string(),
            former: book.former(&live).map(|former| former.name().to_string()),
            shadow: self.shadow.load().as_ref().map(|shadow| shadow.listed()),
            versions,
            counts: counts.collect(),
        }
    }

    /// What the shadow judges differently from now on.
    pub(super) fn disagreements(&self) -> impl Stream<Item = Disagreement> + Send + Unpin + use<> {
        let meter = self.meter.clone();
        BroadcastStream::new(self.disagreements.subscribe()).filter_map(move |heard| {
            if let Err(tokio_stream::wrappers::errors::BroadcastStreamRecvError::Lagged(missed)) = &heard {
                meter.add(DROPPED, *missed);
            }
            std::future::ready(heard.ok())
        })
    }

    pub(super) fn fill(&self, version: &Version, rows: &[Input<'_>]) -> Result<Filled, Error> {
        self.meter.add(ROWS, rows.len() as u64);
        version.model.inner().fill(rows, true).inspect_err(|error| self.count(error))
    }

    /// Lets a version judge what it was filled with.
    pub(super) async fn judge(
        &self,
        version: Arc<Version>,
        filled: Filled,
    ) -> Result<Vec<Result<Verdict, RowError>>, Error> {
        let began = meter::now();
        let model = version.model.inner();
        let asked = model.ask(filled).await;
        self.meter.set(LATE_NOW, version.model.late() as f64);
        let Asked { input, answers, aside, given } = match asked {
            Ok(asked) => asked,
            Err(error) => {
                self.count(&error);
                return Err(error);
            }
        };
        let (mut refused, mut unanswered, mut unknown) = (0, 0, 0);
        let mut verdicts = Vec::with_capacity(given);
        for row in Rows::new(aside, given, answers.as_ref()) {
            verdicts.push(match row {
                Row::Answer(answer) => Ok(version.judge.verdict(answer)),
                Row::Blank => Ok(version.judge.blank()),
                Row::Wrong(error) => {
                    if matches!(error, RowError::Answer { .. }) {
                        unanswered += 1;
                    } else {
                        refused += 1;
                    }
                    Err(error)
                }
            });
            unknown += u64::from(matches!(verdicts.last(), Some(Ok(verdict)) if verdict.is_unknown()));
        }
        version.has_judged(given);
        self.meter.add(BATCHES, 1);
        for (counter, n) in [(REFUSED, refused), (UNANSWERED, unanswered), (UNKNOWN, unknown)] {
            if n > 0 {
                self.meter.add(counter, n);
            }
        }
        if let Some(began) = began {
            self.meter.record(began.elapsed());
        }
        match (self.shadow.load_full(), input, answers) {
            (Some(shadow), Some(input), Some(answers)) => {
                shadow.show(Judged { live: version, input, answers });
            }
            (_, input, _) => model.recycle(input),
        }
        Ok(verdicts)
    }

    /// Counts why a batch has no verdicts.
    fn count(&self, error: &Error) {
        self.meter.add(
            match error {
                Error::Late { .. } => LATE,
                Error::Busy { .. } => BUSY,
                Error::Panicked { .. } => PANICKED,
                Error::Batch { .. } => OVERSIZED,
                _ => FAILED,
            },
            1,
        );
    }
}
