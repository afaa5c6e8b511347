//! Errors and panics: reported, in order, isolated, supervised.

use super::{SOON, collect, one_loop, until};
use mape::element::{Event, OnError, Out, State};
use mape::prelude::*;
use mape::stream::Backoff;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

async fn signals<T: std::fmt::Display>(s: &mut Subscription<T>, n: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < n {
        match s.next_signal().await {
            Some(Ok(x)) => all.push(x.to_string()),
            Some(Err(e)) => all.push(e.to_string()),
            None => break,
        }
    }
    all
}

fn picky(x: u64, out: &mut Out<u64>) -> Result<(), &'static str> {
    assert!(x != 3, "three");
    if x == 5 {
        return Err("odd");
    }
    out.emit(x);
    Ok(())
}

#[tokio::test]
async fn errors_and_panics_are_reported_and_travel_in_order_and_the_next_item_goes_on() {
    let (app, l) = one_loop();
    let mut events = app.events();
    let bad = l.analyze("bad").each(picky).spawn().unwrap();
    let next = l
        .plan("next")
        .each_async(async |x: u64, out: Emitter<u64>| {
            assert!(x != 7, "seven");
            out.emit(x).await;
        })
        .spawn()
        .unwrap();
    bad.link(&next).unwrap();
    let mut got = next.subscribe();
    for x in 0..10 {
        bad.push(x).await.unwrap();
    }
    let expected = [
        "0",
        "1",
        "2",
        "l.bad: panicked: three",
        "4",
        "l.bad: failed: odd",
        "6",
        "l.next: panicked: seven",
        "8",
        "9",
    ];
    assert_eq!(signals(&mut got, 10).await, expected);
    let errors: Vec<_> = std::iter::from_fn(|| events.try_next())
        .filter_map(|e| if let Event::Error(e) = e { Some(e.to_string()) } else { None })
        .collect();
    assert_eq!(errors, ["l.bad: panicked: three", "l.bad: failed: odd", "l.next: panicked: seven"]);
    assert_eq!((bad.info().errors, next.info().errors), (2, 1));
}

#[tokio::test]
async fn dead_letters_carry_the_input_the_path_and_the_error() {
    let (app, l) = one_loop();
    let (mut all, bad) = (app.dead_letters(), l.analyze("bad").each(picky).spawn().unwrap());
    let mut own = bad.dead_letters();
    let mut got = bad.subscribe();
    for x in 0..7 {
        bad.push(x).await.unwrap();
    }
    signals(&mut got, 7).await;
    for letters in [&mut all, &mut own] {
        let letter = letters.next().await.unwrap();
        assert_eq!((letter.path.to_string(), letter.input::<u64>()), ("l.bad".into(), Some(3)));
        assert_eq!(letter.input::<String>(), None, "of another type");
        let letter = letters.next().await.unwrap();
        assert_eq!((letter.error.to_string(), letter.input::<u64>()), ("l.bad: failed: odd".into(), Some(5)));
    }
}

#[tokio::test]
async fn dead_letters_of_concurrent_calls_carry_their_own_inputs() {
    let (_app, l) = one_loop();
    let bad = l
        .execute("bad")
        .each_unordered(8, async |x: u64, out: Emitter<u64>| {
            tokio::task::yield_now().await;
            assert!(x.is_multiple_of(2), "{x} is odd");
            out.emit(x).await;
        })
        .spawn()
        .unwrap();
    let mut letters = bad.dead_letters();
    let mut got = bad.subscribe();
    for x in 0..8 {
        bad.push(x).await.unwrap();
    }
    signals(&mut got, 8).await;
    let mut inputs: Vec<_> =
        std::iter::from_fn(|| letters.try_next()).map(|l| l.input::<u64>().unwrap()).collect();
    inputs.sort_unstable();
    assert_eq!(inputs, [1, 3, 5, 7]);
}

#[tokio::test]
async fn stop_completes_downstream_after_the_error_and_it_can_be_started_again() {
    let (_app, l) = one_loop();
    let bad = l.analyze("bad").on_error(OnError::Stop).each(picky).spawn().unwrap();
    let next = l.plan("next").map(|x: u64| x).spawn().unwrap();
    bad.link(&next).unwrap();
    let mut got = next.subscribe();
    for x in [0, 1, 5] {
        bad.push(x).await.unwrap();
    }
    assert_eq!(signals(&mut got, 9).await, ["0", "1", "l.bad: failed: odd"]);
    assert_eq!(bad.wait_for_state(|s| !s.is_active()).await, State::Failed);
    assert_eq!(next.wait_for_state(|s| !s.is_active()).await, State::Completed);
    bad.start().unwrap();
    let mut got = next.subscribe();
    bad.push(8).await.unwrap();
    assert_eq!(got.next().await, Some(8), "the links live again with their sender");
}

