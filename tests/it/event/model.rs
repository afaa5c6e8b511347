//! Logs beside a model that is too simple to be wrong, under random operations.

use super::conformance::{log, numbered, numbers};
use mape::backend::Backend;
use mape::event::{Consumer, Delivered, Error, EventId, GroupName, Log, Retention};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const GROUPS: [&str; 2] = ["g0", "g1"];
const CONSUMERS: [&str; 2] = ["a", "b"];

/// What is done to a log with groups 0 and 1 and consumers 0 and 1. Entries are chosen by bits: bit n is the n-th of all
/// that were ever appended, modulo 64.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Append(usize),
    Create(usize, bool),
    RemoveGroup(usize),
    Read(usize, usize, usize),
    Acknowledge(usize, u64),
    Claim(usize, usize, usize),
    Forgotten(usize, usize, u64),
    SignOfLife(usize, usize, u64),
    PutBack(usize, usize, u64),
    Settle(usize, usize, u64),
    Delete(u64),
    Trim(u64),
    TrimNeeded,
}

pub(crate) fn acts() -> impl Strategy<Value = Vec<Act>> {
    use Act::*;
    let (group, consumer) = (0..2_usize, 0..2_usize);
    let act = prop_oneof![
        6 => (1..5_usize).prop_map(Append),
        3 => (group.clone(), any::<bool>()).prop_map(|(g, start)| Create(g, start)),
        1 => group.clone().prop_map(RemoveGroup),
        8 => (group.clone(), consumer.clone(), 1..6_usize).prop_map(|(g, c, n)| Read(g, c, n)),
        5 => (group.clone(), any::<u64>()).prop_map(|(g, bits)| Acknowledge(g, bits)),
        3 => (group.clone(), consumer.clone(), 1..6_usize).prop_map(|(g, c, n)| Claim(g, c, n)),
        2 => (group.clone(), consumer.clone(), any::<u64>()).prop_map(|(g, c, bits)| Forgotten(g, c, bits)),
        2 => (group.clone(), consumer.clone(), any::<u64>()).prop_map(|(g, c, bits)| SignOfLife(g, c, bits)),
        2 => (group.clone(), consumer.clone(), any::<u64>()).prop_map(|(g, c, bits)| PutBack(g, c, bits)),
        4 => (group, consumer, any::<u64>()).prop_map(|(g, c, n)| Settle(g, c, n)),
        2 => any::<u64>().prop_map(Delete),
        1 => (0..8_u64).prop_map(Trim),
        1 => Just(TrimNeeded),
    ];
    prop::collection::vec(act, 0..60)
}

#[derive(Default)]
struct Model {
    /// The ids of all that were ever appended.
    ids: Vec<EventId>,
    /// Which of them are there.
    there: Vec<bool>,
    groups: [Option<Group>; 2],
}

#[derive(Default)]
struct Group {
    /// How many of all it has read.
    read: usize,
    /// Who has what, and how many times it was delivered.
    pending: BTreeMap<usize, (usize, u64)>,
}

impl Model {
    fn appended(&mut self, ids: &[EventId]) {
        assert!(ids.iter().all(|id| self.ids.last().is_none_or(|last| id > last)) && ids.is_sorted());
        self.ids.extend(ids);
        self.there.resize(self.ids.len(), true);
    }

    fn chosen(&self, bits: u64) -> Vec<usize> {
        (0..self.ids.len()).filter(|n| bits >> (n % 64) & 1 == 1).collect()
    }

    fn ids_of(&self, chosen: &[usize]) -> Vec<EventId> {
        chosen.iter().map(|n| self.ids[*n]).collect()
    }

    fn is_needed(&self, n: usize) -> bool {
        self.groups.iter().flatten().any(|group| n >= group.read || group.pending.contains_key(&n))
    }

    fn present(&self) -> Vec<usize> {
        (0..self.ids.len()).filter(|n| self.there[*n]).collect()
    }

    /// Hands these to a consumer; as they have to arrive.
    fn deliver(&mut self, group: usize, consumer: usize, which: Vec<usize>) -> Vec<(usize, u64)> {
        let pending = &mut self.groups[group].as_mut().unwrap().pending;
        let deliver = |n| {
            let held = pending.entry(n).or_insert((consumer, 0));
            *held = (consumer, held.1 + 1);
            (n, held.1)
        };
        which.into_iter().map(deliver).collect()
    }

    fn as_it_came(&self, delivered: &[Delivered]) -> Vec<(usize, u64)> {
        let place = |it: &Delivered| self.ids.binary_search(&it.entry.id).unwrap();
        delivered.iter().map(|it| (place(it), it.attempt)).collect()
    }
}

