//! The tests of one path.

use super::access::Test;
use super::grams::{Gram, Grams};
use crate::condition::value::{Numeric, truth};
use foldhash::HashMap;
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The lists of conditions with a test of the values at one path.
#[derive(Default)]
pub(super) struct Here {
    present: Option<u32>,
    truthy: Option<u32>,
    numbers: HashMap<Number, u32>,
    texts: HashMap<Box<str>, u32>,
    at_least: Limits,
    at_most: Limits,
    grams: Grams,
}

/// The lists of one side, with how many conditions are in them.
#[derive(Default)]
struct Limits {
    lists: BTreeMap<Limit, u32>,
    members: usize,
}

/// Where a list hangs.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Place {
    Present,
    Truthy,
    Number(Number),
    Text(Box<str>),
    AtLeast(Limit),
    AtMost(Limit),
    Gram(Gram),
}

/// A number by what it is worth.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Number {
    Whole(i128),
    Real(u64),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Limit(f64);

impl Number {
    fn of(number: Numeric) -> Self {
        match number.canonical() {
            Numeric::Whole(whole) => Self::Whole(whole),
            Numeric::Real(real) => Self::Real(real.to_bits()),
        }
    }
}

impl Limit {
    fn new(limit: f64) -> Self {
        // -0 becomes 0.
        Self(limit + 0.0)
    }
}

impl Eq for Limit {}

impl Ord for Limit {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Limit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Here {
    /// Where a test belongs, and how many conditions are judged as often as it.
    pub(super) fn place(&self, test: Test<'_>, members: impl Fn(u32) -> usize) -> (Place, usize) {
        let place = match test {
            Test::Present => Place::Present,
            Test::Truthy => Place::Truthy,
            Test::Number(number) => Place::Number(Number::of(number)),
            Test::Text(whole) => Place::Text(whole.into()),
            // Half of the limits lie on either side of a value.
            Test::AtLeast(limit) => return (Place::AtLeast(Limit::new(limit)), self.at_least.members / 2),
            Test::AtMost(limit) => return (Place::AtMost(Limit::new(limit)), self.at_most.members / 2),
            Test::Contains(part) => {
                let (gram, load) = self.grams.rarest(part, members);
                return (Place::Gram(gram), load);
            }
        };
        let load = self.get(&place).map_or(0, members);
        (place, load)
    }

    pub(super) fn get(&self, place: &Place) -> Option<u32> {
        match place {
            Place::Present => self.present,
            Place::Truthy => self.truthy,
            Place::Number(number) => self.numbers.get(number).copied(),
            Place::Text(text) => self.texts.get(text).copied(),
            Place::AtLeast(limit) => self.at_least.lists.get(limit).copied(),
            Place::AtMost(limit) => self.at_most.lists.get(limit).copied(),
            Place::Gram(gram) => self.grams.get(*gram),
        }
    }

    pub(super) fn insert(&mut self, place: Place, bucket: u32) {
        match place {
            Place::Present => self.present = Some(bucket),
            Place::Truthy => self.truthy = Some(bucket),
            Place::Number(number) => drop(self.numbers.insert(number, bucket)),
            Place::Text(text) => drop(self.texts.insert(text, bucket)),
            Place::AtLeast(limit) => drop(self.at_least.lists.insert(limit, bucket)),
            Place::AtMost(limit) => drop(self.at_most.lists.insert(limit, bucket)),
            Place::Gram(gram) => self.grams.insert(gram, bucket),
        }
    }

    pub(super) fn remove(&mut self, place: &Place) {
        match place {
            Place::Present => self.present = None,
            Place::Truthy => self.truthy = None,
            Place::Number(number) => drop(self.numbers.remove(number)),
            Place::Text(text) => drop(self.texts.remove(text)),
            Place::AtLeast(limit) => drop(self.at_least.lists.remove(limit)),
            Place::AtMost(limit) => drop(self.at_most.lists.remove(limit)),
            Place::Gram(gram) => self.grams.remove(*gram),
        }
    }

    /// Counts a condition that came to a list, or left it.
    pub(super) fn count(&mut self, place: &Place, came: bool) {
        let members = match place {
            Place::AtLeast(_) => &mut self.at_least.members,
            Place::AtMost(_) => &mut self.at_most.members,
            _ => return,
        };
        *members = if came { *members + 1 } else { members.saturating_sub(1) };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.present.is_none()
            && self.truthy.is_none()
            && self.numbers.is_empty()
            && self.texts.is_empty()
            && self.at_least.lists.is_empty()
            && self.at_most.lists.is_empty()
            && self.grams.is_empty()
    }

    /// Calls a function with every list whose test a value passes, and maybe with some more. `items_follow` says that
    /// the items of a list are asked for themselves.
    pub(super) fn each(&self, value: &Value, items_follow: bool, mut found: impl FnMut(u32)) {
        if !value.is_null() {
            self.present.into_iter().for_each(&mut found);
        }
        if self.truthy.is_some() && truth(value) {
            self.truthy.into_iter().for_each(&mut found);
        }
        if let Some(number) = Numeric::of(value) {
            if !self.numbers.is_empty() {
                self.numbers.get(&Number::of(number)).into_iter().for_each(|bucket| found(*bucket));
            }
            let limit = Limit::new(number.nearest());
            self.at_least.lists.range(..=limit).for_each(|(_, bucket)| found(*bucket));
            self.at_most.lists.range(limit..).for_each(|(_, bucket)| found(*bucket));
        }
        if let Value::String(text) = value
            && !self.texts.is_empty()
        {
            self.texts.get(text.as_str()).into_iter().for_each(|bucket| found(*bucket));
        }
        if self.grams.is_empty() {
            return;
        }
        match value {
            Value::String(text) => self.grams.each(text, found),
            Value::Array(items) if !items_follow => {
                items.iter().filter_map(Value::as_str).for_each(|text| self.grams.each(text, &mut found));
            }
            Value::Object(fields) => fields.keys().for_each(|key| self.grams.each(key, &mut found)),
            _ => {}
        }
    }
}