#[tokio::test(start_paused = true)]
async fn restart_waits_out_its_back_off_with_fresh_operators_and_loses_nothing() {
    let (_app, l) = one_loop();
    let built = Arc::new(AtomicU32::new(0));
    let count = built.clone();
    let backoff =
        Backoff::exponential(Duration::from_secs(1), Duration::from_mins(1)).jitter(0.0).max_attempts(3);
    let bad = l
        .analyze("bad")
        .on_error(OnError::Restart(backoff))
        .ops_in(move |s| {
            count.fetch_add(1, Relaxed);
            s.scan_with(0, |sum: &mut u64, x: u64| *sum += x)
        })
        .each(|x: u64, out| {
            if x >= 100 {
                Err(format!("{x} is too much"))
            } else {
                out.emit(x);
                Ok(())
            }
        })
        .spawn()
        .unwrap();
    let mut got = bad.subscribe();
    let start = tokio::time::Instant::now();
    for x in [1, 2, 200, 1, 100, 300, 1] {
        bad.push(x).await.unwrap();
    }
    let expected = ["1", "3", "l.bad: failed: 203 is too much", "1", "l.bad: failed: 101 is too much"];
    assert_eq!(signals(&mut got, 5).await, expected);
    assert_eq!(start.elapsed(), Duration::from_secs(1), "one wait; success took the count back");
    assert_eq!(signals(&mut got, 2).await, ["l.bad: failed: 300 is too much", "1"]);
    assert_eq!(start.elapsed(), Duration::from_secs(1 + 1 + 2));
    assert_eq!((built.load(Relaxed), bad.info().restarts), (4, 3));
    for x in [1000; 4] {
        bad.push(x).await.unwrap();
    }
    assert_eq!(bad.wait_for_state(|s| !s.is_active() || s == State::Failed).await, State::Failed);
    assert_eq!(start.elapsed(), Duration::from_secs(4 + 1 + 2 + 4), "three attempts, then it fails");
}

#[tokio::test]
async fn an_operator_that_panics_is_built_anew_and_the_function_keeps_its_state() {
    let (_app, l) = one_loop();
    let mut seen = 0;
    let e = l
        .analyze("e")
        .ops_in(|s| {
            s.scan_with(0, |n: &mut u64, x: u64| {
                assert!(x != 13, "unlucky");
                *n += x;
            })
        })
        .each(move |x: u64, out| {
            seen += 1;
            out.emit(format!("{seen}:{x}"));
        })
        .spawn()
        .unwrap();
    let mut got = e.subscribe();
    for x in [1, 2, 13, 4, 5] {
        e.push(x).await.unwrap();
    }
    assert_eq!(signals(&mut got, 5).await, ["1:1", "2:3", "l.e: panicked: unlucky", "3:4", "4:9"]);
}

#[tokio::test]
async fn what_only_panics_is_ended_after_a_thousand_times() {
    let (app, l) = one_loop();
    let e =
        l.analyze("e").ops_in(|s| s.map(|x: u64| -> u64 { panic!("never {x}") })).map(|x| x).spawn().unwrap();
    let _heard = e.subscribe_with(LinkOptions::latest()).unwrap();
    for x in 0..1_000 {
        e.push(x).await.unwrap();
    }
    assert_eq!(e.wait_for_state(|s| !s.is_active()).await, State::Failed);
    assert_eq!(e.info().errors, 1_000);
    assert!(app.shutdown(SOON).await.is_clean());
}

#[tokio::test]
async fn an_escalated_failure_stops_the_loop_or_restarts_the_element() {
    use mape::app::OnEscalation;
    let (app, l) = one_loop();
    let mut events = app.events();
    let bad = l.analyze("bad").on_error(OnError::Escalate).each(picky).spawn().unwrap();
    let (other, got) = collect::<u64>(&l, "other");
    bad.link(&other).unwrap();
    l.on_escalation(OnEscalation::RestartElement);
    let mut states = app.events();
    bad.push(5).await.unwrap();
    for expected in [State::Failed, State::Running] {
        while !matches!(states.next().await.unwrap(), Event::State { path, state } if path == "l.bad" && state == expected)
        {
        }
    }
    bad.push(6).await.unwrap();
    until("it works again", || *got.lock() == [6]).await;
    l.on_escalation(OnEscalation::StopLoop);
    bad.push(5).await.unwrap();
    bad.wait_for_state(|s| s == State::Failed).await;
    until("the others are stopped", || other.state() != State::Running).await;
    let escalations = std::iter::from_fn(|| events.try_next()).filter(|e| matches!(e, Event::Escalated(_)));
    assert_eq!(escalations.count(), 2);
}

#[tokio::test]
async fn an_error_in_an_element_never_reaches_who_pushed() {
    // PyMAPE throws an exception of a plan into the caller of the monitor.
    let (_app, l) = one_loop();
    let detect = super::pass::<u64>(&l, "detect");
    let bad = l.execute("bad").act(|_: u64| -> Result<(), &str> { Err("always") }).spawn().unwrap();
    detect.link(&bad).unwrap();
    for x in 0..100 {
        detect.push(x).await.unwrap();
    }
    until("all failed", || bad.info().errors == 100).await;
    assert_eq!((detect.state(), bad.state()), (State::Running, State::Running));
}

#[tokio::test]
async fn an_item_in_hand_is_let_go_with_the_element() {
    let (_app, l) = one_loop();
    let slow =
        l.monitor("slow").each_async(async |_: Arc<u8>, _: Emitter<u8>| std::future::pending::<()>().await);
    let slow = slow.spawn().unwrap();
    slow.start().unwrap();
    // Items are kept for those.
    let _letters = slow.dead_letters();
    let item = Arc::new(1);
    slow.push(item.clone()).await.unwrap();
    until("it has the item in hand", || Arc::strong_count(&item) == 3).await;
    slow.dispose();
    until("it has let go", || Arc::strong_count(&item) == 1).await;
}
