//! `always` and `eventually`: the worst and the best in a window.

use super::Margin;
use super::extreme::Extreme;
use super::node::{Moment, Node};
use std::time::Duration;

/// The worst (`always`) or best (`eventually`) margin of a part in the last `span`.
pub(super) struct Window<T> {
    pub(super) part: Node<T>,
    pub(super) always: bool,
    pub(super) span: Duration,
    pub(super) margin: Margin,
    low: Extreme,
    high: Extreme,
}

impl<T> Clone for Window<T> {
    fn clone(&self) -> Self {
        Self { part: self.part.clone(), low: self.low.clone(), high: self.high.clone(), ..*self }
    }
}

impl<T> Window<T> {
    pub(super) fn new(part: Node<T>, always: bool, span: Duration) -> Self {
        // The largest is the smallest of what has the other sign. With too many entries the lower end may get lower and
        // the upper end higher, never the other way round. What was before the first moment is unknown.
        let Margin { low, high } = Margin::UNKNOWN;
        let (low, high) = if always { (low, high) } else { (high, low) };
        Self {
            part,
            always,
            span,
            margin: Margin::UNKNOWN,
            low: Extreme::new(span, low, !always),
            high: Extreme::new(span, high, always),
        }
    }

    pub(super) fn judge(&mut self, moment: &mut Moment<'_, T>) -> Margin {
        let part = self.part.judge(moment);
        let now = moment.now;
        let sign = if self.always { 1.0 } else { -1.0 };
        for (extreme, value) in [(&mut self.low, sign * part.low), (&mut self.high, sign * part.high)] {
            moment.coarsened += u64::from(extreme.push(now, value));
            extreme.expire(now);
            if let Some(at) = extreme.leaves() {
                moment.changes(at);
            }
        }
        self.margin = Margin { low: sign * self.low.value(), high: sign * self.high.value() };
        self.margin
    }
}
