//! What a judge says of items: states in the open cases, words, errors, memory.

use super::{ms, s};
use mape::goal::{Error, Goal, Judge, Margin, Sample, Signal, State};

fn distance() -> Signal<f64> {
    Signal::new("distance", |metres: &f64| *metres).unit("m")
}

/// The state after samples at these seconds.
fn after(judge: &mut Judge<f64>, samples: &[(u64, f64)]) -> State {
    for (at, sample) in samples {
        judge.item(s(*at), sample).unwrap();
    }
    judge.margin().state()
}

#[test]
fn no_verdict_is_given_without_evidence() {
    let mut always = distance().above(20.0).always(s(10)).judge();
    assert_eq!(always.margin(), Margin::UNKNOWN);
    assert_eq!(after(&mut always, &[(0, 25.0)]), State::Unknown, "what was before is not known");
    assert_eq!(always.advance(s(10)).state(), State::Met);
    let mut violated = distance().above(20.0).always(s(10)).judge();
    assert_eq!(after(&mut violated, &[(0, 12.0)]), State::Violated, "but one violation is enough");

    let mut eventually = distance().above(20.0).eventually(s(10)).judge();
    assert_eq!(after(&mut eventually, &[(0, 12.0)]), State::Unknown);
    assert_eq!(eventually.advance(s(10)).state(), State::Violated);
    let mut met = distance().above(20.0).eventually(s(10)).judge();
    assert_eq!(after(&mut met, &[(0, 25.0)]), State::Met);
}

#[test]
fn a_sample_that_is_too_uncertain_decides_nothing() {
    let pressure = Signal::new("pressure", |(value, uncertainty): &(f64, f64)| {
        Sample::new(*value).plus_minus(*uncertainty)
    });
    let mut judge = pressure.unit("m").above(20.0).judge();
    let mut of = |at, value, uncertainty| {
        let margin = judge.item(s(at), &(value, uncertainty)).unwrap();
        (margin.state(), margin.centre().unwrap(), margin.uncertainty().unwrap(), judge.why())
    };
    let why = "pressure 20.25 ± 0.5 m may be below 20 m".to_owned();
    assert_eq!(of(0, 20.25, 0.5), (State::Unknown, 0.25, 0.5, why));
    let why = "pressure 21 ± 0.5 m is at least 20 m".to_owned();
    assert_eq!(of(1, 21.0, 0.5), (State::Met, 1.0, 0.5, why));
    assert_eq!(of(2, 19.0, 0.5).0, State::Violated);
}

#[test]
fn what_is_unknown_of_one_part_does_not_hide_what_another_part_decides() {
    let x = Signal::new("x", |(x, _): &(f64, Option<f64>)| *x);
    let y = Signal::new("y", |(_, y): &(f64, Option<f64>)| *y);
    let mut judge =
        x.clone().above(0.0).and(y.clone().above(0.0).stale_after(s(2))).stale_after(s(100)).judge();
    assert_eq!(judge.item(s(0), &(1.0, Some(1.0))).unwrap().state(), State::Met);
    assert_eq!(judge.item(s(3), &(1.0, None)).unwrap().state(), State::Unknown, "y is old");
    assert_eq!(judge.why(), "the last sample of y is 3 s old");
    assert_eq!(judge.item(s(4), &(-1.0, None)).unwrap().state(), State::Violated, "x is enough");
    assert_eq!(judge.item(s(5), &(-1.0, Some(1.0))).unwrap().centre(), Some(-1.0));
    let mut either = x.above(0.0).or(y.above(0.0)).judge();
    assert_eq!(either.item(s(0), &(1.0, None)).unwrap().state(), State::Met);
}

/// A goal, what it is given and when, and what is said of it.
type Case<'c> = (Goal<f64>, &'c [(u64, f64)], &'c str, &'c str);

