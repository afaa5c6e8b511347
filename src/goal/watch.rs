//! A goal at work on a stream.

use super::goal::{Clock, REPORT_EVERY};
use super::{Error, Goal, Judge, Margin, State, Verdict};
use crate::stream::clock;
use crate::stream::ops::alarm::{Alarm, BURST, after};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How far the time of an item may be ahead of the clock. One that is further ahead would make all that come later late.
/// No clock that is set to another time zone is ahead by as much as this.
const AHEAD: Duration = Duration::from_hours(24);

pin_project! {
    /// Stream of [`Goal::watch`]: the verdicts of a goal on the items of a stream.
    ///
    /// The first verdict is of the first moment, before any item. Then one comes at each change of state, also when no
    /// item comes but data gets old, a time is over, or a value leaves a window; and with a changed margin as often as
    /// [`Goal::report_every`] says. What is wrong with an item is an `Err` in its place. The last verdict comes when the
    /// source completes, if it differs from the one before.
    ///
    /// - **Emits when** the state changes, a changed margin is due, or an item is wrong.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels.
    ///
    /// Memory: that of the windows of the goal, at most 65,536 entries each; no item is kept.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use futures::{StreamExt, stream};
    /// use mape::goal::{Goal, State};
    /// use std::time::Duration;
    ///
    /// let items = stream::iter([12.0]).chain(stream::pending()); // and then it is silent
    /// let mut verdicts = Box::pin(Goal::below(20.0).stale_after(Duration::from_secs(5)).watch("temperature", items));
    /// let mut states = Vec::new();
    /// for _ in 0..3 {
    ///     states.push(verdicts.next().await.unwrap().unwrap().state);
    /// }
    /// assert_eq!(states, [State::Unknown, State::Met, State::Unknown]);
    /// # }
    /// ```
    #[must_use = "streams do nothing unless polled"]
    pub struct Watch<S, T> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        judge: Judge<T>,
        clock: Option<Clock<T>>,
        // By tokio's clock, where items have times of their own.
        silence: Option<Duration>,
        every: Duration,
        name: Arc<str>,
        formula: Arc<str>,
        unit: Arc<str>,
        begun: Option<Begun>,
        told: Option<Told>,
        since: SystemTime,
        ended: bool,
    }
}

#[derive(Clone, Copy, Debug)]
struct Begun {
    at: Instant,
    wall: SystemTime,
    /// When the last item came that was not left out.
    heard: Instant,
}

/// Why it is asked whether a verdict is due.
#[derive(Clone, Copy, Debug)]
enum At {
    Time,
    Item,
    End,
}

/// What was told last.
#[derive(Clone, Copy, Debug)]
struct Told {
    at: Instant,
    state: State,
    margin: Margin,
}

impl<S, T> std::fmt::Debug for Watch<S, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("name", &self.name).field("judge", &self.judge).finish_non_exhaustive()
    }
}

impl<S, T> Watch<S, T> {
    pub(super) fn new(goal: Goal<T>, name: Arc<str>, source: S) -> Self {
        Self {
            source,
            alarm: Alarm::default(),
            formula: goal.to_string().into(),
            unit: goal.node.unit().into(),
            silence: goal.stale_after.filter(|_| goal.clock.is_some()),
            judge: Judge::new(goal.node),
            clock: goal.clock,
            every: goal.report_every.unwrap_or(REPORT_EVERY),
            name,
            begun: None,
            told: None,
            since: SystemTime::UNIX_EPOCH,
            ended: false,
        }
    }
}

/// What is told, and when; everything but the source and the timer.
struct Teller<'a, T> {
    judge: &'a mut Judge<T>,
    clock: &'a Option<Clock<T>>,
    silence: Option<Duration>,
    every: Duration,
    name: &'a Arc<str>,
    formula: &'a Arc<str>,
    unit: &'a Arc<str>,
    begun: &'a mut Begun,
    told: &'a mut Option<Told>,
    since: &'a mut SystemTime,
}

