//! `within … after`: one part has to be met soon after another one was.

use super::Margin;
use super::node::{Moment, Node};
use std::time::Duration;

/// After each moment at which `trigger` is met, `response` is to be met within `limit`; the margin is the time that is
/// left for the oldest one that has not been answered, in seconds.
pub(super) struct Response<T> {
    pub(super) answer: Node<T>,
    pub(super) trigger: Node<T>,
    pub(super) limit: Duration,
    /// Since when an answer is due that was not given for certain.
    open: Option<Duration>,
    /// The same, where what is unknown is for us.
    best: Option<Duration>,
    /// Since when an answer may be due, as long as it is not known that there is no trigger any more.
    doubt: Option<Duration>,
    /// How long the last answer took.
    pub(super) took: Option<Duration>,
    /// Something was known of the trigger. What was before that is not held against anybody.
    begun: bool,
}

impl<T> Clone for Response<T> {
    fn clone(&self) -> Self {
        Self { answer: self.answer.clone(), trigger: self.trigger.clone(), ..*self }
    }
}

impl<T> Response<T> {
    pub(super) fn new(answer: Node<T>, trigger: Node<T>, limit: Duration) -> Self {
        Self { answer, trigger, limit, open: None, best: None, doubt: None, took: None, begun: false }
    }

    pub(super) fn judge(&mut self, moment: &mut Moment<'_, T>) -> Margin {
        let (answer, trigger) = (self.answer.judge(moment), self.trigger.judge(moment));
        let now = moment.now;
        self.begun |= trigger != Margin::UNKNOWN;
        if answer.low >= 0.0 {
            self.took = self.worst().map(|since| now.saturating_sub(since)).or(self.took);
            (self.open, self.doubt) = (None, None);
        } else if trigger.low >= 0.0 {
            self.open.get_or_insert(now);
        } else if trigger.high < 0.0 {
            // What may have been asked for while nothing was known is not held against anybody for ever.
            self.doubt = None;
        } else if self.begun {
            self.doubt.get_or_insert(now);
        }
        if answer.high >= 0.0 {
            self.best = None;
        } else if trigger.low >= 0.0 {
            self.best.get_or_insert(now);
        }
        let low = self.left(self.worst(), moment);
        // As long as nothing is known of the trigger, nothing is known from below.
        Margin { low: if self.begun { low } else { f64::NEG_INFINITY }, high: self.left(self.best, moment) }
    }

    /// Since when an answer is due, if what is unknown is against us.
    fn worst(&self) -> Option<Duration> {
        self.open.into_iter().chain(self.doubt).min()
    }

    /// An answer is due.
    pub(super) fn is_due(&self) -> bool {
        self.worst().is_some()
    }

    fn left(&self, since: Option<Duration>, moment: &mut Moment<'_, T>) -> f64 {
        let Some(since) = since else { return self.limit.as_secs_f64() };
        left_of(self.limit, since, moment)
    }
}

/// What is left of a time that began then, in seconds; negative when it is over.
pub(super) fn left_of<T>(limit: Duration, since: Duration, moment: &mut Moment<'_, T>) -> f64 {
    moment.moves = true;
    // At the very end it is still in time; it is over a nanosecond later.
    moment.changes(since.saturating_add(limit).saturating_add(Duration::from_nanos(1)));
    let passed = moment.now.saturating_sub(since);
    limit.saturating_sub(passed).as_secs_f64() - passed.saturating_sub(limit).as_secs_f64()
}