#[test]
fn it_says_in_plain_words_why() {
    let cases: [Case<'_>; 12] = [
        (distance().above(20.0), &[(0, 12.0)], "distance >= 20 m", "distance 12 m is below 20 m"),
        (!distance().above(20.0), &[(0, 12.0)], "not distance >= 20 m", "distance 12 m is below 20 m"),
        (
            distance().between(10.0..=20.0),
            &[(0, 25.5)],
            "distance in 10 to 20 m",
            "distance 25.5 m is outside 10 to 20 m",
        ),
        (
            distance().above(20.0).always(s(10)),
            &[(0, 30.0), (3, 12.0), (4, 40.0)],
            "always in 10 s (distance >= 20 m)",
            "distance 12 m was below 20 m in the last 10 s",
        ),
        (
            distance().above(20.0).always(s(10)),
            &[(0, 30.0), (5, 25.0)],
            "always in 10 s (distance >= 20 m)",
            "distance 25 m was at least 20 m so far, but not all of the last 10 s is known for certain",
        ),
        (
            distance().below(20.0).eventually(s(600)),
            &[(0, 30.0), (601, 25.0)],
            "eventually in 10 min (distance <= 20 m)",
            "distance 25 m was above 20 m at the best of the last 10 min",
        ),
        (
            distance().above(20.0).ratio(0.95, s(3600)),
            &[(0, 30.0), (1, 30.0), (2, 10.0), (3, 30.0)],
            "in 95 % of 60 min (distance >= 20 m)",
            "distance >= 20 m in 75 % of the 4 items of the last 60 min, 95 % is wanted",
        ),
        (
            distance().mean(s(60)).below(20.0),
            &[(0, 30.0), (1, 20.0)],
            "mean of distance in 60 s <= 20 m",
            "mean of distance in 60 s 25 m is above 20 m",
        ),
        (
            distance().above(20.0).and(distance().below(40.0)),
            &[(0, 45.0)],
            "distance >= 20 m and distance <= 40 m",
            "distance 45 m is above 40 m",
        ),
        (
            distance().above(20.0).within(s(5)).after(distance().below(10.0)),
            &[(0, 5.0), (3, 15.0)],
            "distance >= 20 m within 5 s after distance <= 10 m",
            "distance >= 20 m is due in 2 s",
        ),
        (
            Goal::deadline(s(5)),
            &[(0, 5.0), (3, 15.0)],
            "an item every 5 s",
            "the last item came 0 ms ago, one is wanted every 5 s",
        ),
        (
            Goal::is("parked", |metres: &f64| *metres < 1.0).implies(distance().above(5.0)),
            &[(0, 0.5)],
            "not parked or distance >= 5 m",
            "parked holds",
        ),
    ];
    for (goal, samples, formula, why) in cases {
        let mut judge = goal.judge();
        after(&mut judge, samples);
        assert_eq!((goal.to_string().as_str(), judge.why().as_str()), (formula, why));
    }
}

#[test]
fn what_is_no_number_is_an_error_and_the_next_sample_counts() {
    let mut judge = distance().above(20.0).stale_after(s(5)).judge();
    judge.item(s(0), &25.0).unwrap();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(
            matches!(judge.item(s(1), &bad), Err(Error::NotFinite { signal, .. }) if &*signal == "distance")
        );
        assert_eq!(judge.margin().centre(), Some(5.0), "the signal holds what it had");
    }
    let text = judge.item(s(2), &f64::NAN).unwrap_err().to_string();
    assert_eq!(text, "`distance` was sampled as NaN, which is no finite number: the sample is left out");
    assert!(judge.item(s(6), &f64::NAN).is_err());
    assert_eq!(judge.margin(), Margin::UNKNOWN, "nothing but errors is no sign of life");
    assert_eq!(judge.item(s(7), &12.0).unwrap().centre(), Some(-8.0));

    let mut uncertain = Signal::new("x", |u: &f64| Sample::new(1.0).plus_minus(*u))
        .above(0.0)
        .and(Goal::deadline(s(9)))
        .judge();
    assert!(matches!(uncertain.item(s(0), &-1.0), Err(Error::Uncertainty { .. })));
    assert!(matches!(uncertain.item(s(0), &f64::NAN), Err(Error::Uncertainty { .. })));
    assert!(uncertain.margin().high.is_finite(), "the rest of the goal counts the item");
}

#[test]
fn a_late_item_is_refused_and_changes_nothing() {
    let mut judge = distance().above(20.0).judge();
    judge.item(s(5), &25.0).unwrap();
    assert_eq!(judge.item(s(3), &0.0), Err(Error::Late { by: s(2) }));
    assert_eq!(judge.advance(s(1)).centre(), Some(5.0));
    assert_eq!(judge.item(s(5), &21.0).unwrap().centre(), Some(1.0), "the same moment is in time");
}

#[test]
fn bounds_that_make_no_sense_never_make_it_met() {
    for goal in
        [distance().above(f64::NAN), distance().between(1.0..=-1.0), distance().between(f64::NAN..=1.0)]
    {
        let mut judge = goal.always(s(1)).judge();
        assert_ne!(after(&mut judge, &[(0, 0.0), (5, 2.0)]), State::Met);
        let _ = judge.why();
    }
}

