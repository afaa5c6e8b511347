//! Runs beside the naive engine, in every order, with endings that come twice, late, or of nothing.

use super::behaviour::{ALL, behave};
use super::conformance::agreed;
use super::driver::Driver;
use super::naive;
use mape::flow::Graph;
use mape::workflow::{Cause, Definition, Outcome, Place, Status, Unchanged};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// Flows without cycles: those of the corpus, and some that iterate.
fn flows() -> &'static Vec<Graph> {
    static FLOWS: OnceLock<Vec<Graph>> = OnceLock::new();
    FLOWS.get_or_init(|| {
        let corpus = agreed();
        let corpus = corpus.iter().filter(|flow| flow["cyclic"] == json!(false));
        let sources = corpus.map(|flow| flow["source"].as_str().unwrap().to_owned());
        sources.chain(ITERATING.map(String::from)).map(|source| source.parse().unwrap()).collect()
    })
}

const ITERATING: [&str; 8] = [
    "* A → B",
    "A → * { B → C D } → E",
    "<[[{\"a\": 1}, {\"a\": 2}, {\"b\": 3}]]> → * ? `$.a` B → > C",
    "<[{\"a\": 1}, {\"a\": 2}, {\"b\": 3}]> → * { P → * Q R } → > :end",
    "<[{\"a\": 1}, {\"b\": 3}]> → * ? `$.a` { P | Q } → R; S",
    "<[[{\"a\": 1}, {\"a\": 2}], [{\"b\": 3}]]> → * { * { A → B  C } → D } → E",
    "{ A | B | C } → * { D → :x; :x E } → F",
    "<[]> → * A → * { B } → C",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_endings_gives_what_the_naive_engine_gives(
        flow in any::<prop::sample::Index>(),
        behaviour in prop::sample::select(ALL.to_vec()),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..200),
        noise in prop::collection::vec((any::<u8>(), any::<u8>(), 0_u8..4), 0..50),
    ) {
        let flows = flows();
        // Those that iterate are few among many.
        let at = flow.index(flows.len() + 100);
        let graph = &flows[if at < flows.len() { at } else { flows.len() - 1 - at % ITERATING.len() }];
        let input = json!({"x": 1});
        let task = |name: &str, index: usize, parameters: &Value, input: &Value| behave(behaviour, name, index, parameters, input);
        let mut driver = Driver::of(Definition::new(graph.clone()).unwrap());
        driver.begin(&input);
        let (mut turn, mut noise) = (0, noise.into_iter());
        let mut over: Vec<(Place, u32)> = Vec::new();
        while !driver.running.is_empty() {
            let at = picks[turn % picks.len()].index(driver.running.len());
            turn += 1;
            let (place, attempt, given) = driver.running[at].clone();
            if let Some((node, part, attempt)) = noise.next() {
                let unknown = Place { node: u32::from(node), part: u32::from(part) };
                let before = driver.state.clone();
                let late = over.iter().copied().chain([(unknown, u32::from(attempt)), (place, attempt_beside(u32::from(attempt)))]);
                for (place, attempt) in late.collect::<Vec<_>>() {
                    if driver.running.iter().any(|(p, a, _)| (*p, *a) == (place, attempt)) {
                        continue;
                    }
                    let outcome = Outcome::from(json!({"wrong": true}));
                    prop_assert_eq!(driver.step(Cause::Ended { place, attempt, outcome }), Err(Unchanged::Stale));
                }
                prop_assert_eq!(&driver.state, &before);
            }
            let parameters = graph.node(place.index()).unwrap().parameters().cloned().unwrap_or(json!({}));
            let output = task(driver.name(place), place.index(), &parameters, &given);
            over.push((place, attempt));
            driver.end(at, output.into());
        }
        prop_assert_eq!(driver.status(), Status::Finished, "{}", driver.failure());
        let (outputs, output) = naive::run(graph, &input, &task);
        prop_assert_eq!(driver.output(), output);
        prop_assert_eq!(driver.outputs(), outputs);
    }
}

/// An attempt that is not the first.
fn attempt_beside(attempt: u32) -> u32 {
    if attempt == 1 { 7 } else { attempt }
}
