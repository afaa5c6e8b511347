//! The goals of an app: their elements, what they come to, and that others can see it, too.

use super::{App, Loop};
use crate::element::host::Host;
use crate::element::site::Site;
use crate::element::{Element, ElementPath, Item, SpawnError, StartPolicy, State as Life, generate_uid};
use crate::goal::{self, Goal, State, Verdict, rfc3339};
use crate::knowledge::{self, Hash, Knowledge};
use crate::stream::clock;
use crate::stream::meter::{Kind, Meter};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

/// The hash in the knowledge of the app that has the goals of all who share it.
const NAME: &str = "goals";
/// What is kept is written at most this often.
const PAUSE: Duration = Duration::from_millis(500);
/// As a sign of life, all of it is written this often.
const BEAT: Duration = Duration::from_secs(10);
/// Whoever was not heard of for so long is no longer there.
const GONE: Duration = Duration::from_secs(30);
/// After so long, nobody is told of it any more.
const FORGOTTEN: Duration = Duration::from_hours(24);
/// What is forgotten is cleared away this often.
const CLEAR: Duration = Duration::from_hours(1);

pub(crate) static METER: Kind = Kind {
    name: "goal",
    label: "goal",
    counters: &[("violations", "How often the goal went over to violated.")],
    gauges: &[(
        "margin",
        "By how much the goal is met, or if negative, violated; NaN when that is not known.",
    )],
    latency: None,
};

/// A goal and what it comes to now.
///
/// As JSON: a [`Verdict`] with two fields more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct GoalStatus {
    /// The last verdict. It is unknown while the element does not work, and for another app that has not been heard of
    /// for half a minute.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// When this was last known to be so, by the clock of whoever judges it.
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "http", schema(value_type = String, format = DateTime))]
    pub heard: SystemTime,
    /// It is judged in this app, not in another one on the same backend.
    #[serde(default)]
    pub here: bool,
}

impl GoalStatus {
    /// For how long it has not been heard of.
    fn silence(&self) -> Duration {
        clock::now().duration_since(self.heard).unwrap_or_default()
    }

    fn unknown(mut self, why: &str) -> Self {
        self.verdict.state = State::Unknown;
        (self.verdict.margin, self.verdict.uncertainty) = (None, None);
        self.verdict.why = why.into();
        self
    }
}

/// One goal of this app.
struct Tracked {
    name: Arc<str>,
    last: Mutex<Verdict>,
    /// It was not written yet.
    is_new: AtomicBool,
    site: OnceLock<Weak<Site>>,
    meter: Arc<Meter>,
    board: Arc<Board>,
}

impl Tracked {
    fn record(&self, verdict: &Verdict) {
        let mut last = self.last.lock();
        if verdict.state == State::Violated && last.state != State::Violated {
            self.meter.add(0, 1);
        }
        self.meter.set(0, verdict.margin.unwrap_or(f64::NAN));
        let outdated = std::mem::replace(&mut *last, verdict.clone());
        drop(last);
        drop(outdated);
        self.is_new.store(true, Ordering::Release);
        self.board.wake.notify_one();
    }

    fn status(&self) -> GoalStatus {
        let verdict = self.last.lock().clone();
        let status = GoalStatus { verdict, heard: clock::now(), here: true };
        let life = self.site.get().and_then(Weak::upgrade).map_or(Life::Disposed, |site| site.state());
        if life.is_active() || life == Life::Completed {
            return status;
        }
        status.unknown(&format!("its element is {life}"))
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        // Only those that were entered are known to others.
        if self.site.get().is_some() {
            self.board.gone.lock().push(self.name.clone());
            self.board.wake.notify_one();
        }
    }
}

/// All goals of this app.
#[derive(Default)]
struct Board {
    tracked: Mutex<Vec<Weak<Tracked>>>,
    /// Those that were taken out and are still known to others.
    gone: Mutex<Vec<Arc<str>>>,
    wake: Notify,
}

impl Board {
    fn all(&self) -> Vec<Arc<Tracked>> {
        let mut tracked = self.tracked.lock();
        tracked.retain(|one| one.strong_count() > 0);
        let all: Vec<_> = tracked.iter().filter_map(Weak::upgrade).collect();
        drop(tracked);
        all
    }

