//! Verdicts as a stream, in virtual time.

use super::{ms, s};
use futures::{Stream, StreamExt, stream};
use mape::goal::{Error, Goal, Signal, State, Verdict};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep};

/// Items that come so many milliseconds after the beginning; then it is silent.
fn items(all: &'static [(u64, f64)]) -> impl Stream<Item = f64> {
    let start = Instant::now();
    let timed = stream::iter(all).then(move |(at, item)| async move {
        tokio::time::sleep_until(start + ms(*at)).await;
        *item
    });
    timed.chain(stream::pending())
}

/// What is told until that time: when, the state, the margin.
async fn told(
    goal: Goal<f64>,
    all: &'static [(u64, f64)],
    until: Duration,
) -> Vec<(u64, State, Option<f64>)> {
    let start = Instant::now();
    let verdicts = goal.watch("goal", items(all)).take_until(sleep(until));
    let row = |verdict: Result<Verdict, Error>| {
        let verdict = verdict.unwrap();
        (u64::try_from(start.elapsed().as_millis()).unwrap(), verdict.state, verdict.margin)
    };
    verdicts.map(row).collect().await
}

#[tokio::test(start_paused = true)]
async fn data_that_gets_old_is_told_though_no_item_comes() {
    let goal = Goal::above(20.0).stale_after(s(5));
    let all = told(goal, &[(100, 25.0), (200, 26.0), (9_000, 12.0)], s(60)).await;
    let expected = [
        (0, State::Unknown, None),
        (100, State::Met, Some(5.0)),
        (1_100, State::Met, Some(6.0)),
        (5_200, State::Unknown, None),
        (9_000, State::Violated, Some(-8.0)),
        (14_000, State::Unknown, None),
    ];
    assert_eq!(all, expected);
}

