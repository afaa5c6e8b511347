//! What the task of a sink has in hand.

use super::Error;
use super::outbox::{Emptying, Letter, Outbox};
use super::stats::{DROPPED, REFUSED, RETRIED, SENT};
use super::target::Kind;
use crate::stream::Backoff;
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// What was taken out of an outbox and is tried until it is there, refused or given up, from its beginning.
pub(super) struct Hand {
    pub(super) outbox: Emptying,
    /// Nothing of it is known to be there.
    pub(super) letters: VecDeque<Letter>,
    pub(super) backoff: Backoff,
    pub(super) give_up_after: Option<Duration>,
    /// What a letter says to who is told that it is refused.
    pub(super) says: fn(&Letter) -> Value,
    /// How many may be in one body, for now.
    pub(super) most: usize,
    /// How many may be in one body, ever.
    pub(super) limit: usize,
    /// How often in a row it did not get on.
    pub(super) failed: u32,
    /// Since when the other side takes nothing, if it was asked.
    failing: Option<Instant>,
    /// The last was refused, and that was said.
    refusing: bool,
}

impl Hand {
    pub(super) fn new(outbox: Emptying, limit: usize, says: fn(&Letter) -> Value) -> Self {
        Self {
            outbox,
            letters: VecDeque::new(),
            backoff: Backoff::default(),
            give_up_after: None,
            says,
            most: limit,
            limit,
            failed: 0,
            failing: None,
            refusing: false,
        }
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox.0
    }

    /// Counts an attempt that is not the first.
    pub(super) fn attempt(&self) {
        if self.failed > 0 {
            self.outbox().stats.0.add(RETRIED, 1);
        }
    }

    /// The first so many are there, the next so many will not be.
    pub(super) fn settle(&mut self, taken: usize, refused: usize, error: &Error) {
        self.letters.drain(..taken.min(self.letters.len()));
        self.outbox().count(SENT, taken);
        for _ in 0..refused {
            self.refuse(error);
        }
        self.outbox().left(self.letters.len());
    }

    /// The first in hand will not be delivered.
    pub(super) fn refuse(&mut self, error: &Error) {
        let Some(letter) = self.letters.pop_front() else { return };
        self.outbox().count(REFUSED, 1);
        self.outbox().failed(error);
        if !self.refusing {
            warn!(%error, "what was posted is refused; it is counted, and the next goes on");
            self.refusing = true;
        }
        self.outbox().refuse(|| (self.says)(&letter), letter.kind == Kind::Error, error.clone());
    }

    /// Those in hand will not be delivered, wherever they are in it.
    pub(super) fn refuse_those(&mut self, which: impl Fn(&Letter) -> bool, error: &Error) {
        let (refused, left): (VecDeque<_>, _) =
            std::mem::take(&mut self.letters).into_iter().partition(which);
        let count = refused.len();
        self.letters = refused;
        self.letters.extend(left);
        self.settle(0, count, error);
    }

    /// It goes on with what is left.
    pub(super) fn go_on(&mut self, taken: usize, refused: usize) {
        if taken > 0 || refused == 0 {
            self.most = (self.most * 2).min(self.limit);
        }
        if taken > 0 && self.failed > 0 {
            info!(place = self.outbox().place, attempts = self.failed, "posting goes on");
        }
        self.refusing = refused > 0;
        self.answered();
    }

    /// The other side is there, and says what it wants.
    pub(super) fn answered(&mut self) {
        (self.failed, self.failing) = (0, None);
    }

    /// So many were too many, or one of them is bad.
    pub(super) fn smaller(&mut self, count: usize) {
        self.most = (count / 2).max(1);
        self.answered();
    }

    /// How long to wait before the same is tried again; or how many were given up instead.
    pub(super) fn put_off(
        &mut self,
        error: &Error,
        wait: Option<Duration>,
        taken: usize,
    ) -> Result<Duration, usize> {
        self.outbox().failed(error);
        self.failing = self.failing.filter(|_| taken == 0).or_else(|| Some(Instant::now()));
        // Who takes some at a time is busy, not away.
        let failed = if taken > 0 { 0 } else { self.failed };
        let Some(own) = self.backoff.wait(failed) else {
            let after = self.letters.front().map(|letter| letter.since.elapsed()).unwrap_or_default();
            let count = self.letters.len();
            warn!(%error, dropped = count, "given up after {failed} more attempts");
            self.give_up(count, after);
            return Err(count);
        };
        if self.failed == 0 && taken == 0 {
            warn!(%error, "posting has to wait; it is tried again");
        }
        self.failed = failed.saturating_add(1);
        Ok(wait.map_or(own, |wait| wait.mul_f64(1.0 + fastrand::f64() / 10.0).max(own)))
    }

    /// Gives up what the other side did not take for too long; how many these are. Of who takes things nothing expires,
    /// however long they waited for their turn.
    pub(super) fn expire(&mut self) -> usize {
        let (Some(after), Some(failing)) = (self.give_up_after, self.failing) else { return 0 };
        let is_old = |letter: &&Letter| letter.since.max(failing).elapsed() >= after;
        let expired = self.letters.iter().take_while(is_old).count();
        if expired > 0 {
            warn!(place = self.outbox().place, dropped = expired, "given up: not delivered within {after:?}");
            self.give_up(expired, after);
        }
        expired
    }

    fn give_up(&mut self, count: usize, after: Duration) {
        let error = Error::Expired { place: self.outbox().place.clone(), after };
        let given_up: Vec<Letter> = self.letters.drain(..count).collect();
        for letter in given_up {
            self.outbox().refuse(|| (self.says)(&letter), letter.kind == Kind::Error, error.clone());
        }
        self.failed = 0;
        self.outbox().count(DROPPED, count);
        self.outbox().failed(&error);
        self.outbox().left(self.letters.len());
    }
}