    /// Writes what is new, or all; what could not be written is new again.
    async fn write(&self, kept: &Hash<String, GoalStatus>, all: bool) -> Result<(), knowledge::Error> {
        let there = self.all();
        let mut gone = std::mem::take(&mut *self.gone.lock());
        // Another one has that name now.
        gone.retain(|name| there.iter().all(|one| one.name != *name));
        let due: Vec<_> =
            there.into_iter().filter(|one| one.is_new.swap(false, Ordering::AcqRel) || all).collect();
        let written = self.put(kept, &due, &gone).await;
        if written.is_err() {
            for one in &due {
                one.is_new.store(true, Ordering::Release);
            }
            self.gone.lock().extend(gone);
        }
        written
    }

    async fn put(
        &self,
        kept: &Hash<String, GoalStatus>,
        due: &[Arc<Tracked>],
        gone: &[Arc<str>],
    ) -> Result<(), knowledge::Error> {
        for name in gone {
            kept.remove(&**name).await?;
        }
        if !due.is_empty() {
            let pairs =
                due.iter().map(|one| (one.name.to_string(), GoalStatus { here: false, ..one.status() }));
            kept.extend(pairs).await?;
        }
        Ok(())
    }
}

/// What an app has of goals: the board, and who writes it into knowledge.
#[derive(Default)]
pub(super) struct Goals {
    board: Arc<Board>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Goals {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.get_mut().take() {
            keeper.abort();
        }
    }
}

impl Goals {
    fn enter(&self, tracked: &Arc<Tracked>, site: &Arc<Site>, host: &Host, knowledge: &Knowledge) {
        let _ = tracked.site.set(Arc::downgrade(site));
        self.board.tracked.lock().push(Arc::downgrade(tracked));
        let mut keeper = self.keeper.lock();
        if keeper.is_none()
            && let Some(runtime) = host.runtime()
        {
            *keeper = Some(runtime.spawn(keep(self.board.clone(), knowledge.hash(NAME))));
        }
        drop(keeper);
        self.board.wake.notify_one();
    }

    /// Writes for the last time, and ends.
    pub(super) async fn finish(&self, app: &App, deadline: Instant) {
        let Some(keeper) = self.keeper.lock().take() else { return };
        keeper.abort();
        let kept = app.knowledge().hash(NAME);
        if !matches!(timeout_at(deadline, self.board.write(&kept, true)).await, Ok(Ok(()))) {
            tracing::warn!("the last verdicts of the goals could not be written into knowledge");
        }
    }
}

/// Writes verdicts into knowledge, the newest of each goal, as long as the app is there.
async fn keep(board: Arc<Board>, kept: Hash<String, GoalStatus>) {
    let mut beat = Instant::now() + BEAT;
    let mut clear = Instant::now();
    let mut is_out = false;
    loop {
        let _ = timeout_at(beat, board.wake.notified()).await;
        // Where something is always new the time is never waited for, and yet it comes.
        let all = Instant::now() >= beat;
        if all {
            beat = Instant::now() + BEAT;
        }
        let mut written = board.write(&kept, all).await;
        if written.is_ok() && Instant::now() >= clear {
            written = forget(&kept).await;
            clear = Instant::now() + CLEAR;
        }
        match &written {
            Err(error) if !is_out => {
                tracing::warn!(%error, "verdicts of goals can't be written into knowledge; the newest are written as soon as they can be");
            }
            Ok(()) if is_out => tracing::info!("verdicts of goals are written into knowledge again"),
            _ => {}
        }
        is_out = written.is_err();
        sleep(PAUSE).await;
        if is_out {
            board.wake.notify_one();
        }
    }
}

/// Clears away what nobody has spoken of for long. Whoever does after all writes it again with the next sign of life.
async fn forget(kept: &Hash<String, GoalStatus>) -> Result<(), knowledge::Error> {
    let all: Vec<(String, GoalStatus)> = kept.all().await?;
    for (name, _) in all.iter().filter(|(_, status)| status.silence() > FORGOTTEN) {
        kept.remove(name).await?;
    }
    Ok(())
}