#[test]
fn an_answer_that_came_late_is_seen_in_a_window_over_it() {
    let answered = distance().above(20.0).within(s(5)).after(distance().below(10.0));
    let mut judge = answered.always(s(60)).judge();
    after(&mut judge, &[(0, 30.0), (70, 5.0), (73, 25.0)]);
    assert_eq!(judge.margin().state(), State::Met);
    assert_eq!(after(&mut judge, &[(80, 5.0), (86, 25.0)]), State::Violated);
    assert_eq!(judge.advance(s(145)).state(), State::Violated);
    assert_eq!(judge.advance(s(147)).state(), State::Met);
}

#[test]
fn exactly_at_the_end_of_its_time_an_answer_is_still_in_time() {
    let goal = || distance().above(20.0).within(s(5)).after(distance().below(10.0));
    let mut judge = goal().judge();
    assert_eq!(after(&mut judge, &[(0, 5.0)]), State::Met);
    assert_eq!(judge.advance(s(5)), Margin { low: 0.0, high: 0.0 });
    assert_eq!(judge.margin().state(), State::Met);
    assert_eq!(judge.advance(s(5) + std::time::Duration::from_nanos(1)).state(), State::Violated);
    // The oldest that is not answered counts, not the newest.
    let mut judge = goal().judge();
    after(&mut judge, &[(0, 5.0), (1, 15.0), (4, 3.0)]);
    assert_eq!(judge.margin().centre(), Some(1.0));
}

#[test]
fn a_window_of_too_many_entries_gets_wider_and_never_wrong() {
    let steps = 150_000_u64;
    // Worst for a window of minima: every sample is larger than all before it.
    let mut worst = distance().above(0.0).always(s(3_600)).judge();
    let mut best = distance().above(0.0).eventually(s(3_600)).judge();
    let mut share = distance().above(0.0).ratio(0.5, s(3_600)).judge();
    for n in 0..steps {
        worst.item(ms(n), &(n as f64)).unwrap();
        best.item(ms(n), &-(n as f64)).unwrap();
        share.item(ms(n), &(n as f64)).unwrap();
    }
    assert!(worst.coarsened() > 0 && best.coarsened() > 0 && share.coarsened() > 0);
    let end = s(3_600) + ms(10);
    // What is left is from 10 ms on; the true extremes lie inside of the margins.
    let (low, high) = (worst.advance(end), best.advance(end));
    assert!(low.low <= 10.0 && low.high >= 10.0, "{low:?}");
    assert!(high.low <= -10.0 && high.high >= -10.0, "{high:?}");
    assert_eq!(share.margin().state(), State::Met);
    // Once all that was too much has left, they are exact again.
    let end = s(3_600) + ms(steps);
    assert_eq!(worst.advance(end), Margin { low: (steps - 1) as f64, high: (steps - 1) as f64 });
}

#[test]
fn a_mean_does_not_drift_however_long_it_runs() {
    let mut judge = distance().mean(ms(100)).above(0.0).judge();
    for n in 0..200_000_u64 {
        judge.item(ms(n), &if n % 1_000 == 0 { 1e15 } else { 0.1 }).unwrap();
    }
    assert!((judge.margin().centre().unwrap() - 0.1).abs() < 1e-12);
}

#[test]
fn after_a_long_silence_everything_that_changed_meanwhile_is_caught_up_with() {
    let mut judge = distance().above(20.0).always(s(10)).eventually(s(100)).stale_after(s(50)).judge();
    after(&mut judge, &[(0, 25.0), (20, 12.0)]);
    assert_eq!(judge.margin().state(), State::Met, "from 10 s to 20 s it always was");
    assert_eq!(judge.advance(s(119)).state(), State::Met);
    assert_eq!(
        judge.advance(s(120)).state(),
        State::Unknown,
        "only the violation and what is stale are left"
    );
}

#[test]
fn what_may_have_been_asked_for_in_a_gap_is_forgotten_when_it_is_known_not_to_be() {
    // Nothing is known for a while; then there is no alarm, and no answer to one either.
    let alarm = Goal::is("alarm", |metres: &f64| *metres < 10.0);
    let goal = distance().above(50.0).within(s(5)).after(alarm).stale_after(s(10));
    let mut judge = goal.judge();
    assert_eq!(after(&mut judge, &[(0, 20.0)]), State::Met);
    assert_eq!(judge.advance(s(12)).state(), State::Met, "there is still time for an answer");
    assert_eq!(judge.advance(s(20)).state(), State::Unknown, "there may have been an alarm");
    assert_eq!(after(&mut judge, &[(30, 20.0)]), State::Met);
    // An alarm that was seen is not forgotten, but it may have been answered in a gap.
    assert_eq!(after(&mut judge, &[(31, 5.0), (40, 20.0)]), State::Violated);
    assert_eq!(after(&mut judge, &[(55, 20.0)]), State::Unknown);
    assert_eq!(after(&mut judge, &[(56, 60.0)]), State::Met);
}

