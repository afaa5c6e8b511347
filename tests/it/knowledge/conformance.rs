//! What every store does with single operations and transactions.

use crate::suite::eventually;
use futures::future::join_all;
use mape::knowledge::{
    Error, Key, KeyCommand, Kind, Knowledge, ListCommand, Reply, Scope, Transaction, ValueCommand, Version,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::sleep;

/// The tests of all claims here: `suite! { backend, fresh knowledge }`, with `start_paused = true` where no server runs.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), knowledge::conformance:
            values_come_back_as_they_were_set,
            text_and_bytes_are_kept_raw_and_the_rest_as_json,
            scopes_have_the_keys_of_pymape_and_do_not_see_each_other,
            a_value_is_read_set_taken_and_deleted,
            a_hash_maps_fields_to_values,
            a_set_has_each_member_once,
            a_list_keeps_its_order_and_counts_from_both_ends,
            a_sorted_set_is_ordered_by_score_then_bytes,
            queues_differ_in_what_comes_out_first,
            a_collection_that_becomes_empty_ceases,
            the_wrong_kind_of_collection_is_named,
            what_is_no_value_of_the_type_is_named,
            counters_refuse_what_is_no_number_and_what_is_too_large,
            a_score_that_is_no_number_is_refused,
            setting_beyond_the_list_is_refused,
            eight_writers_lose_no_increment,
            compare_and_set_sets_only_what_is_expected,
            a_transaction_whose_condition_fails_does_nothing_and_comes_back,
            a_transaction_that_fails_half_way_does_nothing,
            a_transaction_does_its_commands_in_order,
            every_condition_holds_and_fails_as_it_should,
            versions_differ_after_every_write_and_are_handed_on,
            a_collection_has_another_version_after_every_change_and_only_then,
            keys_cease_when_their_time_has_ended,
            setting_a_value_ends_its_expiry_and_counting_does_not,
            the_keyspace_finds_and_clears_by_glob,
            glob_characters_in_a_scope_are_literal,
        }
    };
}
pub(crate) use suite;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Car {
    name: String,
    speed: f64,
}

fn panda() -> Car {
    Car { name: "panda".into(), speed: 48.5 }
}

