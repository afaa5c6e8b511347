//! Panics of whatever the user brings: clones, closures, keys, operators, methods, sinks. None ends the element.

use super::{SOON, collect, one_loop, pass, until};
use futures::stream;
use mape::element::{Call, CallError, State};
use mape::prelude::*;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// An item whose copy of 3 can't be made.
#[derive(Debug, PartialEq)]
struct Fragile(u64);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert_ne!(self.0, 3, "no copy of three");
        Self(self.0)
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(SOON, what).await.expect("it never happened")
}

#[tokio::test]
async fn a_clone_that_panics_costs_one_receiver_one_item_and_the_counters_still_add_up() {
    let (_app, l) = one_loop();
    let e = l.monitor("e").remember(2).map(Fragile).spawn().unwrap();
    e.start().unwrap();
    let (mut a, mut b) = (e.subscribe(), e.subscribe());
    assert!(e.pause());
    for x in 0..10 {
        e.push(x).await.unwrap();
    }
    e.resume();
    let mut got = (Vec::new(), Vec::new());
    while got.1.last() != Some(&9) {
        got.1.push(soon(b.next()).await.unwrap().0);
    }
    while got.0.last() != Some(&9) {
        got.0.push(soon(a.next()).await.unwrap().0);
    }
    assert_eq!(got.0, [0, 1, 2, 4, 5, 6, 7, 8, 9], "the one that gets copies");
    assert_eq!(got.1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "the one that gets the items");
    assert_eq!(e.state(), State::Running);
    assert!(e.info().errors >= 1);
    let s = a.stats();
    assert_eq!(s.offered, s.received + s.dropped + s.skipped + s.queued as u64, "{s:?}");
    assert_eq!(e.info().output.emitted, 10);
}

#[tokio::test]
async fn a_function_that_panics_before_its_future_holds_up_no_key_and_no_order() {
    let (_app, l) = one_loop();
    let f = |x: u64, out: Emitter<u64>| {
        assert!(!x.is_multiple_of(3), "three");
        async move {
            tokio::task::yield_now().await;
            out.emit(x).await;
        }
    };
    let ordered = l.execute("ordered").each_ordered(2, f).spawn().unwrap();
    let unordered = l.execute("unordered").each_unordered(2, f).spawn().unwrap();
    let keyed = l.execute("keyed").each_keyed(2, |_| 0, f).spawn().unwrap();
    for e in [ordered, unordered, keyed] {
        let out = e.subscribe();
        e.feed(stream::iter(0..20));
        let mut got: Vec<_> = timeout(Duration::from_secs(5), out.collect()).await.expect("it stands still");
        got.sort_unstable();
        assert_eq!(got, (0..20).filter(|x| x % 3 != 0).collect::<Vec<_>>(), "{e}");
        assert_eq!(e.info().errors, 7, "{e}");
    }
}

#[tokio::test]
async fn a_key_that_panics_costs_only_its_item() {
    let (_app, l) = one_loop();
    let e = l
        .execute("e")
        .each_keyed(
            4,
            |x: &u64| {
                assert_ne!(*x, 5, "five");
                x % 2
            },
            async |x: u64, out: Emitter<u64>| {
                tokio::task::yield_now().await;
                out.emit(x).await;
            },
        )
        .spawn()
        .unwrap();
    let out = e.subscribe();
    e.feed(stream::iter(0..20));
    let mut got: Vec<_> = soon(out.collect()).await;
    got.sort_unstable();
    assert_eq!(got, (0..20).filter(|x| *x != 5).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_operator_on_a_link_that_panics_is_built_anew_and_costs_only_its_item() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let (last, got) = collect::<u64>(&l, "last");
    source
        .link_ops(&last, LinkOptions::new(), |s| {
            s.map(|x| {
                assert_ne!(x, 3, "three");
                x
            })
        })
        .unwrap();
    assert!(last.pause());
    for x in 0..10 {
        source.push(x).await.unwrap();
    }
    until("all are on the link", || last.info().input.queued == 10).await;
    last.resume();
    until("the others arrive", || got.lock().len() == 9).await;
    assert_eq!(*got.lock(), [0, 1, 2, 4, 5, 6, 7, 8, 9]);
    assert_eq!(last.info().errors, 1);
    source.complete();
    soon(last.wait_for_state(|s| s == State::Completed)).await;
}

#[tokio::test]
async fn a_stream_fed_in_that_panics_is_over() {
    let (_app, l) = one_loop();
    let (last, got) = collect::<u64>(&l, "last");
    last.feed(stream::iter(0..10).map(|x| {
        assert_ne!(x, 3, "three");
        x
    }));
    soon(last.wait_for_state(|s| s == State::Completed)).await;
    assert_eq!(*got.lock(), [0, 1, 2]);
    assert_eq!(last.info().errors, 1);
}

#[tokio::test]
async fn a_method_that_panics_has_failed_and_the_next_call_is_answered() {
    let (_app, l) = one_loop();
    let target = l
        .execute("target")
        .export("half", |x: u64| {
            assert!(x.is_multiple_of(2), "odd");
            Ok::<_, BoxError>(x / 2)
        })
        .act(|_: u64| ())
        .spawn()
        .unwrap();
    assert!(matches!(target.call::<u64>("half", 3).await, Err(CallError::Failed { .. })));
    let caller = pass::<Call>(&l, "caller");
    caller.link_calls(&target).unwrap();
    let (bad, bad_reply) = Call::new("half", 5).with_reply::<u64>();
    let (good, good_reply) = Call::new("half", 8).with_reply::<u64>();
    caller.push(bad).await.unwrap();
    caller.push(good).await.unwrap();
    let failed = soon(bad_reply.get()).await.unwrap_err();
    assert!(failed.to_string().contains("odd"), "{failed}");
    assert_eq!(soon(good_reply.get()).await, Ok(4));
}

#[tokio::test]
async fn a_sink_that_panics_is_an_error_of_the_element() {
    let (_app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    let sink = futures::sink::unfold((), |(), x: u64| async move {
        assert_ne!(x, 3, "three");
        Ok::<_, std::io::Error>(())
    });
    e.link_sink(sink, LinkOptions::new()).unwrap();
    for x in 0..10 {
        e.push(x).await.unwrap();
    }
    until("it is told", || e.info().errors == 1).await;
    assert_eq!(e.state(), State::Running);
}

/// Panics when it is dropped.
struct Bomb(Arc<Mutex<u32>>);

impl Drop for Bomb {
    fn drop(&mut self) {
        *self.0.lock() += 1;
        panic!("dropped");
    }
}

#[tokio::test]
async fn operators_whose_drop_panics_do_not_end_the_element() {
    let (_app, l) = one_loop();
    let dropped = Arc::new(Mutex::new(0));
    let bombs = dropped.clone();
    let e = l
        .monitor("e")
        .ops_in(move |s| {
            let bomb = Bomb(bombs.clone());
            s.map(move |x: u64| {
                let _kept = &bomb;
                x
            })
        })
        .map(|x: u64| x)
        .spawn()
        .unwrap();
    e.start().unwrap();
    let mut out = e.subscribe();
    e.push(1).await.unwrap();
    assert_eq!(soon(out.next()).await, Some(1));
    e.restart();
    e.push(2).await.unwrap();
    assert_eq!(soon(out.next()).await, Some(2));
    assert_eq!(*dropped.lock(), 1);
    e.complete();
    assert!(soon(out.next()).await.is_none());
    assert_eq!(soon(e.ended()).await, State::Completed);
}
