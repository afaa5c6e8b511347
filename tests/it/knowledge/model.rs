//! Random commands against a naive model, and a replica that knows nothing but the changes.
#![allow(clippy::cast_possible_truncation, reason = "the scores here are small whole numbers")]

use futures::StreamExt;
use mape::knowledge::{
    Change, Command, Data, End, Error, Filter, HashCommand, Items, Key, KeyCommand, Knowledge, ListCommand,
    Notice, Operation, Reply, SetCommand, SortedCommand, ValueCommand,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::timeout;

/// What a key holds, in the plainest form.
#[derive(Clone, Debug, PartialEq)]
enum Held {
    Value(Data),
    Hash(BTreeMap<Data, Data>),
    Set(BTreeSet<Data>),
    List(Vec<Data>),
    /// Scores are whole here, so that they have an order.
    Sorted(BTreeMap<Data, i64>),
}

impl Held {
    fn is_empty(&self) -> bool {
        match self {
            Self::Value(_) => false,
            Self::Hash(it) => it.is_empty(),
            Self::Set(it) => it.is_empty(),
            Self::List(it) => it.is_empty(),
            Self::Sorted(it) => it.is_empty(),
        }
    }

    fn by_score(sorted: &BTreeMap<Data, i64>) -> Vec<(Data, f64)> {
        let mut all: Vec<_> = sorted.iter().map(|(member, score)| (*score, member.clone())).collect();
        all.sort();
        all.into_iter().map(|(score, member)| (member, score as f64)).collect()
    }
}

#[derive(Debug, Default)]
struct Model(BTreeMap<Key, Held>);

/// `None` stands for any error.
type Expected = Option<Reply>;

impl Model {
    fn run(&mut self, key: &Key, command: Command) -> Expected {
        let mut held = self.0.remove(key);
        let (after, reply) = match Self::apply(held.clone(), command) {
            Some((after, reply)) => (after, Some(reply)),
            None => (held.take(), None),
        };
        if let Some(after) = after.filter(|after| !after.is_empty()) {
            self.0.insert(key.clone(), after);
        }
        reply
    }

    fn apply(held: Option<Held>, command: Command) -> Option<(Option<Held>, Reply)> {
        match command {
            Command::Key(command) => Some(Self::key(held, command)),
            Command::Value(ValueCommand::Set { value, .. }) => Some((Some(Held::Value(value)), Reply::Done)),
            Command::Value(command) => {
                let (Some(Held::Value(_)) | None) = held else { return None };
                Self::value(held, &command)
            }
            Command::Hash(command) => {
                let hash = match held {
                    None => BTreeMap::new(),
                    Some(Held::Hash(hash)) => hash,
                    Some(_) => return None,
                };
                Self::hash(hash, command)
            }
            Command::Set(command) => {
                let set = match held {
                    None => BTreeSet::new(),
                    Some(Held::Set(set)) => set,
                    Some(_) => return None,
                };
                Some(Self::set(set, command))
            }
            Command::List(command) => {
                let list = match held {
                    None => Vec::new(),
                    Some(Held::List(list)) => list,
                    Some(_) => return None,
                };
                Self::list(list, command)
            }
            Command::Sorted(command) => {
                let sorted = match held {
                    None => BTreeMap::new(),
                    Some(Held::Sorted(sorted)) => sorted,
                    Some(_) => return None,
                };
                Some(Self::sorted(sorted, command))
            }
            _ => unreachable!("no such command is made"),
        }
    }

    fn key(held: Option<Held>, command: KeyCommand) -> (Option<Held>, Reply) {
        let there = held.is_some();
        let after = if command == KeyCommand::Delete { None } else { held };
        (after, Reply::Flag(there))
    }

    fn value(held: Option<Held>, command: &ValueCommand) -> Option<(Option<Held>, Reply)> {
        let value = if let Some(Held::Value(value)) = &held { Some(value.clone()) } else { None };
        let reply = value.clone().map_or(Reply::Nil, Reply::Data);
        match *command {
            ValueCommand::Take => Some((None, reply)),
            ValueCommand::Increment(by) => {
                let number: i64 = value.map_or(Some(0), |value| value.as_str()?.parse().ok())?;
                let sum = number.checked_add(by)?;
                Some((Some(Held::Value(sum.into())), Reply::Number(sum)))
            }
            _ => Some((held, reply)),
        }
    }

    fn hash(mut hash: BTreeMap<Data, Data>, command: HashCommand) -> Option<(Option<Held>, Reply)> {
        let reply = match command {
            HashCommand::Get(field) => hash.get(&field).cloned().map_or(Reply::Nil, Reply::Data),
            HashCommand::GetMany(fields) => {
                Reply::Options(fields.iter().map(|field| hash.get(field).cloned()).collect())
            }
            HashCommand::Set(pairs) => Reply::from(
                pairs.into_iter().filter(|(f, v)| hash.insert(f.clone(), v.clone()).is_none()).count(),
            ),
            HashCommand::Remove(fields) => {
                Reply::from(fields.into_iter().filter(|field| hash.remove(field).is_some()).count())
            }
            HashCommand::Has(field) => Reply::Flag(hash.contains_key(&field)),
            HashCommand::Len => Reply::from(hash.len()),
            HashCommand::Keys => Reply::List(hash.keys().cloned().collect()),
            HashCommand::All => Reply::Pairs(hash.clone().into_iter().collect()),
            HashCommand::Increment(field, by) => {
                let number: i64 = hash.get(&field).map_or(Some(0), |value| value.as_str()?.parse().ok())?;
                let sum = number.checked_add(by)?;
                hash.insert(field, sum.into());
                Reply::Number(sum)
            }
        };
        Some((Some(Held::Hash(hash)), reply))
    }

    fn set(mut set: BTreeSet<Data>, command: SetCommand) -> (Option<Held>, Reply) {
        let reply = match command {
            SetCommand::Add(members) => {
                Reply::from(members.into_iter().filter(|m| set.insert(m.clone())).count())
            }
            SetCommand::Remove(members) => Reply::from(members.into_iter().filter(|m| set.remove(m)).count()),
            SetCommand::Has(member) => Reply::Flag(set.contains(&member)),
            SetCommand::Len => Reply::from(set.len()),
            _ => Reply::List(set.iter().cloned().collect()),
        };
        (Some(Held::Set(set)), reply)
    }

    fn list(mut items: Vec<Data>, command: ListCommand) -> Option<(Option<Held>, Reply)> {
        let len = i64::try_from(items.len()).unwrap();
        let absolute = |index: i64| if index < 0 { index + len } else { index };
        let within = |first: i64, last: i64, at: usize| {
            let at = i64::try_from(at).unwrap();
            absolute(first) <= at && at <= absolute(last)
        };
        let place = |index: i64| usize::try_from(absolute(index)).ok().filter(|at| *at < items.len());
        let reply = match command {
            ListCommand::Push(end, pushed) => {
                for item in pushed {
                    items.insert(if end == End::Front { 0 } else { items.len() }, item);
                }
                Reply::from(items.len())
            }
            ListCommand::Pop(_) if items.is_empty() => Reply::Nil,
            ListCommand::Pop(End::Front) => Reply::Data(items.remove(0)),
            ListCommand::Pop(End::Back) => Reply::Data(items.pop().unwrap()),
            ListCommand::Len => Reply::from(items.len()),
            ListCommand::Get(index) => place(index).map_or(Reply::Nil, |at| Reply::Data(items[at].clone())),
            ListCommand::Set(index, item) => {
                let at = place(index)?;
                items[at] = item;
                Reply::Done
            }
            ListCommand::Range(first, last) => {
                let found = items.iter().enumerate().filter(|(at, _)| within(first, last, *at));
                Reply::List(found.map(|(_, item)| item.clone()).collect())
            }
            ListCommand::Trim(first, last) => {
                let mut at = 0..;
                items.retain(|_| within(first, last, at.next().unwrap()));
                Reply::Done
            }
            ListCommand::Remove(item) => {
                items.retain(|held| *held != item);
                Reply::Count(u64::try_from(len).unwrap() - items.len() as u64)
            }
        };
        Some((Some(Held::List(items)), reply))
    }

    fn sorted(mut sorted: BTreeMap<Data, i64>, command: SortedCommand) -> (Option<Held>, Reply) {
        let ordered = Held::by_score(&sorted);
        let reply = match command {
            SortedCommand::Add(pairs) => Reply::from(
                pairs.into_iter().filter(|(m, s)| sorted.insert(m.clone(), *s as i64).is_none()).count(),
            ),
            SortedCommand::Remove(members) => {
                Reply::from(members.into_iter().filter(|member| sorted.remove(member).is_some()).count())
            }
            SortedCommand::Score(member) => {
                sorted.get(&member).map_or(Reply::Nil, |score| Reply::Score(*score as f64))
            }
            SortedCommand::Increment(member, by) => {
                let score = sorted.entry(member).or_default();
                *score += by as i64;
                Reply::Score(*score as f64)
            }
            SortedCommand::Rank(member) => {
                ordered.iter().position(|(other, _)| *other == member).map_or(Reply::Nil, Reply::from)
            }
            SortedCommand::Len => Reply::from(sorted.len()),
            SortedCommand::Range(first, last) => {
                let len = i64::try_from(ordered.len()).unwrap();
                let absolute = |index: i64| if index < 0 { index + len } else { index };
                let places =
                    (0..).zip(ordered).filter(|(at, _)| absolute(first) <= *at && *at <= absolute(last));
                Reply::Scored(places.map(|(_, pair)| pair).collect())
            }
            SortedCommand::RangeByScore(min, max) => Reply::Scored(
                ordered.into_iter().filter(|(_, score)| min <= *score && *score <= max).collect(),
            ),
            SortedCommand::PopMin | SortedCommand::PopMax => {
                let min = command == SortedCommand::PopMin;
                let popped = if min { ordered.first().cloned() } else { ordered.last().cloned() };
                if let Some((member, _)) = &popped {
                    sorted.remove(member);
                }
                Reply::Scored(popped.into_iter().collect())
            }
        };
        (Some(Held::Sorted(sorted)), reply)
    }
}

/// What has no order is compared in order.
fn in_order(reply: Reply, unordered: bool) -> Reply {
    match reply {
        Reply::List(mut list) if unordered => {
            list.sort();
            Reply::List(list)
        }
        Reply::Pairs(mut pairs) => {
            pairs.sort();
            Reply::Pairs(pairs)
        }
        other => other,
    }
}

/// Does to a copy of the knowledge what a change says; lists are left out, their changes do not name the places.
fn replay(replica: &mut BTreeMap<Key, Held>, change: Change) {
    let Change { key, operation, field, old, new, .. } = change;
    let score = |data: Option<Data>| data.unwrap().as_str().unwrap().parse().unwrap();
    match operation {
        Operation::Set | Operation::Incrby => {
            replica.insert(key, Held::Value(new.unwrap()));
        }
        Operation::Del => {
            replica.remove(&key);
        }
        Operation::Hset | Operation::Hincrby | Operation::Hdel => {
            let Held::Hash(hash) = replica.entry(key).or_insert(Held::Hash(BTreeMap::new())) else {
                panic!()
            };
            let before = match new {
                Some(new) => hash.insert(field.unwrap(), new),
                None => hash.remove(&field.unwrap()),
            };
            assert_eq!(before, old);
        }
        Operation::Sadd | Operation::Srem => {
            let Held::Set(set) = replica.entry(key).or_insert(Held::Set(BTreeSet::new())) else { panic!() };
            assert!(match new {
                Some(new) => set.insert(new),
                None => set.remove(&old.unwrap()),
            });
        }
        Operation::Zadd | Operation::Zrem | Operation::Zincr | Operation::Zpopmin | Operation::Zpopmax => {
            let Held::Sorted(sorted) = replica.entry(key).or_insert(Held::Sorted(BTreeMap::new())) else {
                panic!()
            };
            let before = match new {
                Some(new) => sorted.insert(field.unwrap(), score(Some(new))),
                None => sorted.remove(&field.unwrap()),
            };
            assert_eq!(before, old.map(|old| score(Some(old))));
        }
        _ => {
            replica.insert(key, Held::List(Vec::new()));
        }
    }
}

fn data() -> impl Strategy<Value = Data> {
    prop_oneof![
        (0..4_i64).prop_map(Data::from),
        prop_oneof![Just("x"), Just("a text that is longer than what fits inline")].prop_map(Data::from),
    ]
}

fn items<T: std::fmt::Debug + Clone>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Items<T>> {
    prop::collection::vec(item, 0..4).prop_map(|mut items| match items.len() {
        1 => Items::One(items.remove(0)),
        _ => Items::Many(items),
    })
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    let index = || -5..5_i64;
    let score = || (-3..3_i8).prop_map(f64::from);
    let end = || prop_oneof![Just(End::Front), Just(End::Back)];
    let keys = prop_oneof![Just(KeyCommand::Delete), Just(KeyCommand::Exists)];
    let values = prop_oneof![
        Just(ValueCommand::Get),
        data().prop_map(|value| ValueCommand::Set { value, expiry: None }),
        Just(ValueCommand::Take),
        prop_oneof![index(), Just(i64::MAX)].prop_map(ValueCommand::Increment),
    ];
    let hashes = prop_oneof![
        data().prop_map(HashCommand::Get),
        prop::collection::vec(data(), 0..4).prop_map(HashCommand::GetMany),
        items((data(), data())).prop_map(HashCommand::Set),
        items(data()).prop_map(HashCommand::Remove),
        data().prop_map(HashCommand::Has),
        Just(HashCommand::Len),
        Just(HashCommand::Keys),
        Just(HashCommand::All),
        (data(), index()).prop_map(|(field, by)| HashCommand::Increment(field, by)),
    ];
    let sets = prop_oneof![
        items(data()).prop_map(SetCommand::Add),
        items(data()).prop_map(SetCommand::Remove),
        data().prop_map(SetCommand::Has),
        Just(SetCommand::Len),
        Just(SetCommand::Members),
    ];
    let lists = prop_oneof![
        (end(), items(data())).prop_map(|(end, items)| ListCommand::Push(end, items)),
        end().prop_map(ListCommand::Pop),
        Just(ListCommand::Len),
        index().prop_map(ListCommand::Get),
        (index(), data()).prop_map(|(index, item)| ListCommand::Set(index, item)),
        (index(), index()).prop_map(|(first, last)| ListCommand::Range(first, last)),
        (index(), index()).prop_map(|(first, last)| ListCommand::Trim(first, last)),
        data().prop_map(ListCommand::Remove),
    ];
    let sorted = prop_oneof![
        items((data(), score())).prop_map(SortedCommand::Add),
        items(data()).prop_map(SortedCommand::Remove),
        data().prop_map(SortedCommand::Score),
        (data(), score()).prop_map(|(member, by)| SortedCommand::Increment(member, by)),
        data().prop_map(SortedCommand::Rank),
        Just(SortedCommand::Len),
        (index(), index()).prop_map(|(first, last)| SortedCommand::Range(first, last)),
        (score(), score()).prop_map(|(min, max)| SortedCommand::RangeByScore(min, max)),
        Just(SortedCommand::PopMin),
        Just(SortedCommand::PopMax),
    ];
    prop_oneof![
        1 => keys.prop_map(Command::from),
        2 => values.prop_map(Command::from),
        4 => hashes.prop_map(Command::from),
        3 => sets.prop_map(Command::from),
        4 => lists.prop_map(Command::from),
        4 => sorted.prop_map(Command::from),
    ]
}

/// Runs `commands` in a fresh world and compares every reply, and what the changes amount to, with the model.
pub(crate) async fn behaves_as_the_model(k: Knowledge, commands: Vec<(u8, Command)>) {
    let mut model = Model::default();
    let mut changes = k.watch(Filter::all().capacity(100_000.try_into().unwrap())).await.unwrap();
    for (number, command) in commands {
        let key = k.value::<u8>(&format!("key{number}")).key().clone();
        let unordered = !matches!(command, Command::List(_));
        let expected = model.run(&key, command.clone()).map(|reply| in_order(reply, unordered));
        let found: Result<_, Error> = k.store().run(&key, command.clone()).await;
        let found = found.map(|reply| in_order(reply, unordered));
        assert_eq!(found.as_ref().ok(), expected.as_ref(), "{command:?} on {key}: {found:?}");
    }
    let names: Vec<_> = model.0.keys().map(|key| k.name(key).unwrap().to_owned()).collect();
    assert_eq!(k.keyspace().names("*").await.unwrap(), names);
    let end = k.value::<u8>("end");
    end.set(&1).await.unwrap();
    let mut replica = BTreeMap::new();
    loop {
        let notice = timeout(Duration::from_secs(10), changes.next()).await.expect("all changes come");
        let Some(Notice::Change(change)) = notice else { panic!("{notice:?}") };
        if change.key == *end.key() {
            break;
        }
        replay(&mut replica, change);
    }
    let without_lists = model.0.into_iter().map(|(key, held)| match held {
        Held::List(_) => (key, Held::List(Vec::new())),
        other => (key, other),
    });
    assert_eq!(replica, without_lists.collect());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_behaves_as_the_model(commands in prop::collection::vec((0..3_u8, command()), 0..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(behaves_as_the_model(super::memory(), commands));
    }
}
