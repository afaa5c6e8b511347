//! Start, stop, pause, drain, dispose, and starting again.

use super::{SOON, collect, one_loop, pass, until};
use futures::stream;
use mape::element::{PushError, StartError, StartPolicy, State};
use mape::prelude::*;
use std::time::Duration;

#[tokio::test]
async fn roles_start_as_in_pymape_and_each_can_be_told_otherwise() {
    let (_app, l) = one_loop();
    let m = l.monitor("m").map(|x: u8| x).spawn().unwrap();
    let a = l.analyze("a").map(|x: u8| x).spawn().unwrap();
    let p = l.plan("p").map(|x: u8| x).spawn().unwrap();
    let e = l.execute("e").map(|x: u8| x).spawn().unwrap();
    let states = || [&m, &a, &p, &e].map(|x| x.state());
    assert_eq!(states(), [State::Ready, State::Ready, State::Ready, State::Running]);
    let _heard = [&m, &a, &p, &e].map(|x| x.subscribe());
    assert_eq!(states(), [State::Ready, State::Running, State::Running, State::Running]);
    m.start().unwrap();
    assert_eq!(m.state(), State::Running);

    let at_once = l.monitor("at_once").start_policy(StartPolicy::AtOnce).map(|x: u8| x).spawn().unwrap();
    let on_subscribe =
        l.monitor("on_subscribe").start_policy(StartPolicy::OnSubscribe).map(|x: u8| x).spawn().unwrap();
    let manual = l.execute("manual").start_policy(StartPolicy::Manual).map(|x: u8| x).spawn().unwrap();
    let _heard = [on_subscribe.subscribe(), manual.subscribe()];
    let states = [&at_once, &on_subscribe, &manual].map(|x| x.state());
    assert_eq!(states, [State::Running, State::Running, State::Ready]);
}

#[tokio::test]
async fn starting_twice_is_an_error_that_names_the_element() {
    let (_app, l) = one_loop();
    let m = pass::<u8>(&l, "m");
    let error = m.start().unwrap_err();
    assert_eq!(error, StartError::AlreadyRunning { path: m.path() });
    assert_eq!(
        error.to_string(),
        "can't start `l.m`: it is running already (use `restart` for fresh operators)"
    );
    m.dispose();
    assert!(matches!(m.start(), Err(StartError::Disposed { .. })));
}

#[test]
fn starting_without_a_runtime_is_an_error_that_says_so() {
    let (_app, l) = one_loop();
    let m = l.monitor("m").map(|x: u8| x).spawn().unwrap();
    assert!(matches!(m.start(), Err(StartError::NoRuntime { .. })));
    assert!(l.execute("e").map(|x: u8| x).spawn().is_err());
    assert_eq!(l.elements().len(), 1, "what could not start is not entered");
}

#[tokio::test]
async fn a_push_into_what_is_not_running_gives_the_item_back_and_says_what_to_do() {
    let (_app, l) = one_loop();
    let m = l.monitor("m").map(|x: String| x).spawn().unwrap();
    let error = m.push("hello".into()).await.unwrap_err();
    assert_eq!(error.to_string(), "can't push into `l.m`: it is not started; start it first");
    assert_eq!(error.into_item(), "hello");
    m.dispose();
    assert!(matches!(m.push("x".into()).await, Err(PushError::Closed { .. })));
}

#[tokio::test]
async fn pause_keeps_what_comes_and_stop_skips_and_counts_it() {
    let (_app, l) = one_loop();
    let (source, e) = (pass::<u64>(&l, "source"), pass::<u64>(&l, "e"));
    let link = source.link(&e).unwrap();
    let (mut before, mut after) = (source.subscribe(), e.subscribe());
    assert!(e.pause());
    assert!(!e.pause());
    source.push(1).await.unwrap();
    e.push(2).await.unwrap();
    assert_eq!(before.next().await, Some(1));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(after.try_next(), None);
    assert!(e.resume());
    let mut both = [after.next().await.unwrap(), after.next().await.unwrap()];
    both.sort_unstable();
    assert_eq!(both, [1, 2]);
    e.stop();
    source.push(3).await.unwrap();
    assert_eq!(before.next().await, Some(3));
    assert!(e.push(4).await.is_err());
    e.start().unwrap();
    source.push(5).await.unwrap();
    assert_eq!(after.next().await, Some(5));
    assert_eq!(e.info().input.skipped, 1);
    let s = link.stats();
    assert_eq!((s.offered, s.received, s.skipped, s.queued), (3, 2, 1, 0));
}