/// Does `acts` to a fresh log, and compares every answer and what there is after it with the model.
pub(crate) async fn behaves_as_the_model(backend: Backend, acts: Vec<Act>) {
    let log = log(&backend);
    let mut model = Model::default();
    for act in acts {
        perform(&log, &mut model, &act).await;
        compare(&log, &model, &act).await;
    }
}

async fn perform(log: &Log, model: &mut Model, act: &Act) {
    let (raw, name) = (log.event_log(), log.name());
    let group = |g: usize| GroupName::from(GROUPS[g]);
    let consumer = |g: usize, c: usize| Consumer::new(name, group(g), CONSUMERS[c]);
    match *act {
        Act::Append(count) => {
            let from = model.ids.len() as u64;
            let events = (from..from + count as u64).map(numbered).collect();
            model.appended(&raw.append(name, events).await.unwrap());
        }
        Act::Create(g, from_start) => {
            let after = if from_start { EventId::MIN } else { EventId::MAX };
            let is_new = model.groups[g].is_none();
            assert_eq!(raw.create_group(name, &group(g), after).await.unwrap(), is_new, "{act:?}");
            let read = if from_start { 0 } else { model.ids.len() };
            model.groups[g].get_or_insert(Group { read, ..Group::default() });
        }
        Act::RemoveGroup(g) => {
            let was_there = model.groups[g].take().is_some();
            assert_eq!(raw.remove_group(name, &group(g)).await.unwrap(), was_there, "{act:?}");
        }
        Act::Read(g, c, count) => {
            let Some(held) = &model.groups[g] else {
                let refused = raw.read(&consumer(g, c), count).await;
                return assert!(matches!(refused, Err(Error::NoGroup { .. })), "{act:?}: {refused:?}");
            };
            let read = held.read;
            let next: Vec<_> = model.present().into_iter().filter(|n| *n >= read).take(count).collect();
            // It would wait.
            let Some(last) = next.last().copied() else { return };
            model.groups[g].as_mut().unwrap().read = last + 1;
            let expected = model.deliver(g, c, next);
            let came = raw.read(&consumer(g, c), count).await.unwrap();
            assert_eq!(model.as_it_came(&came), expected, "{act:?}");
        }
        Act::Acknowledge(g, bits) => {
            let chosen = model.chosen(bits);
            let mut done = 0;
            if let Some(held) = &mut model.groups[g] {
                done = chosen.iter().filter(|n| held.pending.remove(n).is_some()).count();
            }
            let found = raw.acknowledge(name, &group(g), model.ids_of(&chosen)).await.unwrap();
            assert_eq!(found, done as u64, "{act:?}");
        }
        Act::Claim(g, c, count) => {
            let Some(held) = &model.groups[g] else { return };
            let first = held.pending.keys().copied().take(count).collect();
            let expected = model.deliver(g, c, first);
            let came = raw.claim(&consumer(g, c), Duration::ZERO, count).await.unwrap();
            assert_eq!(model.as_it_came(&came), expected, "{act:?}");
        }
        Act::Forgotten(g, c, bits) => {
            let Some(held) = &model.groups[g] else { return };
            let known = model.chosen(bits);
            let mine = held.pending.iter().filter(|(n, held)| held.0 == c && !known.contains(n));
            let mine = mine.map(|(n, _)| *n).collect();
            let expected = model.deliver(g, c, mine);
            let came = raw.forgotten(&consumer(g, c), model.ids_of(&known)).await.unwrap();
            assert_eq!(model.as_it_came(&came), expected, "{act:?}");
        }
        Act::SignOfLife(g, c, bits) => {
            let chosen = model.chosen(bits);
            let held = model.groups[g].as_ref();
            let is_mine =
                |n: &usize| held.is_some_and(|held| held.pending.get(n).is_some_and(|it| it.0 == c));
            let mine: Vec<_> = chosen.iter().copied().filter(is_mine).collect();
            let found = raw.set_idle(&consumer(g, c), model.ids_of(&chosen), Duration::ZERO).await.unwrap();
            assert_eq!(found, model.ids_of(&mine), "{act:?}");
        }
        Act::PutBack(g, c, bits) => {
            let chosen = model.chosen(bits);
            let mut mine = Vec::new();
            for n in chosen.iter().copied() {
                let held = model.groups[g].as_mut().and_then(|group| group.pending.get_mut(&n));
                if let Some((_, attempts)) = held.filter(|held| held.0 == c) {
                    *attempts = attempts.saturating_sub(1);
                    mine.push(n);
                }
            }
            let found = raw.put_back(&consumer(g, c), model.ids_of(&chosen), Duration::ZERO).await.unwrap();
            assert_eq!(found, model.ids_of(&mine), "{act:?}");
        }
        Act::Settle(..) | Act::Delete(_) | Act::Trim(_) | Act::TrimNeeded => end(log, model, act).await,
    }
}