#[tokio::test(start_paused = true)]
async fn a_window_and_a_deadline_change_the_state_at_their_moment() {
    let goal = Goal::above(20.0).always(s(3));
    let all = told(goal, &[(0, 25.0), (5_000, 12.0), (5_500, 30.0)], s(20)).await;
    let states: Vec<_> = all.iter().map(|(at, state, _)| (*at, *state)).collect();
    assert_eq!(
        states,
        [
            (0, State::Unknown),
            (1_000, State::Unknown), // the margin so far, a second after it was told that nothing is known
            (3_000, State::Met),
            (5_000, State::Violated),
            (8_500, State::Met)
        ]
    );
    let goal = Goal::deadline(s(2)).report_every(Duration::ZERO);
    let all = told(goal, &[(1_000, 0.0), (4_000, 0.0)], s(20)).await;
    let states: Vec<_> = all.iter().map(|(at, state, _)| (*at, *state)).collect();
    assert_eq!(
        states,
        [(0, State::Met), (3_001, State::Violated), (4_000, State::Met), (6_001, State::Violated)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_changed_margin_is_told_as_often_as_asked_for() {
    static MANY: &[(u64, f64)] =
        &[(100, 21.0), (200, 22.0), (300, 23.0), (400, 24.0), (500, 25.0), (600, 25.0), (2_700, 27.0)];
    let margins = |all: Vec<(u64, State, Option<f64>)>| -> Vec<_> {
        all.into_iter().filter_map(|(at, _, margin)| Some((at, margin?))).collect()
    };
    let each = told(Goal::above(20.0).report_every(Duration::ZERO), MANY, s(9)).await;
    assert_eq!(margins(each), [(100, 1.0), (200, 2.0), (300, 3.0), (400, 4.0), (500, 5.0), (2_700, 7.0)]);
    let some = told(Goal::above(20.0).report_every(ms(250)), MANY, s(9)).await;
    assert_eq!(margins(some), [(100, 1.0), (350, 3.0), (600, 5.0), (2_700, 7.0)]);
    let running = told(Goal::deadline(s(10)).report_every(s(4)), &[(2_000, 0.0)], s(11)).await;
    assert_eq!(margins(running), [(0, 10.0), (4_000, 8.0), (8_000, 4.0)], "a time that runs is told as well");
    let each = told(Goal::deadline(s(10)).report_every(Duration::ZERO), &[(2_000, 0.0)], s(11)).await;
    assert_eq!(margins(each), [(0, 10.0)], "but not all the time");
}

#[tokio::test(start_paused = true)]
async fn a_verdict_says_when_since_when_and_why() {
    let distance = Signal::new("distance", |metres: &f64| *metres).unit("m");
    let goal = distance.above(20.0).report_every(ms(500));
    let verdicts = goal.watch("car.distance", items(&[(1_000, 12.0), (3_000, 11.0)]));
    let all: Vec<Verdict> = verdicts.take(3).map(Result::unwrap).collect().await;
    let last = &all[2];
    assert_eq!((last.lasted(), all[1].lasted()), (s(2), Duration::ZERO));
    assert_eq!(last.to_string(), "car.distance: violated by 9 m: distance 11 m is below 20 m, for 2 s");
    let json = serde_json::to_value(last).unwrap();
    assert_eq!(json["margin"], -9.0);
    assert_eq!(
        (&json["state"], &json["unit"], &json["goal"]),
        (&"violated".into(), &"m".into(), &"car.distance".into())
    );
    assert_eq!(&serde_json::from_value::<Verdict>(json).unwrap(), last);
}

#[tokio::test(start_paused = true)]
async fn an_error_stands_in_its_place_between_the_verdicts() {
    let goal = Goal::above(20.0).report_every(Duration::ZERO);
    let source = stream::iter([21.0, f64::NAN, 22.0, f64::INFINITY]);
    let all: Vec<_> =
        goal.watch("goal", source).map(|told| told.map(|verdict| verdict.margin)).collect().await;
    assert!(
        matches!(&all[..], [Ok(None), Ok(Some(1.0)), Err(Error::NotFinite { .. }), Ok(Some(2.0)), Err(_)]),
        "{all:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_margin_is_told_when_the_source_completes() {
    let source = stream::iter([21.0, 22.0, 23.0]);
    let all: Vec<_> =
        Goal::above(20.0).watch("goal", source).map(|told| told.unwrap().margin).collect().await;
    assert_eq!(all, [None, Some(1.0), Some(3.0)]);
}

fn day(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + s(1_000_000 + seconds)
}

#[tokio::test(start_paused = true)]
async fn items_with_times_of_their_own_are_judged_by_those() {
    // An hour of data in no time at all.
    let value = Signal::new("value", |(_, value): &(u64, f64)| *value);
    let goal = value.above(20.0).always(s(600)).time(|(at, _): &(u64, f64)| day(*at));
    let source =
        stream::iter([(0, 25.0), (600, 25.0), (1_200, 12.0), (1_100, 0.0), (1_800, 25.0), (2_500, 25.0)]);
    let all: Vec<_> = goal.watch("goal", source).collect().await;
    let told: Vec<_> = all.iter().map(|told| told.clone().map(|verdict| verdict.state)).collect();
    let late = Err(Error::Late { by: s(100) });
    let expected = [Ok(State::Unknown), Ok(State::Met), Ok(State::Violated), late, Ok(State::Met)];
    assert_eq!(told, expected);
    assert_eq!((all[2].as_ref().unwrap().at, all[4].as_ref().unwrap().since), (day(1_200), day(2_500)));

    let early = Goal::<f64>::above(0.0).time(|_| SystemTime::UNIX_EPOCH - s(1));
    let all: Vec<_> = early.watch("goal", stream::iter([1.0])).collect().await;
    assert_eq!(all.last(), Some(&Err(Error::BeforeEpoch)));
}

#[tokio::test(start_paused = true)]
async fn items_with_times_of_their_own_are_unknown_when_none_comes_for_too_long() {
    let start = Instant::now();
    let goal = Goal::<f64>::above(20.0).time(|_| day(0)).stale_after(s(30));
    let mut verdicts = Box::pin(goal.watch("goal", items(&[(1_000, 25.0), (50_000, 26.0)])));
    let mut states = Vec::new();
    while states.len() < 4 {
        let verdict = verdicts.next().await.unwrap().unwrap();
        states.push((start.elapsed().as_secs(), verdict.state, verdict.why.to_string()));
    }
    let why = |n| format!("value {n} is at least 20");
    let silent = "no item has come for too long".to_owned();
    assert_eq!(
        states[1..],
        [(1, State::Met, why(25)), (31, State::Unknown, silent), (50, State::Met, why(26))]
    );
}

#[tokio::test(start_paused = true)]
async fn that_no_item_came_is_told_with_the_time_at_which_that_was_so() {
    let goal = Goal::<f64>::above(20.0).time(|_| day(0)).stale_after(s(30));
    let verdicts = goal.watch("goal", items(&[(1_000, 25.0), (2_000, 25.0)]));
    let all: Vec<Verdict> = verdicts.take(3).map(Result::unwrap).collect().await;
    assert_eq!((all[1].state, all[1].at), (State::Met, day(0)));
    assert_eq!((all[2].state, all[2].at, all[2].since), (State::Unknown, day(30), day(30)));
}

#[tokio::test(start_paused = true)]
async fn items_that_are_left_out_are_no_sign_of_life() {
    let start = Instant::now();
    let value = Signal::new("value", |(_, value): &(Option<u64>, f64)| *value);
    let at = |seconds: Option<u64>| seconds.map_or(SystemTime::UNIX_EPOCH - s(1), day);
    let goal =
        value.above(20.0).time(move |(seconds, _): &(Option<u64>, f64)| at(*seconds)).stale_after(s(30));
    // The first is judged, then there is one a second that is late, or older than all clocks.
    let source = stream::unfold(0, |n| async move {
        sleep(s(1)).await;
        let seconds = if n == 0 { Some(100) } else { (n % 2 == 0).then_some(50) };
        Some(((seconds, 25.0), n + 1))
    });
    let mut verdicts = Box::pin(goal.watch("goal", source).filter_map(|told| async { told.ok() }));
    let mut states = Vec::new();
    while states.len() < 3 {
        let verdict =
            tokio::time::timeout(s(120), verdicts.next()).await.expect("it becomes unknown").unwrap();
        states.push((start.elapsed().as_secs(), verdict.state));
    }
    assert_eq!(states, [(0, State::Unknown), (1, State::Met), (31, State::Unknown)]);
}

#[tokio::test(start_paused = true)]
async fn an_item_of_a_time_to_come_is_refused_and_those_after_it_count() {
    let value = Signal::new("value", |(_, value): &(SystemTime, f64)| *value);
    let goal = value.above(20.0).time(|(at, _): &(SystemTime, f64)| *at).report_every(Duration::ZERO);
    let now = mape::stream::clock::now();
    let (hour, year) = (Duration::from_hours(1), Duration::from_hours(24 * 365));
    // The clock of a machine may be ahead, but not by more than a day; nor can a year 20000 be written.
    let source = stream::iter([
        (now, 25.0),
        (now + year, 12.0),
        (now + year * 18_000, 12.0),
        (now + hour, 26.0),
        (now + 23 * hour, 27.0),
        (now + 25 * hour, 12.0),
    ]);
    let all: Vec<_> = goal.watch("goal", source).collect().await;
    let told: Vec<_> = all.iter().map(|told| told.as_ref().map_or(None, |verdict| verdict.margin)).collect();
    assert_eq!(told, [None, Some(5.0), None, None, Some(6.0), Some(7.0), None]);
    let text = all[2].as_ref().unwrap_err().to_string();
    assert!(text.contains("ahead of the clock") && text.contains("left out"), "{text}");
    assert!(all[3].is_err() && all[6].is_err());
    for verdict in all.iter().flatten() {
        serde_json::to_string(verdict).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_goal_of_two_keeps_what_either_says_of_silence_and_of_reports() {
    let value = || Signal::new("value", |value: &f64| *value).above(20.0);
    let patient = value().time(|_| day(0)).stale_after(s(100)).report_every(s(9));
    let hasty = || value().stale_after(s(30)).report_every(ms(250));
    for goal in [
        patient.clone().and(hasty()),
        value().time(|_| day(0)).or(hasty()),
        patient.clone().within(s(1)).after(hasty()),
    ] {
        let all = told(goal, &[(0, 25.0)], s(60)).await;
        assert_eq!(all.last().map(|(at, state, _)| (*at, *state)), Some((30_000, State::Unknown)), "{all:?}");
    }
    let all = told(value().and(hasty()), &[(100, 25.0), (200, 26.0)], s(10)).await;
    assert_eq!(all[2], (350, State::Met, Some(6.0)));
    // One that says nothing changes nothing.
    let all = told(value().report_every(s(9)).and(value()), &[(100, 25.0), (200, 26.0)], s(20)).await;
    assert_eq!(all[2], (9_100, State::Met, Some(6.0)));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_never_pauses_lets_others_run() {
    let goal = Goal::below(20.0);
    let mut endless = Box::pin(goal.watch("goal", stream::repeat(1.0)));
    assert_eq!(endless.next().await.unwrap().unwrap().state, State::Unknown);
    assert_eq!(endless.next().await.unwrap().unwrap().state, State::Met);
    // The margin stays the same, so nothing more is told.
    let other = tokio::spawn(std::future::ready(7));
    tokio::select! {
        biased;
        _ = endless.next() => unreachable!("nothing changes"),
        done = other => assert_eq!(done.unwrap(), 7),
    }
}