/// What the store keeps under the name, as bytes.
async fn kept(k: &Knowledge, name: &str) -> String {
    let key = k.value::<String>(name).key().clone();
    match k.store().run(&key, ValueCommand::Get.into()).await.unwrap() {
        Reply::Data(data) => data.as_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn values_come_back_as_they_were_set(k: Knowledge) {
    async fn round<T>(k: &Knowledge, value: T)
    where
        T: mape::knowledge::Fact + PartialEq + std::fmt::Debug,
    {
        let place = k.value::<T>("v");
        place.set(&value).await.unwrap();
        assert_eq!(place.get().await.unwrap().as_ref(), Some(&value));
    }
    for text in ["", "5", "null", "\"", "ünï", "a text that is longer than what fits inline"] {
        round(&k, text.to_owned()).await;
        round(&k, json!(text)).await;
        round(&k, text.as_bytes().to_vec()).await;
    }
    round(&k, vec![0_u8, 255, 10]).await;
    round(&k, panda()).await;
    round(&k, Option::<u8>::None).await;
    round(&k, (1, -2.5, 'x', [true, false])).await;
    round(&k, u64::MAX).await;
    round(&k, BTreeMap::from([(1, "one".to_owned())])).await;
}

pub(crate) async fn text_and_bytes_are_kept_raw_and_the_rest_as_json(k: Knowledge) {
    k.value::<String>("v").set("panda").await.unwrap();
    assert_eq!(kept(&k, "v").await, "panda");
    k.value::<Vec<u8>>("v").set(b"panda".as_slice()).await.unwrap();
    assert_eq!(kept(&k, "v").await, "panda");
    k.value::<Json>("v").set(&json!("panda")).await.unwrap();
    assert_eq!(kept(&k, "v").await, "\"panda\"");
    k.value::<Car>("v").set(&panda()).await.unwrap();
    assert_eq!(kept(&k, "v").await, r#"{"name":"panda","speed":48.5}"#);
    k.value::<u32>("v").set(&7).await.unwrap();
    assert_eq!(kept(&k, "v").await, "7");
}

pub(crate) async fn scopes_have_the_keys_of_pymape_and_do_not_see_each_other(k: Knowledge) {
    let scopes = [Scope::App, Scope::Level("x".into()), Scope::Loop("x".into())];
    let keys = ["k.app.cars", "k.level.x.cars", "k.loop.x.cars"];
    for (scope, key) in scopes.iter().zip(keys) {
        let cars = k.scoped(scope.clone()).set::<String>("cars");
        assert_eq!(cars.key().as_str(), key);
        assert!(cars.add(key).await.unwrap());
        assert_eq!(cars.members::<Vec<_>>().await.unwrap(), [key]);
    }
    let again = k.scoped(Scope::Loop("x".into())).set::<String>("cars");
    assert!(again.contains("k.loop.x.cars").await.unwrap());
}

pub(crate) async fn a_value_is_read_set_taken_and_deleted(k: Knowledge) {
    let limit = k.value::<u32>("limit");
    assert_eq!(limit.get().await.unwrap(), None);
    assert!(!limit.exists().await.unwrap());
    limit.set(&50).await.unwrap();
    assert_eq!(limit.clone().get().await.unwrap(), Some(50));
    assert_eq!(limit.take().await.unwrap(), Some(50));
    assert_eq!(limit.take().await.unwrap(), None);
    limit.set(&60).await.unwrap();
    assert!(limit.clear().await.unwrap());
    assert!(!limit.clear().await.unwrap());
}

pub(crate) async fn a_hash_maps_fields_to_values(k: Knowledge) {
    let speeds = k.hash::<String, f64>("speeds");
    assert!(speeds.insert("panda", &48.5).await.unwrap());
    assert!(!speeds.insert("panda", &50.0).await.unwrap());
    assert_eq!(speeds.get("panda").await.unwrap(), Some(50.0));
    assert_eq!(speeds.get("tipo").await.unwrap(), None);
    assert_eq!(speeds.extend([("panda".to_owned(), 1.0), ("tipo".to_owned(), 2.0)]).await.unwrap(), 1);
    assert_eq!(speeds.get_many(["tipo", "uno", "panda"]).await.unwrap(), [Some(2.0), None, Some(1.0)]);
    assert!(speeds.contains("tipo").await.unwrap() && !speeds.contains("uno").await.unwrap());
    assert_eq!((speeds.len().await.unwrap(), speeds.is_empty().await.unwrap()), (2, false));
    assert_eq!(
        BTreeSet::from_iter(speeds.keys().await.unwrap()),
        BTreeSet::from(["panda".into(), "tipo".into()])
    );
    let all: HashMap<String, f64> = speeds.all().await.unwrap();
    assert_eq!(all, HashMap::from([("panda".into(), 1.0), ("tipo".into(), 2.0)]));
    assert!(speeds.remove("panda").await.unwrap());
    assert!(!speeds.remove("panda").await.unwrap());
    speeds.update("tipo", |old| old.unwrap() * 2.0).await.unwrap();
    assert_eq!(speeds.get("tipo").await.unwrap(), Some(4.0));

    let counts = k.hash::<u32, i64>("counts");
    assert_eq!(counts.increment(&3, 5).await.unwrap(), 5);
    assert_eq!(counts.increment(&3, -7).await.unwrap(), -2);
    assert_eq!(counts.get(&3).await.unwrap(), Some(-2));
}

pub(crate) async fn a_set_has_each_member_once(k: Knowledge) {
    let cars = k.set::<String>("cars");
    assert!(cars.add("panda").await.unwrap());
    assert!(!cars.add(&"panda".to_owned()).await.unwrap());
    assert_eq!(cars.extend(["panda", "tipo", "tipo", "uno"]).await.unwrap(), 2);
    assert!(cars.contains("uno").await.unwrap() && !cars.contains("500").await.unwrap());
    assert!(cars.remove("uno").await.unwrap() && !cars.remove("uno").await.unwrap());
    let members: BTreeSet<String> = cars.members().await.unwrap();
    assert_eq!(members, BTreeSet::from(["panda".into(), "tipo".into()]));
    let mut taken = [cars.take_any().await.unwrap().unwrap(), cars.take_any().await.unwrap().unwrap()];
    taken.sort();
    assert_eq!(taken, ["panda", "tipo"]);
    assert_eq!(cars.take_any().await.unwrap(), None);
    assert!(cars.is_empty().await.unwrap());
}

pub(crate) async fn a_list_keeps_its_order_and_counts_from_both_ends(k: Knowledge) {
    let list = k.list::<u32>("list");
    assert_eq!(list.extend(&[2, 3, 4, 3]).await.unwrap(), 4);
    assert_eq!(list.push_front(&1).await.unwrap(), 5);
    assert_eq!(list.push_back(&5).await.unwrap(), 6);
    assert_eq!(list.all().await.unwrap(), [1, 2, 3, 4, 3, 5]);
    assert_eq!((list.get(0).await.unwrap(), list.get(-1).await.unwrap()), (Some(1), Some(5)));
    assert_eq!((list.get(6).await.unwrap(), list.get(-7).await.unwrap()), (None, None));
    assert_eq!(list.range(1, 2).await.unwrap(), [2, 3]);
    assert_eq!(list.range(-2, 100).await.unwrap(), [3, 5]);
    assert_eq!(list.range(4, 2).await.unwrap(), [0; 0]);
    assert_eq!(list.range(i64::MIN, i64::MAX).await.unwrap().len(), 6);
    list.set(-2, &9).await.unwrap();
    assert_eq!(list.remove(&3).await.unwrap(), 1);
    assert_eq!(list.all().await.unwrap(), [1, 2, 4, 9, 5]);
    list.trim(1, -2).await.unwrap();
    assert_eq!((list.pop_front().await.unwrap(), list.pop_back().await.unwrap()), (Some(2), Some(9)));
    assert_eq!((list.len().await.unwrap(), list.is_empty().await.unwrap()), (1, false));
    assert_eq!((list.pop_back().await.unwrap(), list.pop_front().await.unwrap()), (Some(4), None));
}

pub(crate) async fn a_sorted_set_is_ordered_by_score_then_bytes(k: Knowledge) {
    let set = k.sorted_set::<String>("set");
    let named = |pairs: Vec<(String, f64)>| pairs.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let members = [("b", 1.0), ("a", 1.0), ("low", f64::NEG_INFINITY), ("high", 7.5)];
    assert_eq!(set.extend(members.map(|(m, s)| (m.to_owned(), s))).await.unwrap(), 4);
    assert_eq!(named(set.range(0, -1).await.unwrap()), ["low", "a", "b", "high"]);
    assert!(!set.add("low", 1.5).await.unwrap());
    assert_eq!(set.range_by_score(1.0..=1.5).await.unwrap().len(), 3);
    assert_eq!(set.range_by_score(2.0..=1.0).await.unwrap().len(), 0);
    assert_eq!((set.rank("low").await.unwrap(), set.rank("none").await.unwrap()), (Some(2), None));
    assert_eq!((set.score("low").await.unwrap(), set.score("none").await.unwrap()), (Some(1.5), None));
    assert_eq!(Some(set.increment("a", 0.25).await.unwrap()), set.score("a").await.unwrap());
    assert_eq!(set.score("a").await.unwrap(), Some(1.25));
    assert_eq!(named(set.range(0, 1).await.unwrap()), ["b", "a"]);
    assert_eq!(set.pop_min().await.unwrap(), Some(("b".to_owned(), 1.0)));
    assert_eq!(set.pop_max().await.unwrap(), Some(("high".to_owned(), 7.5)));
    assert!(set.remove("a").await.unwrap() && !set.remove("a").await.unwrap());
    assert_eq!((set.len().await.unwrap(), set.is_empty().await.unwrap()), (1, false));
}

pub(crate) async fn queues_differ_in_what_comes_out_first(k: Knowledge) {
    let (queue, stack, priority) = (k.queue::<u32>("q"), k.stack::<u32>("s"), k.priority_queue::<u32>("p"));
    queue.extend(&[1, 2, 3]).await.unwrap();
    stack.extend(&[1, 2, 3]).await.unwrap();
    for (item, number) in [(1, 2.0), (2, 3.0), (3, 1.0)] {
        assert!(priority.push(&item, number).await.unwrap());
    }
    assert_eq!(queue.peek().await.unwrap(), Some(1));
    assert_eq!(stack.peek().await.unwrap(), Some(3));
    assert_eq!(priority.peek().await.unwrap(), Some((3, 1.0)));
    assert_eq!((queue.len().await.unwrap(), priority.len().await.unwrap()), (3, 3));
    for (first, last, (best, number)) in [(1, 3, (3, 1.0)), (2, 2, (1, 2.0)), (3, 1, (2, 3.0))] {
        assert_eq!(queue.pop().await.unwrap(), first);
        assert_eq!(stack.pop().await.unwrap(), last);
        assert_eq!(priority.pop().await.unwrap(), (best, number));
    }
    assert_eq!(queue.try_pop().await.unwrap(), None);
    assert_eq!(stack.try_pop().await.unwrap(), None);
    assert_eq!(priority.try_pop().await.unwrap(), None);
}

pub(crate) async fn a_collection_that_becomes_empty_ceases(k: Knowledge) {
    k.set::<u8>("s").add(&1).await.unwrap();
    k.set::<u8>("s").remove(&1).await.unwrap();
    k.hash::<u8, u8>("h").insert(&1, &1).await.unwrap();
    k.hash::<u8, u8>("h").remove(&1).await.unwrap();
    k.queue::<u8>("q").push(&1).await.unwrap();
    k.queue::<u8>("q").pop().await.unwrap();
    k.sorted_set::<u8>("z").add(&1, 1.0).await.unwrap();
    k.sorted_set::<u8>("z").pop_min().await.unwrap();
    k.list::<u8>("l").push_back(&1).await.unwrap();
    k.list::<u8>("l").trim(1, 0).await.unwrap();
    assert_eq!(k.keyspace().names("*").await.unwrap(), [""; 0]);
}

pub(crate) async fn the_wrong_kind_of_collection_is_named(k: Knowledge) {
    k.set::<u8>("cars").add(&1).await.unwrap();
    let error = k.hash::<u8, u8>("cars").get(&1).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "using `k.app.cars` as a hash: it holds a set; choose another name or delete the key first"
    );
    assert!(!error.is_retryable());
    let wrong = |result: Result<(), Error>, kind| {
        assert!(
            matches!(result, Err(Error::WrongKind { asked, held: Kind::Set, .. }) if asked == kind),
            "{result:?}"
        );
    };
    wrong(k.value::<u8>("cars").get().await.map(drop), Kind::Value);
    wrong(k.value::<i64>("cars").increment(1).await.map(drop), Kind::Value);
    wrong(k.list::<u8>("cars").push_back(&1).await.map(drop), Kind::List);
    wrong(k.queue::<u8>("cars").pop().await.map(drop), Kind::List);
    wrong(k.priority_queue::<u8>("cars").pop().await.map(drop), Kind::SortedSet);
    k.value::<u8>("cars").set(&7).await.unwrap();
    assert_eq!(k.keyspace().kind("cars").await.unwrap(), Some(Kind::Value));
}

pub(crate) async fn what_is_no_value_of_the_type_is_named(k: Knowledge) {
    k.value::<String>("car").set("panda").await.unwrap();
    let error = k.value::<u32>("car").get().await.unwrap_err();
    assert_eq!(error.to_string(), "reading `k.app.car` as u32");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("expected"), "{error:?}");
    let error = k.value::<HashMap<(u8, u8), u8>>("car").set(&HashMap::from([((1, 2), 3)])).await.unwrap_err();
    assert!(matches!(error, Error::Encode { .. }), "{error:?}");
}

pub(crate) async fn counters_refuse_what_is_no_number_and_what_is_too_large(k: Knowledge) {
    k.value::<String>("n").set("many").await.unwrap();
    let counter = k.value::<i64>("n");
    assert!(matches!(counter.increment(1).await, Err(Error::NotANumber { .. })));
    counter.set(&i64::MAX).await.unwrap();
    assert!(matches!(counter.increment(1).await, Err(Error::Overflow { by: 1, .. })));
    assert_eq!(counter.increment(-1).await.unwrap(), i64::MAX - 1);
}

pub(crate) async fn a_score_that_is_no_number_is_refused(k: Knowledge) {
    let set = k.sorted_set::<u8>("z");
    assert!(matches!(set.add(&1, f64::NAN).await, Err(Error::NotAScore { .. })));
    assert!(!set.exists().await.unwrap());
    set.add(&1, f64::INFINITY).await.unwrap();
    assert!(matches!(set.increment(&1, f64::NEG_INFINITY).await, Err(Error::NotAScore { .. })));
    assert_eq!(set.score(&1).await.unwrap(), Some(f64::INFINITY));
}

pub(crate) async fn setting_beyond_the_list_is_refused(k: Knowledge) {
    let list = k.list::<u8>("l");
    assert!(matches!(list.set(0, &1).await, Err(Error::NoSuchIndex { index: 0, len: 0, .. })));
    list.push_back(&1).await.unwrap();
    assert!(matches!(list.set(-2, &1).await, Err(Error::NoSuchIndex { index: -2, len: 1, .. })));
}

pub(crate) async fn eight_writers_lose_no_increment(k: Knowledge) {
    let (value, field) = (k.value::<u64>("value"), k.hash::<String, u64>("hash"));
    let writers = (0..8).map(|_| {
        let (value, field) = (value.clone(), field.clone());
        tokio::spawn(async move {
            for _ in 0..1000 {
                value.update(|n| n.unwrap_or(0) + 1).await.unwrap();
                field.update("n", |n| n.unwrap_or(0) + 1).await.unwrap();
            }
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    assert_eq!(value.get().await.unwrap(), Some(8000));
    assert_eq!(field.get("n").await.unwrap(), Some(8000));
}

pub(crate) async fn compare_and_set_sets_only_what_is_expected(k: Knowledge) {
    let car = k.value::<Car>("car");
    let faster = Car { speed: 50.0, ..panda() };
    assert!(!car.compare_and_set(Some(&panda()), &faster).await.unwrap());
    assert!(car.compare_and_set(None, &panda()).await.unwrap());
    assert!(!car.compare_and_set(None, &faster).await.unwrap());
    assert!(car.compare_and_set(Some(&panda()), &faster).await.unwrap());
    // Written by another program in its own way, it is the same value all the same.
    k.value::<String>("car").set(r#"{"speed": 50.0, "name": "panda"}"#).await.unwrap();
    assert!(car.compare_and_set(Some(&faster), &panda()).await.unwrap());
}

pub(crate) async fn a_transaction_whose_condition_fails_does_nothing_and_comes_back(k: Knowledge) {
    let (a, b) = (k.value::<u8>("a"), k.set::<u8>("b"));
    a.set(&1).await.unwrap();
    let transaction = Transaction::new()
        .expect_present(a.key())
        .expect_value(a.key(), "2")
        .set(a.key(), "3")
        .sadd(b.key(), "4");
    let error = k.store().commit(transaction.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), "condition 2 of the transaction does not hold: k.app.a has changed");
    assert!(error.is_retryable());
    let conflict = error.into_conflict().unwrap();
    assert_eq!((conflict.condition, &conflict.key, &conflict.transaction), (1, a.key(), &transaction));
    assert_eq!((a.get().await.unwrap(), b.exists().await.unwrap()), (Some(1), false));
}

pub(crate) async fn a_transaction_that_fails_half_way_does_nothing(k: Knowledge) {
    let (a, set, text, list) =
        (k.value::<u8>("a"), k.set::<u8>("s"), k.value::<String>("t"), k.list::<u8>("l"));
    set.add(&1).await.unwrap();
    text.set("text").await.unwrap();
    let begin =
        || Transaction::new().set(a.key(), "1").srem(set.key(), "1").zadd(k.list::<u8>("z").key(), "m", 1.0);
    let failing = [
        begin().hset(set.key(), "f", "v"),
        begin().incrby(text.key(), 1),
        begin().run(list.key(), ListCommand::Set(0, "x".into())),
        begin().zadd(list.key(), "m", f64::NAN),
    ];
    for transaction in failing {
        k.store().commit(transaction.clone()).await.expect_err(&format!("{transaction:?}"));
        assert_eq!(a.get().await.unwrap(), None);
        assert_eq!(set.members::<Vec<_>>().await.unwrap(), [1]);
        assert_eq!(k.keyspace().names("*").await.unwrap(), ["s", "t"]);
    }
}

pub(crate) async fn a_transaction_does_its_commands_in_order(k: Knowledge) {
    let (a, queue) = (k.value::<i64>("a"), k.queue::<u8>("q"));
    let transaction = Transaction::new()
        .expect_absent(a.key())
        .set(a.key(), "5")
        .incrby(a.key(), 2)
        .run(a.key(), ValueCommand::Get)
        .rpush(queue.key(), "1")
        .lpush(queue.key(), "0")
        .del(a.key())
        .sadd(a.key(), "now a set");
    let committed = k.store().commit(transaction).await.unwrap();
    let expected = [
        Reply::Done,
        Reply::Number(7),
        Reply::Data("7".into()),
        Reply::Count(1),
        Reply::Count(2),
        Reply::Flag(true),
        Reply::Count(1),
    ];
    assert_eq!(committed.replies, expected);
    assert_eq!(k.keyspace().kind("a").await.unwrap(), Some(Kind::Set));
    assert_eq!(k.list::<u8>("q").all().await.unwrap(), [0, 1]);
}

pub(crate) async fn every_condition_holds_and_fails_as_it_should(k: Knowledge) {
    let (value, hash, set) = (k.value::<u8>("v"), k.hash::<String, u8>("h"), k.set::<String>("s"));
    let none = k.value::<u8>("none").key().clone();
    value.set(&1).await.unwrap();
    hash.insert("f", &1).await.unwrap();
    set.add("m").await.unwrap();
    let (_, version) = value.get_versioned().await.unwrap();
    let new = Transaction::new;
    let table = [
        (new().expect_version(value.key(), version), new().expect_version(value.key(), Version::ABSENT)),
        (new().expect_version(&none, Version::ABSENT), new().expect_version(&none, version)),
        (new().expect_present(hash.key()), new().expect_present(&none)),
        (new().expect_absent(&none), new().expect_absent(hash.key())),
        (new().expect_value(value.key(), "1"), new().expect_value(value.key(), "2")),
        (new(), new().expect_value(&none, "1")),
        (new().expect_field(hash.key(), "f", Some("1".into())), new().expect_field(hash.key(), "f", None)),
        (new().expect_field(hash.key(), "g", None), new().expect_field(hash.key(), "g", Some("1".into()))),
        (new().expect_field(&none, "g", None), new().expect_field(&none, "g", Some("1".into()))),
        (new().expect_member(set.key(), "m", true), new().expect_member(set.key(), "m", false)),
        (new().expect_member(&none, "m", false), new().expect_member(&none, "m", true)),
    ];
    for (holds, fails) in table {
        k.store().commit(holds.clone()).await.unwrap_or_else(|error| panic!("{holds:?}: {error}"));
        let error = k.store().commit(fails.clone()).await.expect_err(&format!("{fails:?}"));
        assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    }
    let wrong_kind = k.store().commit(new().expect_field(set.key(), "f", None)).await;
    assert!(matches!(wrong_kind, Err(Error::WrongKind { .. })), "{wrong_kind:?}");
}

pub(crate) async fn versions_differ_after_every_write_and_are_handed_on(k: Knowledge) {
    let value = k.value::<u8>("v");
    assert_eq!(value.get_versioned().await.unwrap(), (None, Version::ABSENT));
    let mut version = Version::ABSENT;
    for n in 0..5 {
        let step =
            Transaction::new().expect_version(value.key(), version).set(value.key(), value.data(&n).unwrap());
        let next = k.store().commit(step).await.unwrap().version(value.key()).unwrap();
        assert_ne!(next, version);
        assert_eq!(value.get_versioned().await.unwrap(), (Some(n), next));
        version = next;
    }
}

pub(crate) async fn a_collection_has_another_version_after_every_change_and_only_then(k: Knowledge) {
    let (hash, list) = (k.hash::<String, i64>("h"), k.list::<u8>("l"));
    let version = async |key: &Key| {
        let reply = k.store().run(key, KeyCommand::Version.into()).await.unwrap();
        reply.version(key).unwrap()
    };
    let mut seen = vec![version(hash.key()).await];
    assert_eq!(seen, [Version::ABSENT]);
    hash.insert("a", &1).await.unwrap();
    seen.push(version(hash.key()).await);
    hash.increment("a", 1).await.unwrap();
    seen.push(version(hash.key()).await);
    hash.insert("b", &1).await.unwrap();
    seen.push(version(hash.key()).await);
    hash.remove("a").await.unwrap();
    seen.push(version(hash.key()).await);
    for (n, version) in seen.iter().enumerate() {
        assert!(!seen[..n].contains(version), "{seen:?}");
    }
    hash.remove("none").await.unwrap();
    hash.get("b").await.unwrap();
    assert_eq!(Some(&version(hash.key()).await), seen.last());
    list.push_back(&1).await.unwrap();
    let before = version(list.key()).await;
    list.trim(0, -1).await.unwrap();
    assert_eq!(version(list.key()).await, before);
    let guarded = Transaction::new().expect_version(list.key(), before).rpush(list.key(), "2");
    k.store().commit(guarded.clone()).await.unwrap();
    assert!(matches!(k.store().commit(guarded).await, Err(Error::Conflict(_))));
}

pub(crate) async fn keys_cease_when_their_time_has_ended(k: Knowledge) {
    let (value, set) = (k.value::<u8>("v"), k.set::<u8>("s"));
    value.set_for(&1, Duration::from_millis(300)).await.unwrap();
    assert!(!set.expire(Duration::from_millis(300)).await.unwrap());
    set.add(&1).await.unwrap();
    assert!(set.expire(Duration::from_millis(300)).await.unwrap());
    let left = value.time_to_live().await.unwrap().unwrap();
    assert!(left > Duration::ZERO && left <= Duration::from_millis(300), "{left:?}");
    assert_eq!(value.get().await.unwrap(), Some(1));
    sleep(Duration::from_millis(400)).await;
    assert_eq!((value.get().await.unwrap(), set.exists().await.unwrap()), (None, false));
    assert_eq!(value.time_to_live().await.unwrap(), None);
    assert!(!value.persist().await.unwrap());
    // What comes under the same name later has no part in it.
    assert!(set.add(&1).await.unwrap());
    assert_eq!(set.time_to_live().await.unwrap(), None);
}

pub(crate) async fn setting_a_value_ends_its_expiry_and_counting_does_not(k: Knowledge) {
    let (set, counted, kept) = (k.value::<u8>("set"), k.value::<i64>("counted"), k.value::<u8>("kept"));
    for value in [&set, &kept] {
        value.set_for(&1, Duration::from_millis(200)).await.unwrap();
    }
    counted.increment(1).await.unwrap();
    counted.expire(Duration::from_millis(200)).await.unwrap();
    set.set(&2).await.unwrap();
    assert_eq!(set.time_to_live().await.unwrap(), None);
    assert!(kept.persist().await.unwrap());
    assert_eq!(counted.increment(1).await.unwrap(), 2);
    sleep(Duration::from_millis(300)).await;
    assert_eq!((set.get().await.unwrap(), kept.get().await.unwrap()), (Some(2), Some(1)));
    assert_eq!(counted.get().await.unwrap(), None);
}

pub(crate) async fn the_keyspace_finds_and_clears_by_glob(k: Knowledge) {
    let keys = k.keyspace();
    for n in 0..200 {
        keys.set::<u32, _>(&format!("speed_{n:03}"), &n).await.unwrap();
    }
    k.set::<u8>("cars").add(&1).await.unwrap();
    k.scoped(Scope::Level("x".into())).keyspace().set::<u32, _>("speed_000", &0).await.unwrap();
    assert_eq!(keys.names("*").await.unwrap().len(), 201);
    assert_eq!(keys.names("speed_00[1-3]").await.unwrap(), ["speed_001", "speed_002", "speed_003"]);
    assert_eq!(keys.get::<u32>("speed_042").await.unwrap(), Some(42));
    assert_eq!(keys.kind("cars").await.unwrap(), Some(Kind::Set));
    assert_eq!(keys.kind("none").await.unwrap(), None);
    assert!(keys.exists("cars").await.unwrap() && keys.delete("cars").await.unwrap());
    assert!(!keys.exists("cars").await.unwrap() && !keys.delete("cars").await.unwrap());
    assert!(keys.expire("speed_000", Duration::from_millis(100)).await.unwrap());
    eventually("the key ceased", async || !keys.exists("speed_000").await.unwrap()).await;
    assert_eq!(keys.clear("speed_1*").await.unwrap(), 100);
    assert_eq!(keys.names("*").await.unwrap().len(), 99);
    assert!(k.scoped(Scope::Level("x".into())).keyspace().exists("speed_000").await.unwrap());
}

pub(crate) async fn glob_characters_in_a_scope_are_literal(k: Knowledge) {
    let star = k.scoped(Scope::Loop("*".into()));
    let other = k.scoped(Scope::Loop("a".into()));
    other.value::<u8>("v").set(&1).await.unwrap();
    star.value::<u8>("v").set(&2).await.unwrap();
    assert_eq!(star.keyspace().names("*").await.unwrap(), ["v"]);
    assert_eq!(star.keyspace().clear("*").await.unwrap(), 1);
    assert_eq!(other.value::<u8>("v").get().await.unwrap(), Some(1));
}