/// What ends an entry's stay.
async fn end(log: &Log, model: &mut Model, act: &Act) {
    let (raw, name) = (log.event_log(), log.name());
    match *act {
        Act::Settle(g, c, which) => {
            if model.ids.is_empty() {
                return;
            }
            let n = usize::try_from(which % model.ids.len() as u64).unwrap();
            let held = model.groups[g].as_mut();
            let is_mine = held.is_some_and(|held| {
                let is_mine = held.pending.get(&n).is_some_and(|it| it.0 == c);
                is_mine && held.pending.remove(&n).is_some()
            });
            let event = numbered(model.ids.len() as u64);
            let consumer = Consumer::new(name, GROUPS[g], CONSUMERS[c]);
            let settled = raw.settle(&consumer, model.ids[n], vec![(name.clone(), event)]).await.unwrap();
            assert_eq!(settled, is_mine, "{act:?}");
            if settled {
                let last = raw.info(name).await.unwrap().last;
                model.appended(&[last]);
            }
        }
        Act::Delete(bits) => {
            let chosen = model.chosen(bits);
            let gone: Vec<_> =
                chosen.iter().copied().filter(|n| model.there[*n] && !model.is_needed(*n)).collect();
            let deleted = raw.delete(name, model.ids_of(&chosen)).await.unwrap();
            assert_eq!(deleted, model.ids_of(&gone), "{act:?}");
            for n in gone {
                model.there[n] = false;
            }
        }
        Act::Trim(keep) => {
            let removed = raw.trim(name, Retention::Entries(keep)).await.unwrap();
            let before = model.present();
            let gone = &before[..usize::try_from(removed).unwrap()];
            // It may leave more.
            assert!(before.len() - gone.len() >= before.len().min(usize::try_from(keep).unwrap()), "{act:?}");
            assert!(gone.iter().all(|n| !model.is_needed(*n)), "{act:?}: {gone:?}");
            for n in gone {
                model.there[*n] = false;
            }
        }
        Act::TrimNeeded => {
            let removed = raw.trim(name, Retention::Needed).await.unwrap();
            let before = model.present();
            let gone = &before[..usize::try_from(removed).unwrap()];
            let is_kept = model.groups.iter().all(Option::is_none);
            assert!(!is_kept || gone.is_empty(), "{act:?}: {gone:?}");
            assert!(gone.iter().all(|n| !model.is_needed(*n)), "{act:?}: {gone:?}");
            for n in gone {
                model.there[*n] = false;
            }
        }
        _ => {}
    }
}

async fn compare(log: &Log, model: &Model, act: &Act) {
    let (raw, name) = (log.event_log(), log.name());
    let present = model.present();
    let entries = log.range(EventId::MIN, EventId::MAX, 1000).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), model.ids_of(&present), "{act:?}");
    assert_eq!(numbers(&entries), present.iter().map(|n| *n as u64).collect::<Vec<_>>(), "{act:?}");
    let info = log.info().await.unwrap();
    assert_eq!(info.len, present.len() as u64, "{act:?}");
    assert_eq!(info.last, model.ids.last().copied().unwrap_or(EventId::MIN), "{act:?}");
    let expected: Vec<_> = std::iter::zip(GROUPS, &model.groups)
        .filter_map(|(name, group)| {
            let group = group.as_ref()?;
            let lag = present.iter().filter(|n| **n >= group.read).count();
            Some((GroupName::from(name), lag as u64, group.pending.len() as u64))
        })
        .collect();
    let found = info.groups.into_iter().map(|group| (group.name, group.lag, group.pending));
    assert_eq!(found.collect::<Vec<_>>(), expected, "{act:?}");
    for (group, held) in std::iter::zip(GROUPS, &model.groups) {
        let Some(held) = held else { continue };
        let pending = raw.pending(name, &GroupName::from(group), EventId::MIN, 1000).await.unwrap();
        let found: Vec<_> =
            pending.iter().map(|it| (it.id, it.consumer.as_str().to_owned(), it.attempts)).collect();
        let expected: Vec<_> = held
            .pending
            .iter()
            .map(|(n, (c, attempts))| (model.ids[*n], CONSUMERS[*c].to_owned(), *attempts))
            .collect();
        assert_eq!(found, expected, "{act:?} in {group}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_behaves_as_the_model(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(behaves_as_the_model(Backend::memory(), acts));
    }
}