#[test]
fn before_anything_is_known_of_the_trigger_nothing_is_met() {
    let x = Signal::new("x", |(x, _): &(Option<f64>, f64)| *x);
    let y = Signal::new("y", |(_, y): &(Option<f64>, f64)| *y);
    let goal = y.above(20.0).within(s(5)).after(x.above(0.0));
    let (mut judge, mut opposite) = (goal.clone().judge(), (!goal).judge());
    for judge in [&mut judge, &mut opposite] {
        assert_eq!(judge.item(s(0), &(None, 12.0)).unwrap().state(), State::Unknown);
        assert_eq!(judge.why(), "nothing is known of x >= 0");
        assert_eq!(judge.advance(s(60)).state(), State::Unknown);
    }
    assert_eq!(judge.item(s(61), &(Some(-1.0), 12.0)).unwrap(), Margin { low: 5.0, high: 5.0 });
    assert_eq!(opposite.item(s(61), &(Some(-1.0), 12.0)).unwrap().state(), State::Violated);
}

#[test]
fn a_bound_on_one_side_only_takes_uncertain_samples() {
    let inside = |bounds, value: f64| {
        let x = Signal::new("x", move |(): &()| Sample::new(value).plus_minus(1.0));
        let margin = x.between(bounds).judge().item(s(0), &()).unwrap();
        (margin.low, margin.high)
    };
    assert_eq!(inside(f64::NEG_INFINITY..=5.0, 5.5), (-1.5, 0.5));
    assert_eq!(inside(5.0..=f64::INFINITY, 4.5), (-1.5, 0.5));
    assert_eq!(inside(f64::NEG_INFINITY..=f64::INFINITY, 0.0), (f64::INFINITY, f64::INFINITY));
    assert_eq!(inside(-1.5e308..=1.5e308, 0.0), (1.5e308, 1.5e308));
}

#[test]
fn a_jump_over_a_full_window_of_a_quantile_costs_little() {
    let mut judge = distance().quantile(0.9, s(3_600)).above(0.0).always(s(60)).judge();
    let start = std::time::Instant::now();
    for n in 0..60_000 {
        judge.item(ms(50 * n), &(n as f64)).unwrap();
    }
    let filled = start.elapsed();
    let start = std::time::Instant::now();
    assert_eq!(judge.advance(s(100_000)).state(), State::Unknown);
    assert!(start.elapsed() < filled / 4, "{:?} for a jump, {filled:?} for all items", start.elapsed());
    assert_eq!(judge.item(s(100_001), &7.0).unwrap(), Margin { low: f64::NEG_INFINITY, high: 7.0 });
    assert_eq!(judge.advance(s(100_061)).state(), State::Met);
}

#[test]
fn a_jump_ends_where_small_steps_do() {
    let goals = [
        || distance().quantile(0.5, s(40)).above(5.0),
        || distance().mean(s(40)).above(5.0).always(s(9)),
        || distance().quantile(0.25, s(40)).above(5.0).always(s(30)).eventually(s(20)),
        || distance().above(5.0).always(s(7)).ratio(0.5, s(60)),
        || distance().mean(s(40)).below(9.0).within(s(5)).after(distance().quantile(0.1, s(40)).below(3.0)),
    ];
    for goal in goals {
        for jump in [1, 39, 41, 50, 62, 80, 91, 100, 150, 1_000] {
            let (mut far, mut near) = (goal().judge(), goal().judge());
            for n in 0..200_u64 {
                let value = ((n * 7_919) % 17) as f64;
                far.item(ms(n * 170), &value).unwrap();
                near.item(ms(n * 170), &value).unwrap();
            }
            let end = ms(199 * 170) + s(jump);
            for step in 1..=40 * jump {
                near.advance(ms(199 * 170) + ms(step * 25));
            }
            assert_eq!((far.advance(end), far.next_change()), (near.margin(), near.next_change()));
            assert_eq!(far.item(end, &4.0), near.item(end, &4.0));
            assert_eq!(far.advance(end + s(90)), near.advance(end + s(90)));
        }
    }
}
