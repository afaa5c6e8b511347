//! Who has begun what, and whether they were allowed to.

use super::link::Link;
use fastrand::Rng;
use mape::flow::Graph;
use mape::workflow::{Place, RunId};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Who has begun which step of which run; it finds out at once if that should not have happened.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Book>);

#[derive(Default)]
struct Book {
    starts: Vec<Start>,
    /// For each run, which tasks come somewhere behind which, and what is to go wrong.
    runs: BTreeMap<RunId, Kept>,
    wrong: Vec<String>,
}

struct Kept {
    behind: Vec<BTreeSet<u32>>,
    trouble: Option<Trouble>,
    /// When it was restarted.
    restarts: Vec<Duration>,
}

struct Start {
    run: RunId,
    place: Place,
    attempt: u32,
    by: Arc<Link>,
    at: Duration,
    failed: bool,
}

/// A task that fails.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) task: String,
    pub(super) how: Fails,
}

/// How often a task fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fails {
    /// So many times, which its policy sits out.
    Times(u32),
    /// Until the run has been restarted.
    UntilRestart,
    Always,
}

impl Ledger {
    /// There will be a run of this flow.
    pub(super) fn open(&self, run: &RunId, graph: &Graph, trouble: Option<Trouble>) {
        let behind = (0..graph.nodes().len()).map(|node| {
            let mut behind = BTreeSet::new();
            let mut next = vec![node];
            while let Some(node) = next.pop() {
                let after = graph.successors(node).iter().filter_map(|after| u32::try_from(*after).ok());
                next.extend(after.filter(|after| behind.insert(*after)).map(|after| after as usize));
            }
            behind
        });
        let kept = Kept { behind: behind.collect(), trouble, restarts: Vec::new() };
        self.0.lock().runs.insert(run.clone(), kept);
    }

    /// A step is begun; or it `is_announced` that it may be, which does not end with who has done that.
    pub(super) fn begin(
        &self,
        by: &Arc<Link>,
        at: Duration,
        run: &RunId,
        (place, attempt): (Place, u32),
        is_announced: bool,
    ) {
        let mut book = self.0.lock();
        if let Some(wrong) = book.objection(by, run, (place, attempt), is_announced) {
            book.wrong.push(wrong);
        }
        let start = Start { run: run.clone(), place, attempt, by: by.clone(), at, failed: false };
        book.starts.push(start);
    }

    /// What a task does when it has worked: fails, if that is its part.
    pub(super) fn end(&self, run: &RunId, place: Place, attempt: u32, name: &str) -> Result<(), String> {
        let mut book = self.0.lock();
        let book = &mut *book;
        let Some(kept) = book.runs.get_mut(run) else { return Ok(()) };
        let Some(trouble) = kept.trouble.as_mut().filter(|trouble| trouble.task == name) else {
            return Ok(());
        };
        let fails = match &mut trouble.how {
            Fails::Times(0) => false,
            Fails::Times(left) => {
                *left -= 1;
                true
            }
            Fails::UntilRestart => kept.restarts.is_empty(),
            Fails::Always => true,
        };
        if !fails {
            return Ok(());
        }
        let is_it = |start: &&mut Start| (&start.run, start.place, start.attempt) == (run, place, attempt);
        book.starts.iter_mut().filter(is_it).for_each(|start| start.failed = true);
        Err("it was to fail".to_owned())
    }

    /// A run is about to be restarted.
    pub(super) fn restart(&self, run: &RunId, at: Duration) {
        if let Some(kept) = self.0.lock().runs.get_mut(run) {
            kept.restarts.push(at);
        }
    }

    /// What should not have happened.
    pub(super) fn wrong(&self) -> Option<String> {
        self.0.lock().wrong.first().cloned()
    }

    /// Nothing more will be begun; it holds on to nobody.
    pub(super) fn close(&self) {
        *self.0.lock() = Book::default();
    }

    /// How many steps were begun, and how many of them again.
    pub(super) fn counts(&self) -> (usize, usize) {
        let book = self.0.lock();
        let once: BTreeSet<_> = book.starts.iter().map(|start| (&start.run, start.place)).collect();
        (book.starts.len(), book.starts.len() - once.len())
    }
}

impl Book {
    /// Why a step may not be begun now.
    fn objection(
        &self,
        by: &Arc<Link>,
        run: &RunId,
        (place, attempt): (Place, u32),
        is_announced: bool,
    ) -> Option<String> {
        let Some(kept) = self.runs.get(run) else {
            return Some(format!("{place} of the unknown run {run} begins"));
        };
        // One that was thought to be gone may come late with what it was about to do.
        if by.was_given_up() && !is_announced {
            return None;
        }
        let of_run = || self.starts.iter().filter(|start| start.run == *run);
        if let Some(after) =
            of_run().find(|start| place.part == 0 && kept.behind[place.index()].contains(&start.place.node))
        {
            return Some(format!(
                "{place} of {run} is begun by {} (attempt {attempt}) after {} behind it, which {} began",
                by.name, after.place, after.by.name
            ));
        }
        let before = of_run().rfind(|start| start.place == place)?;
        if attempt <= before.attempt && (before.by.name == by.name || is_announced) {
            return Some(format!("{place} of {run}: attempt {attempt} is begun after {}", before.attempt));
        }
        let is_excused = before.failed
            || before.by.was_given_up() && !is_announced
            || kept.restarts.iter().any(|restart| *restart >= before.at);
        (!is_excused).then(|| {
            format!(
                "{place} of {run} is begun by {} (attempt {attempt}) although {}, which has begun it (attempt {}), lives",
                by.name, before.by.name, before.attempt
            )
        })
    }
}

/// How long a task works.
pub(super) fn effort(random: &mut Rng) -> Duration {
    Duration::from_millis(match random.u8(..10) {
        0..=4 => random.u64(..30),
        5..=8 => random.u64(30..500),
        _ => random.u64(500..3_000),
    })
}
