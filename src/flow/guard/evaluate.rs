//! Whether a path matches anything.

use super::compare::{in_dialect, in_rfc};
use super::method::place;
use super::query::{Operand, Query, Segment, Selector, Slice, Test};
use serde_json::Value;
use std::cell::Cell;

/// Values that are looked at before it is given up.
pub(super) const MOST_STEPS: usize = 1_000_000;

/// Deeper values are not followed.
const MAX_DEPTH: usize = 256;

/// It would take too much work.
#[derive(Debug)]
pub(super) struct Costly;

/// Is given each match, and says whether that is enough.
pub(super) type Found<'f> = &'f mut dyn FnMut(&Value) -> Result<bool, Costly>;

/// One evaluation.
pub(super) struct Run<'a> {
    root: &'a Value,
    rfc: bool,
    left: Cell<usize>,
    depth: Cell<usize>,
}

impl<'a> Run<'a> {
    pub(super) fn new(root: &'a Value, rfc: bool) -> Self {
        Self { root, rfc, left: Cell::new(MOST_STEPS), depth: Cell::new(0) }
    }

    pub(super) fn matches(&self, query: &Query) -> Result<bool, Costly> {
        self.each(query, self.root, &mut |_| Ok(true))
    }

    /// Counts work.
    pub(super) fn spend(&self, steps: usize) -> Result<(), Costly> {
        self.left.set(self.left.get().checked_sub(steps).ok_or(Costly)?);
        Ok(())
    }

