//! What is told of what goes wrong.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use mape::edge::{Error, InfluxStats, Refusal};
use mape::stream::{Lossy, LossyReceiver};
use tokio::time::interval;

/// So many lines are told of one by one.
const TOLD: usize = 20;
/// More than wait in the sink and are under way.
const REMEMBERED: usize = 110_000;
/// How often somebody looks whether the server can be reached.
const LOOK: Duration = Duration::from_millis(50);

/// Says what goes wrong, and with which line of the file.
pub struct Told {
    /// The file.
    name: String,
    has_bucket: bool,
    give_up_after: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    count: usize,
    /// Digests of points as they are written, with their lines in the file.
    lines: VecDeque<(u64, u64)>,
}

impl Told {
    pub fn new(name: String, has_bucket: bool, give_up_after: Duration) -> Self {
        Self { name, has_bucket, give_up_after, state: Mutex::default() }
    }

    /// Keeps in mind from which line a point is.
    pub fn remember(&self, number: u64, written: &[u8]) {
        let mut state = self.state();
        if state.lines.len() >= REMEMBERED {
            state.lines.pop_front();
        }
        state.lines.push_back((digest(written), number));
    }

    /// Tells of a line of the file.
    pub fn say(&self, number: u64, what: &str) -> io::Result<()> {
        let mut state = self.state();
        state.count += 1;
        if state.count <= TOLD {
            writeln!(io::stderr(), "{}:{number}: {what}", self.name)?;
        }
        Ok(())
    }

    /// Tells how many more there were.
    pub fn close(&self) -> io::Result<()> {
        match self.state().count.saturating_sub(TOLD) {
            0 => Ok(()),
            more => writeln!(io::stderr(), "and {more} more"),
        }
    }

    /// Tells of what is refused, and that the server is away. It ends when it is no use to go on.
    pub async fn hear(&self, refusals: &mut LossyReceiver<Refusal>, stats: &InfluxStats) -> io::Result<()> {
        let (mut look, mut is_away, mut missed) = (interval(LOOK), false, 0);
        loop {
            let next = tokio::select! {
                next = refusals.next() => next,
                _ = look.tick() => {
                    if let Some(error) = stats.last_error().filter(|error| !is_away && waits(error)) {
                        is_away = true;
                        let seconds = self.give_up_after.as_secs_f64();
                        writeln!(io::stderr(), "not reached: {error}; trying again for {seconds} s")?;
                    }
                    continue;
                }
            };
            let refusal = match next {
                Some(Lossy::Item(refusal)) => refusal,
                Some(Lossy::Missed(count)) => {
                    missed += usize::try_from(count).unwrap_or(usize::MAX);
                    continue;
                }
                // What feeds the sink has its end as well.
                None => std::future::pending().await,
            };
            if self.is_for_all(&refusal.error) {
                return writeln!(io::stderr(), "everything is refused: {}", refusal.error);
            }
            if matches!(refusal.error, Error::Expired { .. }) {
                return writeln!(io::stderr(), "{}", refusal.error);
            }
            self.state().count += std::mem::take(&mut missed);
            let written = refusal.value.as_str().unwrap_or_default();
            let number = self.forget(digest(written.as_bytes()));
            self.say(number, &format!("refused: {}: {written}", refusal.error))?;
        }
    }

    /// The server wants none of it, whatever the points are.
    fn is_for_all(&self, error: &Error) -> bool {
        match error {
            Error::Answered { status: 400, .. } => !self.has_bucket,
            Error::Answered { status: 300..400 | 401 | 403 | 404, .. } => true,
            _ => false,
        }
    }

    /// The line of a point, which is not asked for again.
    fn forget(&self, digest: u64) -> u64 {
        let mut state = self.state();
        let at = state.lines.iter().position(|(known, _)| *known == digest);
        at.and_then(|at| state.lines.remove(at)).map_or(0, |(_, number)| number)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It is one that only time can change.
fn waits(error: &str) -> bool {
    error.starts_with("no answer from") || error.contains(" answered 5") || error.contains(" answered 429")
}

fn digest(written: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    written.hash(&mut hasher);
    hasher.finish()
}