impl Loop {
    /// An Analyze element that watches a goal: it takes the items that the goal is about and emits a [`Verdict`] at each
    /// change of state, and as often as the goal [says](Goal::report_every). It starts at once, and keeps the last
    /// verdict for a [replay](crate::element::LinkOptions::replay). An empty uid stands for a generated one.
    ///
    /// The last verdict is among [`App::goals`], in the knowledge that all apps on the backend share (the hash `goals`
    /// of the app's scope, by the goal's name; at most twice a second), and at `/metrics`. The name of the goal is the
    /// path that its element was made with. When the element restarts, the goal begins anew; what is wrong with an item is an error of
    /// the element.
    ///
    /// Writing into knowledge holds up nothing: in an outage only the newest verdict of each goal waits.
    ///
    /// # Errors
    /// As [`spawn`](crate::element::Complete::spawn).
    ///
    /// ```
    /// use mape::goal::{Signal, State};
    /// use mape::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), BoxError> {
    /// # use std::time::Duration;
    /// let app = App::new();
    /// let car = app.create_loop("car")?;
    /// let distance = Signal::new("distance", |metres: &f64| *metres).unit("m");
    /// let goal = car.goal("distance", distance.above(20.0).stale_after(Duration::from_secs(2)))?;
    /// let mut verdicts = goal.subscribe();
    ///
    /// goal.push(25.0).await?;
    /// goal.push(12.0).await?;
    /// while verdicts.next().await.is_some_and(|verdict| verdict.state != State::Violated) {}
    /// let goals = app.goals();
    /// assert_eq!(goals[0].verdict.to_string(), "car.distance: violated by 8 m: distance 12 m is below 20 m");
    /// # Ok(())
    /// # }
    /// ```
    pub fn goal<T: Item>(&self, uid: &str, goal: Goal<T>) -> Result<Element<T, Verdict>, SpawnError> {
        let uid =
            if uid.is_empty() { generate_uid(crate::element::Role::Analyze.prefix()) } else { uid.into() };
        let name: Arc<str> = ElementPath::new(self.uid(), &uid).as_str().into();
        let goals = &self.app().0.goals;
        let meter = Meter::new(&METER, &*name);
        meter.set(0, f64::NAN);
        let tracked = Arc::new(Tracked {
            name: name.clone(),
            last: Mutex::new(goal.before(name.clone(), clock::now())),
            is_new: AtomicBool::new(true),
            site: OnceLock::new(),
            meter,
            board: goals.board.clone(),
        });
        let record = tracked.clone();
        let element = self
            .analyze::<T>(&uid)
            .start_policy(StartPolicy::AtOnce)
            .remember(1)
            .ops_in(move |items| goal.watch(name.clone(), items))
            .try_map(move |verdict: Result<Verdict, goal::Error>| {
                verdict.inspect(|verdict| record.record(verdict))
            })
            .spawn()?;
        goals.enter(&tracked, element.site(), &self.0.host, &self.app().knowledge());
        Ok(element)
    }
}

impl App {
    /// The goals of this app and what they come to, in the order in which they were made; see [`Loop::goal`].
    #[must_use]
    pub fn goals(&self) -> Vec<GoalStatus> {
        self.0.goals.board.all().iter().map(|one| one.status()).collect()
    }

    /// The goals of all apps on the same backend, by name: of this one as they are, of others as they last said. One
    /// that has not been heard of for half a minute is unknown, and after a day it is forgotten; the clocks of the
    /// machines have to agree on that.
    /// Of several apps that have a goal of one name, the last that told of it counts.
    ///
    /// # Errors
    /// As of the store of knowledge.
    ///
    /// # Cancel safety
    /// Cancel safe: it changes nothing.
    pub async fn all_goals(&self) -> Result<Vec<GoalStatus>, knowledge::Error> {
        let kept: Hash<String, GoalStatus> = self.knowledge().hash(NAME);
        let mut all: BTreeMap<String, GoalStatus> = kept.all().await?;
        all.retain(|_, status| status.silence() <= FORGOTTEN);
        for status in all.values_mut() {
            status.here = false;
            if status.silence() > GONE {
                // Not for how long: who watches would be told every second that it is a second more.
                let why = format!("its app was last heard of at {}", rfc3339::text(status.heard));
                *status = status.clone().unknown(&why);
            }
        }
        all.extend(self.goals().into_iter().map(|status| (status.verdict.goal.to_string(), status)));
        Ok(all.into_values().collect())
    }
}
