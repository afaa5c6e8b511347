//! Nothing grows for ever, and everything ends and is freed.

use super::{SOON, one_loop, pass, until};
use mape::element::State;
use mape::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::time::timeout;

#[tokio::test]
async fn taps_events_and_dead_letters_end_with_what_they_watch() {
    let (app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    e.expose();
    let (mut input, mut output, mut letters) = (e.tap_in(4), e.tap_out(4), e.dead_letters());
    let mut json = app.door("l.e").unwrap().subscribe_json();
    let (mut events, mut all_letters) = (app.events(), app.dead_letters());
    e.push(1).await.unwrap();
    assert_eq!(timeout(SOON, output.next()).await.unwrap(), Some(1));
    assert_eq!(input.next().await, Some(1));
    assert_eq!(json.next().await.unwrap(), b"1");
    drop((l, app));
    let soon = std::time::Duration::from_secs(3);
    assert_eq!(timeout(soon, output.next()).await.expect("tap_out ends"), None);
    assert_eq!(timeout(soon, input.next()).await.expect("tap_in ends"), None);
    assert_eq!(timeout(soon, json.next()).await.expect("the door ends"), None);
    drop(e);
    tokio::task::yield_now().await;
    assert!(timeout(soon, letters.next()).await.expect("its dead letters end").is_none());
    assert!(timeout(soon, all_letters.next()).await.expect("the dead letters end").is_none());
    while timeout(soon, events.next()).await.expect("the events end").is_some() {}
}

#[tokio::test]
async fn a_tap_on_the_output_ends_when_the_element_completes() {
    let (_app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    let output = e.tap_out(4);
    e.push(1).await.unwrap();
    e.complete();
    assert_eq!(timeout(SOON, output.collect::<Vec<_>>()).await.unwrap(), [1]);
    assert_eq!(e.state(), State::Completed);
}

#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, SeqCst);
        Self(self.0.clone())
    }
}

#[tokio::test]
async fn dropped_subscribers_and_taps_leave_nothing_behind() {
    let (_app, l) = one_loop();
    let e = pass::<Counted>(&l, "e");
    for _ in 0..10_000 {
        drop(e.subscribe());
        drop((e.tap_out(1), e.tap_in(1)));
    }
    assert_eq!(e.info().output.links.len(), 0);
    let copies = Arc::new(AtomicUsize::new(0));
    for n in 1..=3 {
        e.push(Counted(copies.clone())).await.unwrap();
        until("it went through", || e.info().output.emitted == n).await;
    }
    assert!(e.info().output.unheard >= 2, "nobody is there");
    assert_eq!(copies.load(SeqCst), 0, "for nobody is copied");
}

#[tokio::test]
async fn everything_an_element_holds_is_freed_with_its_app() {
    let held = Arc::new(());
    let copy = || held.clone();
    let (app, l) = one_loop();
    let (in_method, in_function, in_ops, in_link) = (copy(), copy(), copy(), copy());
    let e = l
        .monitor("e")
        .export("ask", move |()| Ok::<_, BoxError>(Arc::strong_count(&in_method)))
        .ops_in(move |s| {
            let kept = in_ops.clone();
            s.map(move |x: u64| x + Arc::strong_count(&kept) as u64)
        })
        .map(move |x: u64| x + Arc::strong_count(&in_function) as u64)
        .spawn()
        .unwrap();
    e.expose();
    let other = pass::<u64>(&l, "other");
    e.link_ops(&other, LinkOptions::new(), move |s| {
        let kept = in_link.clone();
        s.map(move |x| x + Arc::strong_count(&kept) as u64)
    })
    .unwrap();
    other.link_with(&e, LinkOptions::latest()).unwrap();
    e.start().unwrap();
    e.push(1).await.unwrap();
    until("it runs", || other.info().input.received > 0).await;
    drop((e, other, l, app));
    until("all is freed", || Arc::strong_count(&held) == 1).await;
}

#[tokio::test]
async fn errors_that_nobody_reads_do_not_pile_up() {
    let (_app, l) = one_loop();
    let e = l.execute("e").try_map(|_: u64| Err::<u64, _>("no")).spawn().unwrap();
    let mut out = e.subscribe();
    for x in 0..20_000 {
        e.push(x).await.unwrap();
    }
    until("all have failed", || e.info().errors == 20_000).await;
    e.complete();
    let mut kept = 0;
    while timeout(SOON, out.next_signal()).await.unwrap().is_some() {
        kept += 1;
    }
    assert!((1..=2_048).contains(&kept), "{kept} errors were kept");
}

#[tokio::test]
async fn pushes_that_were_given_up_leave_no_waker_behind() {
    let (_app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    assert!(e.pause());
    while e.try_push(0).is_ok() {}
    let held = Arc::new(());
    for _ in 0..1_000 {
        let waker = std::task::Waker::from(Arc::new(Own(held.clone())));
        let mut push = std::pin::pin!(e.push(1));
        assert!(push.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
    }
    let kept = Arc::strong_count(&held) - 1;
    assert!(kept < 100, "{kept} wakers are kept");
}

/// A waker that is counted while anybody holds it.
struct Own(#[expect(dead_code, reason = "only its count matters")] Arc<()>);

impl std::task::Wake for Own {
    fn wake(self: Arc<Self>) {}
}
