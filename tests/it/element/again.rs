//! Beginning anew: starts after completion, stops and drains that cross, and sources that come and go meanwhile.

use super::{SOON, collect, one_loop, pass, until};
use futures::stream;
use mape::element::{Overflow, State};
use mape::prelude::*;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn what_has_completed_and_is_started_waits_for_new_sources() {
    let (_app, l) = one_loop();
    let (a, b) = (pass::<u64>(&l, "a"), pass::<u64>(&l, "b"));
    a.link(&b).unwrap();
    a.complete();
    b.wait_for_state(|s| s == State::Completed).await;
    b.start().unwrap();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(b.state(), State::Running, "it is not over before anything came");
    a.start().unwrap();
    let mut out = b.subscribe();
    a.push(7).await.unwrap();
    assert_eq!(timeout(SOON, out.next()).await.unwrap(), Some(7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_fed_in_goes_on_whenever_a_stopped_element_is_started() {
    let (_app, l) = one_loop();
    for round in 0..3_000 {
        let (all, _) = collect::<u64>(&l, "all");
        all.stop();
        all.feed(stream::iter(0..3));
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        all.start().unwrap();
        let ended = timeout(Duration::from_secs(5), all.wait_for_state(|s| s == State::Completed)).await;
        assert!(ended.is_ok(), "round {round}: the stream was never asked again");
        l.remove("all");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_lives_again_however_soon_its_sender_begins_anew() {
    let (_app, l) = one_loop();
    let source = l.monitor("source").map(|x: u64| x).spawn().unwrap();
    let (last, got) = collect::<u64>(&l, "last");
    let _held = last.sink();
    source.link(&last).unwrap();
    for round in 1..=3_000 {
        source.start().unwrap();
        source.feed(stream::iter(0..2));
        let ended = timeout(Duration::from_secs(5), source.wait_for_state(|s| s == State::Completed)).await;
        assert!(ended.is_ok(), "round {round}: the sender did not complete");
    }
    until("every round arrives", || got.lock().len() == 6_000).await;
}

#[tokio::test]
async fn a_port_counts_a_link_that_lives_again_once() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let (last, got) = collect::<u64>(&l, "last");
    let _held = last.sink();
    source.link_with(&last, LinkOptions::new().capacity(2).overflow(Overflow::DropNewest)).unwrap();
    assert!(last.pause());
    for x in 0..5 {
        source.push(x).await.unwrap();
    }
    until("all were emitted", || source.info().output.emitted == 5).await;
    last.resume();
    until("two arrive", || got.lock().len() == 2).await;
    source.complete();
    until("the link has ended", || last.info().input.sources == 1).await;
    assert_eq!(last.info().input.dropped, 3);
    source.start().unwrap();
    source.push(9).await.unwrap();
    until("the link lives again", || got.lock().len() == 3).await;
    assert_eq!(last.info().input.dropped, 3);
}

#[tokio::test]
async fn a_link_whose_receiver_was_stopped_at_its_end_carries_again() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let (last, got) = collect::<u64>(&l, "last");
    let _held = last.sink();
    source.link(&last).unwrap();
    last.stop();
    source.complete();
    until("the link has ended", || last.info().input.sources == 1).await;
    last.start().unwrap();
    source.start().unwrap();
    source.push(1).await.unwrap();
    until("it arrives", || source.info().output.emitted == 1 && last.info().input.queued == 0).await;
    until("it is not skipped", || got.lock().len() == 1).await;
}

#[tokio::test]
async fn drain_works_off_links_with_operators_too() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let (last, got) = collect::<u64>(&l, "last");
    source.link_ops(&last, LinkOptions::new(), |s| s.map(|x| x + 1)).unwrap();
    assert!(last.pause());
    for x in 0..500 {
        source.push(x).await.unwrap();
    }
    until("all are on the link", || last.info().input.queued == 500).await;
    last.drain(SOON).await.unwrap();
    assert_eq!((got.lock().len(), last.info().input.skipped), (500, 0));
}

#[tokio::test]
async fn an_element_started_while_its_drain_ends_goes_on() {
    let (_app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    let mut out = e.subscribe_with(LinkOptions::new().capacity(1)).unwrap();
    assert!(e.pause());
    for x in 0..10 {
        e.push(x).await.unwrap();
    }
    assert!(e.drain(Duration::ZERO).await.is_err());
    until("it is held up", || e.info().output.links[0].stats.blocked.is_some()).await;
    // All input is taken; only what came out waits. Now it is stopped and started before that is gone.
    e.stop();
    e.start().unwrap();
    for x in 0..10 {
        assert_eq!(timeout(SOON, out.next()).await.unwrap(), Some(x));
    }
    e.push(10).await.unwrap();
    assert_eq!(timeout(SOON, out.next()).await.unwrap(), Some(10), "it has not completed");
}

#[tokio::test]
async fn a_drain_that_is_stopped_at_its_end_completes_nothing() {
    let (_app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    let mut out = e.subscribe_with(LinkOptions::new().capacity(1)).unwrap();
    assert!(e.pause());
    for x in 0..10 {
        e.push(x).await.unwrap();
    }
    assert!(e.drain(Duration::ZERO).await.is_err());
    until("it is held up", || e.info().output.links[0].stats.blocked.is_some()).await;
    e.stop();
    for x in 0..10 {
        assert_eq!(timeout(SOON, out.next()).await.unwrap(), Some(x));
    }
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(e.state(), State::Stopped);
}

#[tokio::test]
async fn a_link_that_is_moved_keeps_the_overflow_rule_set_meanwhile() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let (a, _) = collect::<u64>(&l, "a");
    let (b, _) = collect::<u64>(&l, "b");
    let mut link = source.link(&a).unwrap();
    link.set_overflow(Overflow::DropOldest);
    link.relink(&b).unwrap();
    assert_eq!(link.stats().overflow, Overflow::DropOldest);
}

#[tokio::test]
async fn resume_is_felt_behind_operators_that_wake_their_parts_alone() {
    let (_app, l) = one_loop();
    let e = l
        .monitor("e")
        .map(|x: u64| x)
        .ops_out(|s| stream::select_all([s.boxed(), stream::pending().boxed()]))
        .spawn()
        .unwrap();
    e.start().unwrap();
    let mut out = e.subscribe();
    e.push(1).await.unwrap();
    assert_eq!(timeout(SOON, out.next()).await.unwrap(), Some(1));
    assert!(e.pause());
    e.push(2).await.unwrap();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(e.resume());
    assert_eq!(timeout(Duration::from_secs(3), out.next()).await.unwrap(), Some(2));
}

#[tokio::test]
async fn errors_pass_operators_on_a_link_that_wake_their_parts_alone() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let target = l.plan("target").map(|x: u64| x).spawn().unwrap();
    source
        .link_ops(&target, LinkOptions::new(), |s| stream::select_all([s.boxed(), stream::pending().boxed()]))
        .unwrap();
    let mut out = target.subscribe();
    source.push(1).await.unwrap();
    assert_eq!(timeout(SOON, out.next()).await.unwrap(), Some(1));
    source.push_error("broken");
    assert!(timeout(SOON, out.next_signal()).await.unwrap().unwrap().is_err());
    source.push(2).await.unwrap();
    assert_eq!(timeout(Duration::from_secs(3), out.next()).await.unwrap(), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_made_while_its_receiver_completes_is_not_dead() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    for round in 0..2_000 {
        let (last, got) = collect::<u64>(&l, "last");
        last.feed(stream::iter(0..1));
        let link = source.link(&last).unwrap();
        source.push(round).await.unwrap();
        let start = std::time::Instant::now();
        while got.lock().len() < 2 {
            assert!(start.elapsed() < Duration::from_secs(5), "round {round}: {:?} {:?}", last, link.stats());
            tokio::task::yield_now().await;
        }
        l.remove("last");
    }
}

#[tokio::test]
async fn a_failing_call_puts_its_results_before_its_error() {
    let (_app, l) = one_loop();
    let call = l
        .execute("call")
        .each_async(async |x: u64, out: Emitter<u64>| {
            out.emit(x).await;
            out.emit(x + 1).await;
            Err::<(), _>("odd")
        })
        .spawn()
        .unwrap();
    let sync = l
        .execute("sync")
        .each(|x: u64, out| {
            out.emit_all([x, x + 1]);
            Err::<(), _>("odd")
        })
        .ops_out(|s| s.map(|x| x))
        .spawn()
        .unwrap();
    for e in [call, sync] {
        let mut out = e.subscribe();
        e.push(1).await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..3 {
            let signal = timeout(SOON, out.next_signal()).await.unwrap().unwrap();
            seen.push(signal.map_err(|error| error.kind.to_string()));
        }
        assert_eq!(seen, [Ok(1), Ok(2), Err("failed: odd".into())], "{e}");
    }
}

#[tokio::test]
async fn linking_within_a_link_s_operators_does_not_stand_still() {
    let (_app, l) = one_loop();
    let (source, other) = (pass::<u64>(&l, "source"), pass::<u64>(&l, "other"));
    let (last, got) = collect::<u64>(&l, "last");
    let tap = last.tap_in(8);
    // What a tap brings can be fed to the very element that it watches.
    let echo = tap.filter(|x| std::future::ready(*x < 3)).map(|x| x + 1);
    last.feed(echo);
    source.link(&last).unwrap();
    other.feed(source.tap_out(8));
    other.link(&last).unwrap();
    source.push(1).await.unwrap();
    until("1, 2 and 3, twice", || got.lock().len() == 6).await;
}