impl<T> Teller<'_, T> {
    /// An item has come.
    fn item(&mut self, item: &T, now: Instant) -> Result<(), Error> {
        let at = match self.clock {
            Some(clock) => {
                let time = clock(item);
                let by = time.duration_since(self.here(now)).unwrap_or_default();
                if by > AHEAD {
                    return Err(Error::Ahead { by });
                }
                time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| Error::BeforeEpoch)?
            }
            None => now.saturating_duration_since(self.begun.at),
        };
        let judged = self.judge.item(at, item);
        if !matches!(judged, Err(Error::Late { .. })) {
            self.begun.heard = now;
        }
        judged.map(drop)
    }

    /// No item for too long, although items have times of their own.
    fn is_silent(&self, now: Instant) -> bool {
        self.silence.is_some_and(|silence| now.saturating_duration_since(self.begun.heard) >= silence)
    }

    /// The verdict that is due now, if one is: at an item, or as time goes on; a changed margin is due at the end.
    fn due(&mut self, now: Instant, at: At) -> Option<Verdict> {
        if self.clock.is_none() {
            self.judge.advance(now.saturating_duration_since(self.begun.at));
        }
        let silent = self.is_silent(now);
        let margin = if silent { Margin::UNKNOWN } else { self.judge.margin() };
        let state = margin.state();
        let due = self.told.is_none_or(|told| {
            let pause = now.saturating_duration_since(told.at);
            let may_tell = match at {
                At::End => true,
                At::Item => pause >= self.every,
                // Without a pause between reports they follow items only.
                At::Time => pause >= self.every && !self.every.is_zero(),
            };
            state != told.state || (margin != told.margin && may_tell)
        });
        if !due {
            return None;
        }
        let at = self.wall(now);
        if self.told.is_none_or(|told| state != told.state) {
            *self.since = at;
        }
        *self.told = Some(Told { at: now, state, margin });
        let why = if silent { "no item has come for too long".to_owned() } else { self.judge.why() };
        Some(Verdict {
            goal: self.name.clone(),
            state,
            margin: margin.centre(),
            uncertainty: margin.uncertainty(),
            unit: self.unit.clone(),
            at,
            since: *self.since,
            why: why.into(),
            formula: self.formula.clone(),
        })
    }

    /// The time now.
    fn here(&self, now: Instant) -> SystemTime {
        self.begun.wall + now.saturating_duration_since(self.begun.at)
    }

    /// The time of the verdict. Where items have times it is that of the newest, and for how long none has come, if that
    /// is what the verdict says.
    fn wall(&self, now: Instant) -> SystemTime {
        let newest = self.judge.now().filter(|_| self.clock.is_some());
        let silence = if self.is_silent(now) {
            now.saturating_duration_since(self.begun.heard)
        } else {
            Duration::ZERO
        };
        newest
            .and_then(|at| SystemTime::UNIX_EPOCH.checked_add(at.saturating_add(silence)))
            .unwrap_or_else(|| self.here(now))
    }

    /// When to look again if nothing comes.
    fn look_again(&self, now: Instant) -> Option<Instant> {
        let told = self.told.as_ref()?;
        let margin = if self.is_silent(now) { Margin::UNKNOWN } else { self.judge.margin() };
        let is_open = margin != told.margin || (self.clock.is_none() && self.judge.is_running());
        let report = (is_open && !self.every.is_zero()).then(|| after(told.at, self.every));
        let change = match (self.clock, self.silence) {
            (None, _) => self.judge.next_change().map(|at| after(self.begun.at, at)),
            (Some(_), Some(silence)) => Some(after(self.begun.heard, silence)).filter(|at| *at > now),
            (Some(_), None) => None,
        };
        report.into_iter().chain(change).min()
    }
}

impl<S: Stream<Item = T>, T> Stream for Watch<S, T> {
    type Item = Result<Verdict, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let mut now = Instant::now();
        let begun = this.begun.get_or_insert_with(|| Begun { at: now, wall: clock::now(), heard: now });
        let mut teller = Teller {
            judge: this.judge,
            clock: this.clock,
            silence: *this.silence,
            every: *this.every,
            name: this.name,
            formula: this.formula,
            unit: this.unit,
            begun,
            told: this.told,
            since: this.since,
        };
        let mut at = At::Time;
        for _ in 0..BURST {
            // What time alone has changed comes before an item of now.
            if let Some(verdict) = teller.due(now, at) {
                return Poll::Ready(Some(Ok(verdict)));
            }
            at = At::Time;
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    now = Instant::now();
                    if let Err(error) = teller.item(&item, now) {
                        return Poll::Ready(Some(Err(error)));
                    }
                    at = At::Item;
                }
                Poll::Ready(None) => {
                    *this.ended = true;
                    return Poll::Ready(teller.due(now, At::End).map(Ok));
                }
                Poll::Pending => {
                    match teller.look_again(now) {
                        Some(at) => this.alarm.as_mut().set(at),
                        None => this.alarm.as_mut().clear(),
                    }
                    if this.alarm.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    now = Instant::now();
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
