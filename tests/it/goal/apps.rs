//! Goals that apps on one backend see of each other; the suite that every backend passes.

use crate::suite::eventually;
use mape::app::GoalStatus;
use mape::backend::Backend;
use mape::goal::{Goal, State};
use mape::prelude::App;
use std::collections::BTreeMap;
use std::time::Duration;

/// The tests of all claims here: `suite! { backend, fresh backend }`, with `start_paused = true` where no server runs.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), goal::apps:
            apps_on_one_backend_see_each_others_goals,
            the_last_verdicts_stay_after_a_shutdown_and_a_removed_goal_does_not,
        }
    };
}
pub(crate) use suite;

suite! { memory_goals, mape::backend::Backend::memory(), start_paused = true }

async fn seen(app: &App) -> BTreeMap<String, (State, bool)> {
    let all = app.all_goals().await.unwrap();
    all.into_iter().map(|one| (one.verdict.goal.to_string(), (one.verdict.state, one.here))).collect()
}

pub(crate) async fn apps_on_one_backend_see_each_others_goals(backend: Backend) {
    let (car, road) = (App::with_backend(backend.clone()), App::with_backend(backend));
    let distance = car.create_loop("car").unwrap().goal("distance", Goal::<f64>::above(20.0)).unwrap();
    road.create_loop("road").unwrap().goal("traffic", Goal::<f64>::below(5.0)).unwrap();
    distance.push(25.0).await.unwrap();
    let expected = [
        ("car.distance".to_owned(), (State::Met, false)),
        ("road.traffic".to_owned(), (State::Unknown, true)),
    ];
    eventually("the other's goal is met", async || seen(&road).await == BTreeMap::from(expected.clone()))
        .await;
    distance.push(12.0).await.unwrap();
    eventually("it is violated", async || seen(&road).await["car.distance"].0 == State::Violated).await;
    let kept =
        road.knowledge().hash::<String, GoalStatus>("goals").get("car.distance").await.unwrap().unwrap();
    assert_eq!((kept.verdict.margin, kept.here), (Some(-8.0), false));
}

pub(crate) async fn the_last_verdicts_stay_after_a_shutdown_and_a_removed_goal_does_not(backend: Backend) {
    let (car, other) = (App::with_backend(backend.clone()), App::with_backend(backend));
    let (of_car, limit) = (car.create_loop("car").unwrap(), Duration::from_secs(5));
    let distance = of_car.goal("distance", Goal::<f64>::above(20.0)).unwrap();
    of_car.goal("speed", Goal::<f64>::below(50.0)).unwrap();
    eventually("both are seen", async || seen(&other).await.len() == 2).await;
    assert!(of_car.remove("speed"));
    eventually("one is gone", async || seen(&other).await.len() == 1).await;
    distance.push(12.0).await.unwrap();
    assert!(car.shutdown(limit).await.is_clean());
    assert_eq!(seen(&other).await["car.distance"], (State::Violated, false));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_heard_of_for_half_a_minute_is_unknown() {
    let backend = Backend::memory();
    let (car, other) = (App::with_backend(backend.clone()), App::with_backend(backend));
    let distance = car.create_loop("car").unwrap().goal("distance", Goal::<f64>::above(20.0)).unwrap();
    distance.push(25.0).await.unwrap();
    eventually("it is met", async || seen(&other).await.get("car.distance") == Some(&(State::Met, false)))
        .await;
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert_eq!(seen(&other).await["car.distance"].0, State::Met, "there are signs of life");
    let _ = car.shutdown(Duration::from_secs(5)).await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    let all = other.all_goals().await.unwrap();
    assert_eq!((all[0].verdict.state, all[0].verdict.margin), (State::Unknown, None));
    let why = all[0].verdict.why.clone();
    assert!(why.starts_with("its app was last heard of at ") && why.ends_with('Z'), "{why}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let later = other.all_goals().await.unwrap();
    assert_eq!(later[0].verdict, all[0].verdict, "nothing in it goes on while nothing changes");
}

#[tokio::test(start_paused = true)]
async fn a_steady_goal_gives_signs_of_life_beside_one_that_changes_all_the_time() {
    let backend = Backend::memory();
    let (car, other) = (App::with_backend(backend.clone()), App::with_backend(backend));
    let of_car = car.create_loop("car").unwrap();
    let steady = of_car.goal("steady", Goal::<f64>::above(20.0)).unwrap();
    let busy = of_car.goal("busy", Goal::<f64>::above(20.0).report_every(Duration::ZERO)).unwrap();
    steady.push(25.0).await.unwrap();
    for n in 0..1_200 {
        busy.push(f64::from(n)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(seen(&other).await["car.steady"], (State::Met, false));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_heard_of_for_a_day_is_forgotten() {
    let backend = Backend::memory();
    let (car, other) = (App::with_backend(backend.clone()), App::with_backend(backend));
    car.create_loop("car").unwrap().goal("distance", Goal::<f64>::above(20.0)).unwrap();
    eventually("it is seen", async || seen(&other).await.len() == 1).await;
    let _ = car.shutdown(Duration::from_secs(5)).await;
    tokio::time::sleep(Duration::from_hours(23)).await;
    assert_eq!(seen(&other).await["car.distance"].0, State::Unknown);
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert!(seen(&other).await.is_empty(), "it is shown no more");
    let kept = other.knowledge().hash::<String, GoalStatus>("goals");
    assert_eq!(kept.len().await.unwrap(), 1);
    // Whoever has goals clears away what nobody has.
    other.create_loop("road").unwrap().goal("traffic", Goal::<f64>::below(5.0)).unwrap();
    eventually("only the other's is kept", async || kept.keys().await.unwrap() == ["road.traffic"]).await;
}
