//! The element of a goal: verdicts, errors, life, counters.

use super::{ms, s};
use crate::suite::eventually;
use mape::element::LinkOptions;
use mape::goal::{Goal, Signal, State, Verdict};
use mape::prelude::*;
use mape::stream::meter;

fn distance() -> Signal<f64> {
    Signal::new("distance", |metres: &f64| *metres).unit("m")
}

/// The next verdict of that state.
async fn next(verdicts: &mut Subscription<Verdict>, state: State) -> Verdict {
    loop {
        let verdict = verdicts.next().await.unwrap();
        if verdict.state == state {
            return verdict;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_goal_is_an_analyze_element_that_starts_at_once_and_tells_verdicts() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let sense = car.monitor("sense").map(|metres: f64| metres).spawn().unwrap();
    let goal = car.goal("distance", distance().above(20.0).stale_after(s(2))).unwrap();
    let brake = car.plan("brake").map(|verdict: Verdict| verdict.state == State::Violated).spawn().unwrap();
    sense.link(&goal).unwrap();
    goal.link(&brake).unwrap();
    let mut brakes = brake.subscribe();
    let mut verdicts = goal.subscribe();
    sense.start().unwrap();
    assert_eq!(goal.role().to_string(), "analyze");
    sense.push(25.0).await.unwrap();
    next(&mut verdicts, State::Met).await;
    sense.push(12.0).await.unwrap();
    let verdict = next(&mut verdicts, State::Violated).await;
    assert_eq!((&*verdict.goal, verdict.margin, &*verdict.unit), ("car.distance", Some(-8.0), "m"));
    assert_eq!(
        next(&mut verdicts, State::Unknown).await.why.to_string(),
        "the last sample of distance is 2 s old"
    );
    let mut heard = vec![brakes.next().await];
    while heard.last() != Some(&Some(true)) {
        heard.push(brakes.next().await);
    }
    // Who comes later can have the last one.
    let mut late = goal.subscribe_with(LinkOptions::new().replay(1)).unwrap();
    assert_eq!(late.next().await.unwrap().state, State::Unknown);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_number_is_an_error_of_the_element_and_the_next_item_counts() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let goal = car.goal("distance", distance().above(20.0)).unwrap();
    let mut signals = goal.subscribe();
    for metres in [25.0, f64::NAN, 12.0] {
        goal.push(metres).await.unwrap();
    }
    let mut told = Vec::new();
    while told.last() != Some(&Ok(State::Violated)) {
        let signal = signals.next_signal().await.unwrap();
        told.push(signal.map(|verdict| verdict.state).map_err(|error| error.to_string()));
    }
    let error = "car.distance: failed: `distance` was sampled as NaN, which is no finite number: the sample is left out";
    let told = told.iter().filter(|told| **told != Ok(State::Unknown)).cloned().collect::<Vec<_>>();
    assert_eq!(told, [Ok(State::Met), Err(error.to_owned()), Ok(State::Violated)]);
    assert_eq!(goal.info().errors, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_goal_is_unknown_and_a_completed_one_keeps_its_last_verdict() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let goal = car.goal("distance", distance().above(20.0)).unwrap();
    let mut verdicts = goal.subscribe();
    goal.push(25.0).await.unwrap();
    next(&mut verdicts, State::Met).await;
    goal.stop();
    eventually("it has stopped", async || !goal.state().is_active()).await;
    let status = &app.goals()[0];
    assert_eq!((status.verdict.state, &*status.verdict.why), (State::Unknown, "its element is stopped"));
    goal.start().unwrap();
    goal.push(12.0).await.unwrap();
    next(&mut verdicts, State::Violated).await;
    goal.complete();
    while verdicts.next().await.is_some() {}
    assert_eq!(app.goals()[0].verdict.state, State::Violated);
    // Started anew, it has forgotten everything.
    goal.start().unwrap();
    eventually("it begins anew", async || app.goals()[0].verdict.state == State::Unknown).await;
    goal.push(30.0).await.unwrap();
    eventually("it is judged again", async || app.goals()[0].verdict.state == State::Met).await;
}

#[tokio::test(start_paused = true)]
async fn goals_are_listed_in_order_and_leave_with_their_elements() {
    let app = App::new();
    let (car, road) = (app.create_loop("car").unwrap(), app.create_loop("road").unwrap());
    car.goal("distance", distance().above(20.0)).unwrap();
    road.goal("traffic", Goal::<u32>::deadline(s(5))).unwrap();
    let unnamed = car.goal("", Goal::<i32>::below(1.0)).unwrap();
    let names = |app: &App| app.goals().iter().map(|one| one.verdict.goal.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&app), ["car.distance", "road.traffic", unnamed.path().as_str()]);
    assert!(car.goal("distance", distance().below(9.0)).is_err(), "the name is taken");
    assert_eq!(names(&app).len(), 3);
    assert!(car.remove("distance"));
    eventually("it is gone", async || names(&app).len() == 2).await;
    assert!(app.shutdown(s(5)).await.is_clean());
    assert!(app.goals().is_empty());
}

#[tokio::test(start_paused = true)]
async fn margin_and_violations_are_counted_for_whoever_observes_the_process() {
    let app = App::new();
    let car = app.create_loop("metered_car").unwrap();
    let goal = car.goal("distance", distance().above(20.0)).unwrap();
    for metres in [25.0, 12.0, 30.0, 15.0, 14.0] {
        goal.push(metres).await.unwrap();
        tokio::time::sleep(ms(1_100)).await;
    }
    let meter = meter::all().into_iter().find(|one| one.name() == "metered_car.distance").unwrap();
    assert_eq!((meter.kind().name, meter.counter(0), meter.gauge(0)), ("goal", 2, -6.0));
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_panics_is_an_error_and_the_goal_begins_anew() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let fragile = Signal::new("distance", |metres: &f64| {
        assert!(*metres >= 0.0, "a distance of less than nothing");
        *metres
    });
    let goal = car.goal("distance", fragile.above(20.0).always(s(10))).unwrap();
    let mut verdicts = goal.subscribe();
    goal.push(12.0).await.unwrap();
    next(&mut verdicts, State::Violated).await;
    goal.push(-1.0).await.unwrap();
    goal.push(25.0).await.unwrap();
    assert_eq!(next(&mut verdicts, State::Unknown).await.margin, None);
    tokio::time::sleep(s(11)).await;
    next(&mut verdicts, State::Met).await;
    assert_eq!((goal.info().errors, goal.state().is_active()), (1, true));
}

#[tokio::test(start_paused = true)]
async fn of_goals_with_one_name_in_one_process_the_smallest_margin_is_the_metric() {
    let apps: [App; 3] = std::array::from_fn(|_| App::new());
    let goals = apps
        .each_ref()
        .map(|app| app.create_loop("twin_car").unwrap().goal("distance", distance().above(20.0)).unwrap());
    let margin = || {
        let snapshot = mape::telemetry::Snapshot::of(&apps[0]);
        let family = snapshot.family("mape_goal_margin").unwrap();
        let mut of_twins = family.samples.iter().filter(|sample| sample.labels[0].1 == "twin_car.distance");
        let mape::telemetry::Value::Number(margin) = of_twins.next().unwrap().value else { unreachable!() };
        assert!(of_twins.next().is_none());
        margin
    };
    assert!(margin().is_nan());
    goals[0].push(25.0).await.unwrap();
    eventually("what is known counts", async || margin().to_bits() == 5_f64.to_bits()).await;
    goals[1].push(22.0).await.unwrap();
    eventually("the smaller counts", async || margin().to_bits() == 2_f64.to_bits()).await;
    goals[2].push(12.0).await.unwrap();
    eventually("a violated one counts", async || margin().to_bits() == (-8_f64).to_bits()).await;
}
