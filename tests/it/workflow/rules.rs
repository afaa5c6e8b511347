//! The rules one by one.

use super::driver::Driver;
use mape::workflow::{Cause, Command, Outcome, Phase, Place, Status, Time, Unchanged};
use serde_json::{Value, json};
use std::time::Duration;

fn echo(_: &str, _: usize, _: &Value, input: &Value) -> Value {
    input.clone()
}

/// Runs a flow to its end with tasks that add their name.
fn run(flow: &str, input: &Value) -> Driver {
    let mut driver = Driver::begun(flow, input);
    driver.finish(|_| 0, |name, _, _, _| json!({name: 1}));
    driver
}

#[test]
fn inputs_follow_the_rules_for_empty_objects() {
    // Outputs of A, B, C and what D is given.
    let table = [
        ([json!({}), json!({}), json!({})], json!({})),
        ([json!({"a": 1}), json!({}), json!({})], json!({"a": 1})),
        ([json!({}), json!([]), json!({})], json!([])),
        ([json!({}), json!({"b": 1}), json!({"c": 1})], json!([{"b": 1}, {"c": 1}])),
        ([json!([1]), json!({}), json!({"c": 1})], json!([[1], {"c": 1}])),
        ([json!({"a": 1}), Value::Null, json!({"c": 1})], json!([{"a": 1}, {"c": 1}])),
    ];
    for (outputs, expected) in table {
        let mut driver = Driver::begun("{ A B C } → D", &Value::Null);
        for (name, output) in ["A", "B", "C"].into_iter().zip(outputs) {
            driver.give(name, output);
        }
        assert_eq!(driver.starts.last().unwrap().1, expected);
    }
}

#[test]
fn a_merge_flattens_and_later_keys_win() {
    let mut driver = Driver::begun("{ { A B } C } → > D", &Value::Null);
    driver.give("C", json!({"k": "c", "c": 1}));
    driver.give("A", json!({"k": "a", "a": 1}));
    driver.give("B", json!([{"k": "b"}, {"b": 2}]));
    assert_eq!(driver.starts.last().unwrap().1, json!({"k": "c", "a": 1, "b": 2, "c": 1}));
}

#[test]
fn a_merge_of_something_else_is_an_error_at_that_step() {
    let mut driver = Driver::begun("{ A B } → > D", &Value::Null);
    driver.give("A", json!([1]));
    driver.give("B", json!({}));
    assert_eq!(driver.status(), Status::Failed);
    assert_eq!(driver.failure(), "D (#5) failed: cannot merge its inputs: the number 1 is no object\n");
}

#[test]
fn the_output_of_the_flow_is_that_of_its_end_after_its_merge() {
    let mut driver = Driver::begun("A → > :end; B → > :end", &Value::Null);
    driver.give("A", json!({"a": 1}));
    driver.give("B", json!({"b": 1}));
    assert_eq!((driver.status(), driver.output()), (Status::Finished, json!({"a": 1, "b": 1})));
}

#[test]
fn an_output_has_to_be_an_object_or_a_list() {
    for (output, said) in
        [(json!(3), "the number 3"), (json!("x"), "the text \"x\""), (json!(true), "the boolean true")]
    {
        let mut driver = Driver::begun("A", &Value::Null);
        driver.give("A", output);
        assert_eq!(
            driver.failure(),
            format!("A (#1) failed: its output has to be an object or a list, and is {said}\n")
        );
    }
    let mut driver = Driver::begun("A", &Value::Null);
    driver.give("A", Value::Null);
    assert_eq!((driver.status(), driver.output()), (Status::Finished, json!({})));
}