#[tokio::test]
async fn a_stopped_element_lets_others_talk_over_its_ports() {
    let (_app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    let mut out = e.subscribe();
    e.stop();
    e.emit(7).await;
    assert_eq!(out.next().await, Some(7));
}

#[tokio::test]
async fn stop_lets_the_call_under_way_end_and_throws_away_what_it_had_not_begun() {
    let (_app, l) = one_loop();
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let inside = gate.clone();
    let wait = move |x: u64, out: Emitter<u64>| {
        let gate = inside.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            out.emit(x).await;
        }
    };
    let key = |_: &u64| ();
    for slow in [
        l.execute("slow").each_async(wait.clone()).spawn().unwrap(),
        l.execute("unordered").each_unordered(1, wait.clone()).spawn().unwrap(),
        l.execute("ordered").each_ordered(1, wait.clone()).spawn().unwrap(),
        l.execute("keyed").each_keyed(1, key, wait).spawn().unwrap(),
    ] {
        let mut out = slow.subscribe();
        for x in 0..50 {
            slow.push(x).await.unwrap();
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        slow.stop();
        until("they are skipped without waiting for the call", || slow.info().input.skipped == 49).await;
        gate.add_permits(1);
        assert_eq!(out.next().await, Some(0));
        slow.start().unwrap();
        slow.push(99).await.unwrap();
        gate.add_permits(1);
        assert_eq!(out.next().await, Some(99));
    }
}

#[tokio::test]
async fn completion_passes_on_and_everything_can_be_started_again() {
    let (_app, l) = one_loop();
    let source = l.monitor("source").map(|x: u64| x).spawn().unwrap();
    let sum = l
        .analyze("sum")
        .ops_in(|s| s.buffer_count(3))
        .map(|v: Vec<u64>| v.iter().sum::<u64>())
        .spawn()
        .unwrap();
    let (last, got) = collect::<u64>(&l, "last");
    source.link(&sum).unwrap();
    sum.link(&last).unwrap();
    for round in 1..=3 {
        source.start().unwrap();
        source.feed(stream::iter([1, 2, 3, 4]));
        last.wait_for_state(|s| s == State::Completed).await;
        assert_eq!(got.lock().len(), 2 * round);
        assert_eq!((source.state(), sum.state()), (State::Completed, State::Completed));
    }
    assert_eq!(*got.lock(), [6, 4, 6, 4, 6, 4], "a partial buffer comes out at the end of each round");
}

#[tokio::test]
async fn the_end_of_one_of_several_sources_ends_nothing() {
    let (_app, l) = one_loop();
    let (a, b) = (pass::<u64>(&l, "a"), pass::<u64>(&l, "b"));
    let (all, got) = collect::<u64>(&l, "all");
    a.link(&all).unwrap();
    b.link(&all).unwrap();
    a.push(1).await.unwrap();
    a.complete();
    a.wait_for_state(|s| s == State::Completed).await;
    b.push(2).await.unwrap();
    until("the other one goes on", || got.lock().len() == 2).await;
    assert_eq!(all.state(), State::Running);
    b.complete();
    assert_eq!(all.wait_for_state(|s| !s.is_active()).await, State::Completed);
}

#[tokio::test]
async fn drain_works_off_what_is_queued_then_stops_and_start_lets_it_go_on() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let slow = l
        .execute("slow")
        .each_async(async |x: u64, out: Emitter<u64>| {
            tokio::task::yield_now().await;
            out.emit(x).await;
        })
        .spawn()
        .unwrap();
    let (last, got) = collect::<u64>(&l, "last");
    source.link(&slow).unwrap();
    slow.link(&last).unwrap();
    for x in 0..500 {
        source.push(x).await.unwrap();
    }
    until("all are on their way", || source.info().output.emitted == 500).await;
    slow.drain(SOON).await.unwrap();
    assert_eq!(slow.state(), State::Stopped);
    until("all that was queued came out", || got.lock().len() == 500).await;
    assert_eq!(last.state(), State::Running, "a drained element hasn't completed");
    slow.start().unwrap();
    source.push(500).await.unwrap();
    until("its links are still there", || got.lock().len() == 501).await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_takes_too_long_names_the_element() {
    let (_app, l) = one_loop();
    let stuck =
        l.execute("stuck").act_async(async |_: u64| std::future::pending::<()>().await).spawn().unwrap();
    for x in 0..3 {
        stuck.push(x).await.unwrap();
    }
    tokio::task::yield_now().await;
    let error = stuck.drain(Duration::from_secs(5)).await.unwrap_err();
    assert!(error.to_string().starts_with("`l.stuck` did not finish within 5s; it is draining"), "{error}");
}

#[tokio::test]
async fn dispose_ends_at_once_and_cuts_its_links() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let gone = l
        .execute("gone")
        .each_async(async |_: u64, _: Emitter<u64>| std::future::pending::<()>().await)
        .spawn()
        .unwrap();
    let mut out = gone.subscribe();
    source.link_with(&gone, LinkOptions::new().capacity(1)).unwrap();
    for x in 0..10 {
        source.push(x).await.unwrap();
    }
    gone.dispose();
    assert_eq!(out.next().await, None);
    let mut rest = source.subscribe();
    source.push(10).await.unwrap();
    while rest.next().await != Some(10) {}
    until("the sender has let go", || source.info().output.links.len() == 1).await;
}

