//! The index answers as each condition alone does.

use super::generate::{condition, data};
use mape::condition::{Condition, Found, Index, Search};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_finds_what_trying_each_finds(
        // A key, and its condition or that it goes.
        changes in vec((0..24_u8, prop::option::weighted(0.8, condition())), 1..40),
        data in vec(data(), 1..8),
    ) {
        let (mut index, mut each, mut search) = (Index::new(), BTreeMap::new(), Search::new());
        for (key, json) in changes {
            let condition = json.map(|json| Condition::from_json(&json).unwrap());
            let (before, expected) = match condition {
                Some(condition) => (index.insert(key, condition.clone()), each.insert(key, condition)),
                None => (index.remove(&key), each.remove(&key)),
            };
            prop_assert_eq!(before.as_deref(), expected.as_ref());
            for value in &data {
                let expected: Vec<_> = each.iter().filter(|(_, condition)| condition.holds(value)).map(|(key, _)| *key).collect();
                let mut found = Vec::new();
                let said = index.search(value, &mut search, |key| found.push(*key));
                found.sort_unstable();
                prop_assert_eq!(&found, &expected, "{} of {:?}", value, &each);
                prop_assert_eq!((said.fulfilled, said.unjudged), (expected.len(), 0));
            }
        }
        prop_assert_eq!(index.len(), each.len());
        for key in each.keys() {
            index.remove(key);
        }
        // Nothing is left of those that are gone.
        prop_assert_eq!(format!("{index:?}"), "Index { conditions: 0, scanned: 0, paths: 1, .. }");
    }
}

fn index<'t>(texts: impl IntoIterator<Item = &'t str>) -> Index<usize> {
    let mut index = Index::new();
    for (key, text) in texts.into_iter().enumerate() {
        index.insert(key, Condition::parse(text).unwrap());
    }
    index
}

#[test]
fn only_conditions_that_have_something_in_common_with_a_value_are_judged() {
    let texts: Vec<_> = (0..1000)
        .map(|i| match i % 5 {
            0 => format!("** contains user{i}@doe.com"),
            1 => format!("job eq job{i} and not done"),
            2 => format!("sum gt {i} and job eq job{i}"),
            3 => format!("id in [{i} {} x{i}]", i + 10_000),
            _ => format!("tags contains t{i} or **.name eq n{i}"),
        })
        .collect();
    let index = index(texts.iter().map(String::as_str));
    assert_eq!(index.scanned(), 0);
    let data = json!({
        "job": "job1", "sum": 2000, "id": 10_008, "tags": ["t4", "t5"], "parts": [{"name": "n9", "to": "user5@doe.com"}],
    });
    let mut keys = Vec::new();
    let found = index.search(&data, &mut Search::new(), |key| keys.push(*key));
    keys.sort_unstable();
    assert_eq!(keys, [1, 4, 5, 8, 9]);
    assert!(found.judged <= 10, "{found:?}");
}

#[test]
fn of_two_conditions_joined_by_and_the_rarer_is_looked_for() {
    let texts: Vec<_> = (0..1000).map(|i| format!("kind eq order and text contains word{i}x")).collect();
    let index = index(texts.iter().map(String::as_str));
    let found = index.search(&json!({"kind": "order", "text": "a word7x"}), &mut Search::new(), |_| {});
    assert_eq!(found.fulfilled, 1);
    assert!(found.judged < 20, "{found:?}");
    // A limit that half of all conditions have is not rare.
    let texts: Vec<_> = (0..1000).map(|i| format!("nr gt {} and job eq job{i}", i % 5)).collect();
    let index = self::index(texts.iter().map(String::as_str));
    let found = index.search(&json!({"nr": 10, "job": "job7"}), &mut Search::new(), |_| {});
    assert!(found.fulfilled == 1 && found.judged < 20, "{found:?}");
}

#[test]
fn texts_with_the_same_beginning_are_told_apart() {
    let texts: Vec<_> =
        (0..1000).map(|i| format!("url contains https://example.com/a/long/path/{i:04}/")).collect();
    let index = index(texts.iter().map(String::as_str));
    let data = json!({"url": "see https://example.com/a/long/path/0042/x"});
    let found = index.search(&data, &mut Search::new(), |key| assert_eq!(*key, 42));
    assert_eq!(found.fulfilled, 1);
    assert!(found.judged < 100, "{found:?}");
}

#[test]
fn what_may_hold_without_anything_is_tried_each_time_and_told() {
    let index =
        index(["a ne 1", "not a", "a eq None", "a or not b", "[true]", "a not gt 5", "a eq 1", "[false]"]);
    assert_eq!((index.len(), index.scanned()), (8, 6));
    let mut keys: Vec<_> = index.fulfilled(&json!({})).into_iter().copied().collect();
    keys.sort_unstable();
    assert_eq!(keys, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_key_has_one_condition_and_gives_it_back() {
    let mut index = Index::new();
    let (one, two) = (Condition::parse("a eq 1").unwrap(), Condition::parse("a eq 2").unwrap());
    assert_eq!(index.insert("k", one.clone()), None);
    assert_eq!(index.insert("k", two.clone()).as_deref(), Some(&one));
    assert_eq!(index.fulfilled(&json!({"a": 1})), [] as [&&str; 0]);
    assert_eq!(index.fulfilled(&json!({"a": 2})), [&"k"]);
    assert_eq!(index.get(&"k").map(|condition| &**condition), Some(&two));
    assert_eq!(index.remove(&"k").as_deref(), Some(&two));
    assert_eq!(index.remove(&"k"), None);
    assert!(index.is_empty() && index.get(&"k").is_none());
}

#[test]
fn what_takes_too_many_steps_is_told_and_holds_nobody_up() {
    let mut index = Index::with_steps(1_000);
    index.insert(1, Condition::parse("** not contains x").unwrap());
    index.insert(2, Condition::parse("a.0 eq 0").unwrap());
    let data = json!({"a": (0..5_000).collect::<Vec<_>>()});
    let mut keys = Vec::new();
    let found = index.search(&data, &mut Search::new(), |key| keys.push(*key));
    assert_eq!(keys, [2]);
    let Found { fulfilled, unjudged, judged, .. } = found;
    assert_eq!((fulfilled, unjudged, judged), (1, 1, 2));
}

#[test]
fn one_search_serves_several_indexes_in_turn() {
    let (small, large) = (index(["a"]), index(["b", "a eq 1", "not c", "a gt 0"]));
    let mut search = Search::new();
    for _ in 0..3 {
        assert_eq!(small.search(&json!({"a": 1}), &mut search, |_| {}).fulfilled, 1);
        assert_eq!(large.search(&json!({"a": 1}), &mut search, |_| {}).fulfilled, 3);
    }
}
