//! What begins, and when.

use super::super::{Error, RunId, Time};
use super::cron::Cron;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::time::Duration;

/// A flow that begins again and again.
///
/// ```
/// use mape::workflow::{Missed, Schedule};
/// let report = Schedule::new("report", "30 2 * * *".parse()?, "collect → send").missed(Missed::RunOnce);
/// assert_eq!(report.name(), "report");
/// # Ok::<(), mape::workflow::NoCron>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Schedule {
    pub(super) name: String,
    pub(super) cron: Cron,
    pub(super) flow: String,
    pub(super) input: Json,
    pub(super) missed: Missed,
    pub(super) key: Option<String>,
    pub(super) paused: bool,
    /// The first time that is not dealt with.
    pub(super) next: Option<Time>,
    /// The run that was made last.
    pub(super) last: Option<RunId>,
    /// Why the last run could not be made.
    pub(super) error: Option<String>,
}

/// What becomes of a time that nobody was there for, or at which another run of the same
/// [key](Schedule::key) was not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missed {
    /// Nothing: the next run is at the next time.
    #[default]
    Skip,
    /// One run as soon as can be, for all that were missed.
    RunOnce,
    /// A run for each as soon as can be, for the last [`MOST`](Schedule::MOST) of them.
    RunAll,
}

/// What is to be done about a schedule.
#[derive(Debug, PartialEq)]
pub(super) enum Due {
    /// Nothing before this time.
    At(Time),
    /// Nothing ever.
    Never,
    /// A run for this time; the schedule as it is then.
    Run(Time, Schedule),
    /// No run for some times up to now; the schedule as it is then.
    Skip(Schedule),
}

impl Schedule {
    /// How late a run may be for its time not to count as missed.
    pub const LATE: Duration = Duration::from_secs(30);
    /// How many runs [`Missed::RunAll`] makes at most for times that were missed.
    pub const MOST: usize = 100;
    /// The longest name.
    const LONGEST: usize = 100;

    /// A flow, by its text, that begins at these times.
    #[must_use]
    pub fn new(name: &str, cron: Cron, flow: &str) -> Self {
        Self {
            name: name.to_owned(),
            cron,
            flow: flow.to_owned(),
            input: Json::Null,
            missed: Missed::default(),
            key: None,
            paused: false,
            next: None,
            last: None,
            error: None,
        }
    }

    /// The input of its runs; none unless it is said.
    #[must_use]
    pub fn input(mut self, input: Json) -> Self {
        self.input = input;
        self
    }

    /// What becomes of times that were missed.
    #[must_use]
    pub fn missed(mut self, missed: Missed) -> Self {
        self.missed = missed;
        self
    }

    /// Of all runs that schedules with this key make, one is under way at a time.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When.
    #[must_use]
    pub fn cron(&self) -> &Cron {
        &self.cron
    }

    /// Whether nothing begins at the moment.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// The time of its next run, as far as that is known.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.next.filter(|_| !self.paused)
    }

    /// The run that was made last.
    #[must_use]
    pub fn last(&self) -> Option<&RunId> {
        self.last.as_ref()
    }

    /// Why the last run could not be made, if it could not.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Why it cannot be kept.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong =
            |reason: &str| Err(Error::Schedule { name: self.name.clone(), reason: reason.to_owned() });
        let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || self.name.len() > Self::LONGEST || !self.name.chars().all(is_plain) {
            return wrong("needs a name of letters, digits, `-`, `_` and `.`, 100 bytes at most");
        }
        if !(self.input.is_null() || self.input.is_object() || self.input.is_array()) {
            return wrong("has an input that is neither an object nor a list");
        }
        super::super::Definition::new(crate::flow::Workflow::parse(self.flow.as_str()).into_graph()?)?;
        Ok(())
    }

    /// The run that is made for a time: the same, whoever makes it.
    pub(super) fn run_at(&self, at: Time) -> RunId {
        let stamp: String = at.to_string().chars().take(19).filter(|c| !"-:".contains(*c)).collect();
        format!("{}-{stamp}Z", self.name).into()
    }

    /// Beginning anew at a moment: what was before is not missed.
    pub(super) fn beginning(self, now: Time) -> Self {
        Self { next: self.cron.next(now), ..self }
    }

    /// What is to be done now, if no run may begin because another is `busy`, or if one may.
    pub(super) fn due(&self, now: Time, busy: bool) -> Due {
        let Some(next) = self.next.filter(|_| !self.paused) else { return Due::Never };
        if next > now {
            return Due::At(next);
        }
        let (times, more) = self.times(next, now);
        let Some(last) = times.last().copied() else { return Due::Never };
        let behind = |at: Time| Self { next: self.cron.next(at), error: None, ..self.clone() };
        let on_time = now.since(last) <= Self::LATE;
        match self.missed {
            Missed::Skip if busy || !on_time => Due::Skip(behind(last)),
            // What waits is the last one, or the last few, until the other run is over.
            Missed::RunOnce if busy && next == last => Due::At(last),
            Missed::RunOnce if busy => Due::Skip(Self { next: Some(last), ..self.clone() }),
            Missed::RunAll if more => Due::Skip(Self { next: times.first().copied(), ..self.clone() }),
            Missed::RunAll if busy => Due::At(next),
            Missed::RunAll => Due::Run(next, behind(next)),
            Missed::RunOnce => Due::Run(last, behind(last)),
            Missed::Skip => {
                // Those that are not late are not missed.
                let at = times.iter().copied().find(|at| now.since(*at) <= Self::LATE).unwrap_or(last);
                Due::Run(at, behind(at))
            }
        }
    }

    /// The times from `first` to `now`, of which only the last are given, and whether there are others before.
    fn times(&self, first: Time, now: Time) -> (Vec<Time>, bool) {
        let mut from = now;
        for _ in 0..Self::MOST {
            match self.cron.previous(from).filter(|before| *before > first) {
                Some(before) => from = before,
                None => from = first,
            }
            if from == first {
                break;
            }
        }
        let step = |at: &Time| self.cron.next(*at).filter(|next| *next <= now);
        (std::iter::successors(Some(from), step).take(Self::MOST + 1).collect(), from > first)
    }
}

/// What is kept of one.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    name: String,
    cron: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tz: Option<String>,
    flow: String,
    #[serde(default, skip_serializing_if = "Json::is_null")]
    input: Json,
    #[serde(default)]
    missed: Missed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    paused: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<Schedule> for Kept {
    fn from(of: Schedule) -> Self {
        let Schedule { name, cron, flow, input, missed, key, paused, next, last, error } = of;
        let (tz, cron) = (cron.zone().map(str::to_owned), cron.text().to_owned());
        Self { name, cron, tz, flow, input, missed, key, paused, next, last, error }
    }
}

impl TryFrom<Kept> for Schedule {
    type Error = super::NoCron;

    fn try_from(kept: Kept) -> Result<Self, super::NoCron> {
        let Kept { name, cron, tz, flow, input, missed, key, paused, next, last, error } = kept;
        let cron: Cron = cron.parse()?;
        let cron = match tz {
            Some(zone) => cron.in_zone(&zone)?,
            None => cron,
        };
        Ok(Self { name, cron, flow, input, missed, key, paused, next, last, error })
    }
}