#[tokio::test]
async fn restart_builds_operators_anew_and_loses_no_queued_item() {
    let (_app, l) = one_loop();
    let e =
        l.monitor("e").ops_in(|s| s.scan_with(0, |n: &mut u64, x: u64| *n += x)).map(|x| x).spawn().unwrap();
    e.start().unwrap();
    let mut out = e.subscribe();
    for x in 1..=3 {
        e.push(x).await.unwrap();
        out.next().await.unwrap();
    }
    assert!(e.pause());
    for x in 1..=3 {
        e.push(x).await.unwrap();
    }
    e.restart();
    e.resume();
    assert_eq!((out.next().await, out.next().await, out.next().await), (Some(1), Some(3), Some(6)));
}

#[tokio::test(start_paused = true)]
async fn a_lone_item_needs_no_timer_and_operators_keep_virtual_time() {
    let (_app, l) = one_loop();
    let e = l
        .monitor("e")
        .ops_in(|s| s.distinct_until_changed())
        .map(|x: u64| x)
        .ops_out(|s| s.map(|x| x * 10))
        .spawn()
        .unwrap();
    e.start().unwrap();
    let late = l.plan("late").map(|x: String| x).spawn().unwrap();
    e.link_ops(&late, LinkOptions::new(), |s| s.debounce(Duration::from_millis(50)).map(|x| format!("v{x}")))
        .unwrap();
    let (mut now, mut debounced) = (e.subscribe(), late.subscribe());
    let start = tokio::time::Instant::now();
    for x in [1, 1, 2] {
        e.push(x).await.unwrap();
    }
    assert_eq!((now.next().await, now.next().await), (Some(10), Some(20)));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(debounced.next().await.unwrap(), "v20");
    assert_eq!(start.elapsed(), Duration::from_millis(50));
}

#[tokio::test]
async fn a_busy_element_lets_other_tasks_run() {
    let (_app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    let (all, got) = collect::<u64>(&l, "all");
    e.link(&all).unwrap();
    e.feed(stream::repeat(1));
    for _ in 0..50 {
        // On one thread this only ever returns if the two elements give way.
        tokio::task::yield_now().await;
    }
    until("it is busy", || got.lock().len() > 10_000).await;
    e.dispose();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_blocks_is_disposed_of_between_two_items() {
    let (_app, l) = one_loop();
    let (enter, entered) = std::sync::mpsc::channel();
    let (go, gate) = std::sync::mpsc::channel();
    let e = l
        .execute("e")
        .act(move |x: u64| {
            enter.send(x).unwrap();
            gate.recv().unwrap();
        })
        .spawn()
        .unwrap();
    for x in 0..5 {
        e.push(x).await.unwrap();
    }
    let entered = tokio::task::spawn_blocking(move || {
        assert_eq!(entered.recv(), Ok(0));
        entered
    })
    .await
    .unwrap();
    e.dispose();
    assert!(l.elements().is_empty(), "its uid is free again");
    go.send(()).unwrap();
    let after = tokio::task::spawn_blocking(move || entered.recv()).await.unwrap();
    assert!(after.is_err(), "it went on with {after:?}");
}