#[test]
fn what_is_skipped_passes_its_input_on_and_leaves_nothing_active() {
    for flow in ["A → ? `$.no` B → C", "A → ? `$.no` { B → X } → C", "A → ? `$.no` { B | X } → C"]
    {
        let mut driver = Driver::begun(flow, &Value::Null);
        driver.give("A", json!({"a": 1}));
        assert_eq!(driver.names(), ["C"], "{flow}");
        assert_eq!(driver.starts.last().unwrap().1, json!({"a": 1}));
        driver.give("C", json!({"c": 1}));
        assert_eq!((driver.status(), driver.state.open()), (Status::Finished, 0));
        let nodes = (0..).map(Place::node).take(driver.definition.graph().nodes().len());
        assert_eq!(nodes.filter(|node| driver.state.phase(*node).is_open()).count(), 0);
    }
}

#[test]
fn sources_and_sinks_are_tasks_of_their_own() {
    let mut driver = Driver::begun("<data.json> → A → <out.json>", &Value::Null);
    assert_eq!(driver.names(), ["resource"]);
    driver.give("resource", json!([1]));
    driver.give("A", json!({"a": 1}));
    assert_eq!(driver.starts.last().unwrap().1, json!({"a": 1}));
    driver.give("resource", Value::Null);
    assert_eq!(driver.status(), Status::Finished);
    let tasks: Vec<_> = driver.definition.tasks().into_iter().collect();
    assert_eq!(tasks, ["A", "resource:load", "resource:store"]);
}

// --- iteration ------------------------------------------------------------------------------------------------

