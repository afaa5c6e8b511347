//! Sorted sets.

use super::journal::Journal;
use super::list::range;
use super::redo::{Redo, Space};
use super::shard::Shard;
use crate::knowledge::{Change, Data, Error, Key, Operation, Reply, SortedCommand};
use foldhash::fast::RandomState;
use std::collections::{BTreeSet, HashMap};

/// Members with their scores, found by either.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorted {
    scores: HashMap<Data, f64, RandomState>,
    order: BTreeSet<(Score, Data)>,
}

/// A score in the order of numbers; NaN never gets here, and -0 is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Score(f64);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Sorted {
    pub(super) fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    pub(super) fn insert(&mut self, member: Data, score: f64) -> Option<f64> {
        let score = score + 0.0;
        let old = self.scores.insert(member.clone(), score);
        if let Some(old) = old {
            self.order.remove(&(Score(old), member.clone()));
        }
        self.order.insert((Score(score), member));
        old
    }

    fn remove(&mut self, member: &Data) -> Option<f64> {
        let old = self.scores.remove(member)?;
        self.order.remove(&(Score(old), member.clone()));
        Some(old)
    }

    fn pop(&mut self, min: bool) -> Option<(Data, f64)> {
        let (score, member) = if min { self.order.pop_first()? } else { self.order.pop_last()? };
        self.scores.remove(&member);
        Some((member, score.0))
    }

    fn iter(&self) -> impl Iterator<Item = (Data, f64)> {
        self.order.iter().map(|(score, member)| (member.clone(), score.0))
    }
}

pub(super) fn apply(
    shard: &mut Shard,
    key: &Key,
    command: SortedCommand,
    journal: &mut Journal,
) -> Result<Reply, Error> {
    match command {
        SortedCommand::Add(pairs) => shard.write(key, journal, |sorted: &mut Sorted, journal| {
            if pairs.iter().any(|(_, score)| score.is_nan()) {
                return Err(Error::NotAScore { key: key.clone() });
            }
            let mut new = 0_usize;
            for (member, score) in pairs {
                new += usize::from(set(sorted, key, Operation::Zadd, member, score, journal).is_none());
            }
            journal.pushed(key, new);
            Ok(new.into())
        }),
        SortedCommand::Increment(member, by) => shard.write(key, journal, |sorted: &mut Sorted, journal| {
            let held = sorted.scores.get(&member).copied();
            let sum = held.unwrap_or(0.0) + by;
            if sum.is_nan() {
                return Err(Error::NotAScore { key: key.clone() });
            }
            set(sorted, key, Operation::Zincr, member, sum, journal);
            journal.pushed(key, usize::from(held.is_none()));
            Ok(Reply::Score(sum))
        }),
        SortedCommand::Remove(asked) => shard.write(key, journal, |sorted: &mut Sorted, journal| {
            let mut removed = 0_usize;
            for member in asked {
                if let Some(old) = sorted.remove(&member) {
                    removed += 1;
                    journal.redos.record(|| Redo::remove(Space::Sorted, key, &member));
                    journal.record(|| change(key, Operation::Zrem, member).old(text(old)));
                }
            }
            Ok(removed.into())
        }),
        SortedCommand::Score(member) => shard.read(key, journal, |sorted: Option<&Sorted>| {
            let score = sorted.and_then(|sorted| sorted.scores.get(&member));
            score.map_or(Reply::Nil, |score| Reply::Score(*score))
        }),
        SortedCommand::Rank(member) => shard.read(key, journal, |sorted: Option<&Sorted>| {
            let place = sorted.and_then(|sorted| {
                let score = sorted.scores.get(&member)?;
                Some(sorted.order.range(..(Score(*score), member)).count())
            });
            place.map_or(Reply::Nil, Reply::from)
        }),
        SortedCommand::Len => shard.read(key, journal, |sorted: Option<&Sorted>| {
            sorted.map_or(0, |sorted| sorted.scores.len()).into()
        }),
        SortedCommand::Range(first, last) => shard.read(key, journal, |sorted: Option<&Sorted>| {
            let Some(sorted) = sorted else { return Reply::Scored(Vec::new()) };
            let places = range(first, last, sorted.scores.len());
            Reply::Scored(sorted.iter().skip(places.start).take(places.len()).collect())
        }),
        SortedCommand::RangeByScore(min, max) => shard.read(key, journal, |sorted: Option<&Sorted>| {
            let members = sorted.into_iter().flat_map(|sorted| {
                let from = (Score(min + 0.0), Data::from(""));
                // A range from a larger to a smaller score, or to NaN, has nothing in it.
                sorted.order.range(from..).take_while(|(score, _)| score.0 <= max)
            });
            Reply::Scored(members.map(|(score, member)| (member.clone(), score.0)).collect())
        }),
        SortedCommand::PopMin => pop(shard, key, true, journal),
        SortedCommand::PopMax => pop(shard, key, false, journal),
    }
}

fn pop(shard: &mut Shard, key: &Key, min: bool, journal: &mut Journal) -> Result<Reply, Error> {
    let operation = if min { Operation::Zpopmin } else { Operation::Zpopmax };
    shard.write(key, journal, |sorted: &mut Sorted, journal| {
        let popped = sorted.pop(min);
        if let Some((member, score)) = &popped {
            journal.redos.record(|| Redo::remove(Space::Sorted, key, member));
            journal.record(|| change(key, operation, member.clone()).old(text(*score)));
        }
        Ok(Reply::Scored(popped.into_iter().collect()))
    })
}

fn set(
    sorted: &mut Sorted,
    key: &Key,
    operation: Operation,
    member: Data,
    score: f64,
    journal: &mut Journal,
) -> Option<f64> {
    let old = sorted.insert(member.clone(), score);
    if old != Some(score) {
        journal.redos.record(|| Redo::put(Space::Sorted, key, &member, score));
        journal.record(|| change(key, operation, member).old(old.map(text)).new_value(text(score)));
    }
    old
}

fn change(key: &Key, operation: Operation, member: Data) -> Change {
    Change::new(key.clone(), operation).field(member)
}

/// A score as changes show it.
fn text(score: f64) -> Data {
    score.to_string().into()
}