    /// Counts all values in a value.
    pub(super) fn spend_on(&self, value: &Value) -> Result<(), Costly> {
        self.spend(1)?;
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.spend_on(item)),
            Value::Object(map) => map.values().try_for_each(|item| self.spend_on(item)),
            Value::String(text) => self.spend(text.len() / 16),
            _ => Ok(()),
        }
    }

    /// Hands over each match until one is enough; whether one was.
    pub(super) fn each(&self, query: &Query, current: &Value, found: Found<'_>) -> Result<bool, Costly> {
        let start = if query.absolute { self.root } else { current };
        self.segments(&query.segments, start, found)
    }

    pub(super) fn each_operand(
        &self,
        operand: &Operand,
        current: &Value,
        found: Found<'_>,
    ) -> Result<bool, Costly> {
        match operand {
            Operand::Value(value) => found(value),
            Operand::Query(query) => self.each(query, current, found),
            Operand::Function(function) => match function.value(self, current)? {
                Some(value) => found(&value),
                None => Ok(false),
            },
        }
    }

    fn segments(&self, segments: &[Segment], value: &Value, found: Found<'_>) -> Result<bool, Costly> {
        self.spend(1)?;
        let Some((segment, rest)) = segments.split_first() else { return found(value) };
        let depth = self.depth.get();
        if depth > MAX_DEPTH {
            return Err(Costly);
        }
        self.depth.set(depth + 1);
        let enough = self.segment(segment, rest, value, found);
        self.depth.set(depth);
        enough
    }

    fn segment(
        &self,
        segment: &Segment,
        rest: &[Segment],
        value: &Value,
        found: Found<'_>,
    ) -> Result<bool, Costly> {
        for selector in &segment.selectors {
            if self.select(selector, value, &mut |selected| self.segments(rest, selected, found))? {
                return Ok(true);
            }
        }
        if !segment.descends {
            return Ok(false);
        }
        each_member(value, &mut |member| {
            self.spend(1)?;
            let depth = self.depth.get();
            if depth > MAX_DEPTH {
                return Err(Costly);
            }
            self.depth.set(depth + 1);
            let enough = self.segment(segment, rest, member, found);
            self.depth.set(depth);
            enough
        })
    }

    fn select(&self, selector: &Selector, value: &Value, found: Found<'_>) -> Result<bool, Costly> {
        let at = |index: i64| match value {
            Value::Array(items) => place(index, items.len()).and_then(|at| items.get(at)),
            _ => None,
        };
        match (selector, value) {
            (Selector::Name(name), _) => value_of(value.get(name.as_str()), found),
            (Selector::Index(index), _) => value_of(at(*index), found),
            (Selector::Wildcard, _) => each_member(value, found),
            (Selector::Slice(slice), Value::Array(items)) => self.slice(*slice, items, found),
            (Selector::Slice(_), _) => Ok(false),
            (Selector::Filter(test), _) if self.rfc => {
                each_member(value, &mut |member| Ok(self.holds(test, member)? && found(member)?))
            }
            (Selector::Filter(test), _) => Ok(self.holds(test, value)? && found(value)?),
            (Selector::Method(method), _) => method.apply(self, value, found),
            (Selector::Computed(query), _) => self.each(query, value, &mut |key| match key {
                Value::String(name) => value_of(value.get(name.as_str()), found),
                Value::Number(number) => value_of(number.as_i64().and_then(at), found),
                _ => Ok(false),
            }),
        }
    }

    fn slice(&self, slice: Slice, items: &[Value], found: Found<'_>) -> Result<bool, Costly> {
        let places = if self.rfc { slice.in_rfc(items.len()) } else { slice.in_dialect(items.len()) };
        for place in places {
            self.spend(1)?;
            if value_of(items.get(place), found)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn holds(&self, test: &Test, current: &Value) -> Result<bool, Costly> {
        self.spend(1)?;
        match test {
            Test::Constant(constant) => Ok(*constant),
            Test::Not(test) => Ok(!self.holds(test, current)?),
            Test::Any(tests) => {
                for test in tests {
                    if self.holds(test, current)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::All(tests) => {
                for test in tests {
                    if !self.holds(test, current)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Test::Exists(query) => self.each(query, current, &mut |_| Ok(true)),
            Test::Holds(function) => function.holds(self, current),
            Test::Compare(operator, left, right) if self.rfc => {
                let (left, right) = (self.single(left, current)?, self.single(right, current)?);
                in_rfc(self, *operator, left.as_ref(), right.as_ref())
            }
            Test::Compare(operator, left, right) => self.each_operand(left, current, &mut |left| {
                self.each_operand(right, current, &mut |right| {
                    self.spend(1)?;
                    in_dialect(self, *operator, left, right)
                })
            }),
        }
    }

    /// The one value of an operand of RFC 9535.
    pub(super) fn single(&self, operand: &Operand, current: &Value) -> Result<Option<Value>, Costly> {
        let mut single = None;
        self.each_operand(operand, current, &mut |value| {
            self.spend_on(value)?;
            single = Some(value.clone());
            Ok(true)
        })?;
        Ok(single)
    }
}

fn value_of(value: Option<&Value>, found: Found<'_>) -> Result<bool, Costly> {
    value.map_or(Ok(false), found)
}

fn each_member(value: &Value, found: Found<'_>) -> Result<bool, Costly> {
    let mut members: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => return Ok(false),
    };
    members.try_fold(false, |enough, member| if enough { Ok(true) } else { found(member) })
}

impl Slice {
    /// As Python's `range` does, with each index taken by itself.
    fn in_dialect(self, length: usize) -> Places {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let from = |at: i64| if at < 0 { at.saturating_add(length) } else { at };
        let start = from(self.start.unwrap_or(0)).max(if self.start.is_some() { 0 } else { i64::MIN });
        let end = from(self.end.unwrap_or(length));
        Places::new(start, end, self.step, length)
    }

    /// As RFC 9535 says.
    fn in_rfc(self, length: usize) -> Places {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let from = |at: i64| if at < 0 { at.saturating_add(length) } else { at };
        if self.step >= 0 {
            let start = self.start.map_or(0, from).clamp(0, length);
            let end = self.end.map_or(length, from).clamp(0, length);
            Places::new(start, end, self.step, length)
        } else {
            let start = self.start.map_or(length - 1, from).clamp(-1, length - 1);
            let end = self.end.map_or(-1, from).clamp(-1, length - 1);
            Places::new(start, end, self.step, length)
        }
    }
}

/// The places of a slice, in order.
struct Places {
    next: i64,
    end: i64,
    step: i64,
}

impl Places {
    /// From `start` to before `end`, as far as there are items.
    fn new(start: i64, end: i64, step: i64, length: i64) -> Self {
        if step == 0 {
            return Self { next: 0, end: 0, step: 1 };
        }
        if step > 0 {
            return Self { next: start, end: end.min(length), step };
        }
        // The first place that exists, as many whole steps on.
        let missing = start.saturating_sub(length - 1).max(0);
        let steps = missing.checked_neg().and_then(|missing| missing.checked_div(step)).unwrap_or(0);
        let steps = steps + i64::from(steps.saturating_mul(step).saturating_neg() < missing);
        Self { next: start.saturating_add(steps.saturating_mul(step)), end: end.max(-1), step }
    }
}

impl Iterator for Places {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let place = self.next;
        if (self.step > 0 && place >= self.end) || (self.step < 0 && place <= self.end) {
            return None;
        }
        self.next = place.saturating_add(self.step);
        usize::try_from(place).ok()
    }
}