#[test]
fn an_iteration_keeps_the_order_of_its_items_and_its_limit() {
    let mut driver = Driver::begun("@task B (- iterate: 2 -)\nA → * B → C", &Value::Null);
    driver.give("A", json!([{"n": 0}, {"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]));
    let mut most = 0;
    while driver.names().contains(&"B") {
        most = most.max(driver.running.len());
        let (_, _, input) = driver.running.last().unwrap().clone();
        driver.end(driver.running.len() - 1, json!({"done": input["n"]}).into());
    }
    assert_eq!(most, 2);
    let done: Vec<Value> = (0..5).map(|n| json!({"done": n})).collect();
    assert_eq!(driver.starts.last().unwrap().1, json!(done));
}

#[test]
fn a_subflow_is_iterated_as_if_each_item_had_its_own() {
    let mut driver = Driver::begun("* { A → B  C } → D", &json!([{"n": 0}, {"n": 1}]));
    // The items go apart: the second is through before the first has begun.
    driver.finish(|running| running - 1, |name, _, _, input| json!({name: input}));
    let item = |n| json!([{"B": {"A": {"n": n}}}, {"C": {"n": n}}]);
    assert_eq!(driver.output(), json!({"D": [item(0), item(1)]}));
}

#[test]
fn what_is_no_list_is_done_once_and_an_empty_list_not_at_all() {
    let mut driver = Driver::begun("* A", &json!({"n": 1}));
    assert_eq!(driver.names(), ["A"]);
    driver.give("A", json!({"a": 1}));
    assert_eq!(driver.output(), json!({"a": 1}));
    let driver = Driver::begun("* A", &json!([]));
    assert_eq!((driver.status(), driver.output()), (Status::Finished, json!([])));
}

#[test]
fn a_failed_item_stops_is_skipped_or_kept_as_the_policy_says() {
    let flow = |failed: &str| format!("@task A (- iterate: {{at_a_time: 3, failed: {failed}}} -)\n* A");
    let go = |failed: &str| {
        let mut driver = Driver::begun(&flow(failed), &json!([{"n": 0}, {"n": 1}, {"n": 2}]));
        driver.end(1, Outcome::failed("no"));
        while !driver.running.is_empty() {
            driver.end(0, json!({"ok": true}).into());
        }
        driver
    };
    let ok = json!({"ok": true});
    assert_eq!(go("skip").output(), json!([ok, ok]));
    assert_eq!(go("keep").output(), json!([ok, {"failed": "no", "step": "A (#1)"}, ok]));
    let mut stopped = go("stop");
    assert_eq!(
        (stopped.status(), stopped.failure().as_str()),
        (Status::Failed, "A (#1) for item 1 failed: no\n")
    );
    // It goes on with that item alone.
    stopped.step(Cause::Restart { from: None }).unwrap();
    assert_eq!(stopped.running.len(), 1);
    stopped.end(0, json!({"ok": 2}).into());
    assert_eq!((stopped.status(), stopped.output()), (Status::Finished, json!([ok, {"ok": 2}, ok])));
}

#[test]
fn an_item_of_a_subflow_that_fails_takes_its_own_tasks_along_and_no_others() {
    let flow = "@flow f (- iterate: {failed: keep} -)\n* { A B }";
    let mut driver = Driver::begun(flow, &json!([{"n": 0}, {"n": 1}]));
    assert_eq!(driver.running.len(), 4);
    driver.commands.clear();
    driver.fail("A", "no");
    assert!(matches!(driver.commands[..], [Command::Cancel { .. }]), "{:?}", driver.commands);
    assert_eq!(driver.state.open(), 2);
}

#[test]
fn a_hundred_thousand_items_that_end_at_once_are_no_deep_recursion() {
    let items: Vec<Value> = vec![json!({"n": 0}); 100_000];
    let driver = Driver::begun("* ? `$.no` A", &Value::Array(items.clone()));
    assert_eq!((driver.status(), driver.output()), (Status::Finished, Value::Array(items)));
}

// --- cycles ---------------------------------------------------------------------------------------------------

#[test]
fn a_cycle_turns_until_the_guard_before_its_back_edge_is_not_fulfilled() {
    let mut driver = Driver::begun("A → :x B :y → ? `$[?(@.n < 3)]` C → :x; :y → D", &Value::Null);
    driver.give("A", json!({"n": 0}));
    let mut turns = 0;
    while driver.names().contains(&"B") {
        let at = driver.running.iter().position(|(place, ..)| driver.name(*place) == "B").unwrap();
        let n = driver.running[at].2["n"].as_i64().unwrap();
        driver.end(at, json!({"n": n + 1}).into());
        turns += 1;
        if driver.names().contains(&"C") {
            driver.give("C", json!({"n": n + 1}));
        }
    }
    assert_eq!(turns, 3);
    driver.finish(|_| 0, echo);
    assert_eq!(
        (driver.status(), driver.output()),
        (Status::Finished, json!({"n": 3})),
        "{}",
        driver.failure()
    );
}

#[test]
fn a_loop_back_to_the_start_brings_its_output() {
    let mut driver = Driver::begun("A :a → ? `$[?(@.n < 2)]` B → :start; :a → C", &json!({"n": 0}));
    driver.finish(
        |_| 0,
        |name, _, _, input| {
            if name == "A" { json!({"n": input["n"].as_i64().unwrap() + 1}) } else { input.clone() }
        },
    );
    assert_eq!(
        (driver.status(), driver.output()),
        (Status::Finished, json!({"n": 2})),
        "{}",
        driver.failure()
    );
}

#[test]
fn a_cycle_without_an_exit_fails_at_its_cap_and_names_the_step() {
    let mut driver = Driver::begun("@flow f (- turns: 10 -)\nA → :x B → :x", &Value::Null);
    driver.finish(|_| 0, echo);
    assert_eq!(driver.status(), Status::Failed);
    assert_eq!(
        driver.failure(),
        "B (#2) failed: the cycle it is in has turned 10 times, which is the limit (`turns` of @flow)\n"
    );
}

#[test]
fn a_standstill_is_an_error_that_names_who_waits_for_whom() {
    // Nothing goes over the back edge behind the guard, and that alone leads to `D`, for which the end waits.
    let mut driver =
        Driver::begun("A → :x B → ? `$.no` C → :x; P → ? `$.no` Q → :p; :p R → :p; R → D", &Value::Null);
    driver.finish(|_| 0, echo);
    assert!(matches!(driver.status(), Status::Failed | Status::Finished), "{}", driver.failure());
}

// --- attempts -------------------------------------------------------------------------------------------------

#[test]
fn a_failed_attempt_is_repeated_after_waits_that_double() {
    let flow = "@task A (- retry: {attempts: 3, wait: 100ms, most: 300ms} -)\nA → B";
    let mut driver = Driver::begun(flow, &json!({"x": 1}));
    for (attempt, wait) in [(1, 100), (2, 200), (3, 300)] {
        driver.fail("A", "no luck");
        let (place, failed, until) = driver.waits.pop().unwrap();
        assert_eq!((place, failed), (Place::node(1), attempt));
        assert_eq!(until.since(driver.now), Duration::from_millis(wait));
        assert_eq!(driver.state.waiting(), [(place, failed, until)]);
        driver.now = until;
        driver.step(Cause::Due { place, attempt: failed }).unwrap();
        assert_eq!(driver.starts.last().unwrap(), &(1, json!({"x": 1})));
    }
    driver.fail("A", "no luck");
    assert_eq!(driver.failure(), "A (#1) failed: no luck (after 4 attempts)\n");
}

#[test]
fn a_failure_for_good_is_not_repeated() {
    let mut driver = Driver::begun("@task A (- retry: 5 -)\nA", &Value::Null);
    driver.end(0, Outcome::failed_for_good("never"));
    assert_eq!((driver.status(), driver.waits.len()), (Status::Failed, 0));
}

#[test]
fn an_attempt_that_takes_too_long_is_cancelled_and_counts_as_failed() {
    let mut driver = Driver::begun("@task A (- {timeout: 5s, retry: 1} -)\nA", &Value::Null);
    driver.step(Cause::TimedOut { place: Place::node(1), attempt: 1 }).unwrap();
    assert!(driver.commands.contains(&Command::Cancel { place: Place::node(1), attempt: 1 }));
    assert_eq!(driver.state.phase(Place::node(1)), Phase::BackingOff);
    assert_eq!(driver.state.reason(Place::node(1)), Some("it took longer than 5s"));
    // Its late end is nobody's.
    let late = Cause::Ended { place: Place::node(1), attempt: 1, outcome: json!({}).into() };
    assert_eq!(driver.step(late), Err(Unchanged::Stale));
}

#[test]
fn a_lost_attempt_is_made_again_under_a_new_number() {
    let mut driver = Driver::begun("A", &json!({"x": 1}));
    driver.step(Cause::Lost { place: Place::node(1), attempt: 1 }).unwrap();
    assert_eq!(driver.running.len(), 1);
    assert_eq!((driver.running[0].1, &*driver.running[0].2), (2, &json!({"x": 1})));
    let late = Cause::Ended { place: Place::node(1), attempt: 1, outcome: json!({}).into() };
    assert_eq!(driver.step(late), Err(Unchanged::Stale));
    driver.give("A", json!({}));
    assert_eq!(driver.status(), Status::Finished);
}

#[test]
fn beside_a_failure_others_go_on_and_nothing_starts_until_the_restart() {
    let mut driver = Driver::begun("A → B → C; P → Q", &Value::Null);
    driver.give("A", json!({"a": 1}));
    driver.fail("B", "no");
    assert_eq!(driver.status(), Status::Failed);
    driver.give("P", json!({"p": 1}));
    assert_eq!(driver.running.len(), 0);
    driver.step(Cause::Restart { from: None }).unwrap();
    assert_eq!(driver.names(), ["B", "Q"]);
    assert!(driver.state.failures().is_empty());
    driver.finish(|_| 0, |name, _, _, _| json!({name: 1}));
    assert_eq!((driver.status(), driver.output()), (Status::Finished, json!([{"C": 1}, {"Q": 1}])));
}

#[test]
fn a_termination_cancels_what_runs_and_a_second_one_does_not_wait() {
    let mut driver = Driver::begun("A → B; P", &Value::Null);
    driver.commands.clear();
    driver.step(Cause::Terminate).unwrap();
    assert_eq!(driver.status(), Status::Terminating);
    assert_eq!(driver.commands.iter().filter(|command| matches!(command, Command::Cancel { .. })).count(), 2);
    driver.step(Cause::Cancelled { place: Place::node(1), attempt: 1 }).unwrap();
    driver.give("P", json!({"p": 1}));
    assert_eq!(driver.status(), Status::Terminated);
    driver.running.clear();
    driver.step(Cause::Restart { from: None }).unwrap();
    assert_eq!(driver.names(), ["A"]);
    driver.step(Cause::Terminate).unwrap();
    driver.step(Cause::Terminate).unwrap();
    assert_eq!(driver.status(), Status::Terminated);
    let refused = driver.step(Cause::Terminate).unwrap_err();
    assert_eq!(refused.to_string(), "the run is TERMINATED: only what runs can be terminated");
}

#[test]
fn one_terminated_between_two_tasks_can_go_on() {
    let mut driver = Driver::begun("A → B", &Value::Null);
    driver.step(Cause::Terminate).unwrap();
    driver.give("A", json!({"a": 1}));
    assert_eq!(driver.status(), Status::Terminated);
    driver.step(Cause::Restart { from: None }).unwrap();
    assert_eq!(driver.names(), ["B"]);
}

#[test]
fn a_pause_holds_what_would_start_and_lets_go_on_what_runs() {
    let mut driver = Driver::begun("A → B", &Value::Null);
    driver.step(Cause::Pause).unwrap();
    driver.give("A", json!({"a": 1}));
    assert_eq!((driver.status(), driver.running.len()), (Status::Running, 0));
    driver.step(Cause::Resume).unwrap();
    assert_eq!(driver.names(), ["B"]);
}

#[test]
fn a_restart_from_a_step_repeats_what_follows_from_it_and_nothing_else() {
    let mut driver = run("A → :x B → C → D; P → :x", &Value::Null);
    assert_eq!(driver.status(), Status::Finished);
    let at = |driver: &Driver, name: &str| {
        let nodes = driver.definition.graph().nodes();
        u32::try_from(nodes.iter().position(|node| node.task() == Some(name)).unwrap()).unwrap()
    };
    driver.starts.clear();
    let from = at(&driver, "C");
    driver.step(Cause::Restart { from: Some(from) }).unwrap();
    driver.finish(|_| 0, |name, _, _, _| json!({name: 2}));
    let again: Vec<u32> = driver.starts.iter().map(|(node, _)| u32::try_from(*node).unwrap()).collect();
    assert_eq!(again, [at(&driver, "C"), at(&driver, "D")]);
    assert_eq!((driver.status(), driver.output()), (Status::Finished, json!({"D": 2})));
    let refused = driver.step(Cause::Restart { from: Some(99) }).unwrap_err();
    assert_eq!(refused.to_string(), "cannot restart from #99: the flow has no such step");
}

#[test]
fn a_chain_of_ten_thousand_and_a_fan_of_ten_thousand_cost_little() {
    let names = |n: usize, by: &str| (0..n).map(|i| format!("t{i}")).collect::<Vec<_>>().join(by);
    for flow in [names(10_000, " → "), format!("{{ {} }} → z", names(10_000, " "))] {
        let begin = std::time::Instant::now();
        let driver = run(&flow, &Value::Null);
        assert_eq!(driver.status(), Status::Finished);
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    }
}

#[test]
fn times_are_kept_for_each_step() {
    let mut driver = Driver::begun("A", &Value::Null);
    driver.now = Time::from_micros(5);
    driver.give("A", json!({}));
    assert_eq!(driver.state.times(Place::node(1)), (Some(Time::from_micros(1)), Some(Time::from_micros(5))));
    assert_eq!(
        (driver.state.began(), driver.state.ended()),
        (Some(Time::from_micros(1)), Some(Time::from_micros(5)))
    );
}
