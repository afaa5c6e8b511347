//! Links: nothing lost or doubled, order, policies, rings.

use super::{SOON, collect, one_loop, pass, until};
use futures::stream;
use mape::element::{LinkError, LinkOptions, Overflow, State};
use mape::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relink_under_load_delivers_every_item_exactly_once_and_in_order() {
    const N: u64 = 500_000;
    let (app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let (a, in_a) = collect::<u64>(&l, "a");
    let (b, in_b) = collect::<u64>(&l, "b");
    let (all, in_all) = collect::<u64>(&l, "all");
    let mut link = source.link(&a).unwrap();
    source.link(&all).unwrap();
    let mut sink = source.sink();
    let pushing = tokio::spawn(async move {
        sink.send_all(&mut stream::iter((0..N).map(Ok))).await.unwrap();
    });
    let mut relinks = 0;
    while !pushing.is_finished() {
        relinks += 1;
        if link.relink(if relinks % 2 == 1 { &b } else { &a }).is_err() {
            break;
        }
        // A subscriber that comes and goes disturbs nobody.
        let mut visitor = source.subscribe_with(LinkOptions::new().capacity(16)).unwrap();
        if relinks % 3 == 0 {
            let two = async { (visitor.next().await, visitor.next().await) };
            match tokio::time::timeout(SOON, two).await {
                Ok((Some(x), Some(y))) => assert_eq!(x + 1, y),
                Ok(_) => {}
                // It came when the last had been emitted.
                Err(_) => assert!(pushing.is_finished(), "a subscriber hears nothing"),
            }
        }
        drop(visitor);
        tokio::task::yield_now().await;
    }
    pushing.await.unwrap();
    assert!(app.shutdown(SOON).await.is_clean());
    let (in_a, in_b, in_all) = (in_a.lock(), in_b.lock(), in_all.lock());
    assert!(relinks > 10 && !in_a.is_empty() && !in_b.is_empty(), "{relinks} relinks");
    assert!(in_all.iter().copied().eq(0..N), "the link that stayed got something else");
    assert_eq!(in_a.len() + in_b.len(), usize::try_from(N).unwrap());
    assert_eq!(in_a.iter().chain(&*in_b).collect::<HashSet<_>>().len(), usize::try_from(N).unwrap());
    assert!(in_a.windows(2).all(|w| w[0] < w[1]) && in_b.windows(2).all(|w| w[0] < w[1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unlink_delivers_what_was_emitted_and_nothing_after() {
    let (app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    for round in 0..200 {
        let (target, got) = collect::<u64>(&l, &format!("t{round}"));
        let link = source.link(&target).unwrap();
        let mut seen = source.subscribe_with(LinkOptions::new().capacity(1)).unwrap();
        for i in 0..20 {
            source.push(round * 20 + i).await.unwrap();
            assert_eq!(seen.next().await, Some(round * 20 + i));
        }
        assert!(link.unlink());
        assert!(!link.unlink(), "a link can be cut once");
        source.push(u64::MAX).await.unwrap();
        assert_eq!(seen.next().await, Some(u64::MAX));
        drop(seen);
        until("all that was emitted arrives", || got.lock().len() >= 20).await;
        assert!(got.lock().iter().copied().eq(round * 20..round * 20 + 20));
    }
    assert!(app.shutdown(SOON).await.is_clean());
}

#[tokio::test]
async fn back_pressure_reaches_the_source() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let open = gate.clone();
    let slow = l
        .execute("slow")
        .each_async(move |x: u64, out: Emitter<u64>| {
            let gate = open.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                out.emit(x).await;
            }
        })
        .spawn()
        .unwrap();
    source.link_with(&slow, LinkOptions::new().capacity(8)).unwrap();
    let mut got = slow.subscribe_with(LinkOptions::new().capacity(8)).unwrap();
    let sent = Arc::new(AtomicU64::new(0));
    let (count, into) = (sent.clone(), source.clone());
    let pushing = tokio::spawn(async move {
        for i in 0..100_000 {
            into.push(i).await.unwrap();
            count.fetch_add(1, Relaxed);
        }
    });
    for i in 0..200 {
        gate.add_permits(1);
        assert_eq!(got.next().await, Some(i));
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    // Twice the entry queue (one queued, one taken), a batch under way, twice the link.
    assert!(sent.load(Relaxed) <= 200 + 2 * 1024 + 256 + 2 * 8 + 1, "{}", sent.load(Relaxed));
    pushing.abort();
}

#[tokio::test]
async fn each_overflow_policy_keeps_what_it_says_and_the_counters_add_up() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let with = |options| source.subscribe_with(options).unwrap();
    let mut latest = with(LinkOptions::latest());
    let mut oldest = with(LinkOptions::newest(3));
    let mut newest = with(LinkOptions::new().capacity(3).overflow(Overflow::DropNewest));
    let (all, got) = collect::<u64>(&l, "all");
    source.link(&all).unwrap();
    for i in 0..10 {
        source.push(i).await.unwrap();
    }
    until("all ten arrive", || got.lock().len() == 10).await;
    for (subscription, kept) in [(&latest, 1), (&oldest, 3), (&newest, 3)] {
        let s = subscription.stats();
        assert_eq!((s.offered, s.queued, s.dropped), (10, kept, 10 - kept as u64));
    }
    let take = |s: &mut Subscription<u64>| std::iter::from_fn(|| s.try_next()).collect::<Vec<_>>();
    assert_eq!(take(&mut latest), [9]);
    assert_eq!(take(&mut oldest), [7, 8, 9]);
    assert_eq!(take(&mut newest), [0, 1, 2]);
    for s in [latest.stats(), oldest.stats(), newest.stats()] {
        assert_eq!(s.offered, s.received + s.dropped + s.skipped + s.queued as u64);
    }
}

#[tokio::test]
async fn a_stuck_subscriber_shows_and_can_be_isolated() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let stuck = source.subscribe_with(LinkOptions::new().capacity(8)).unwrap();
    let (good, got) = collect::<u64>(&l, "good");
    source.link(&good).unwrap();
    let into = source.clone();
    let pushing = tokio::spawn(async move {
        for i in 0..10_000 {
            into.push(i).await.unwrap();
        }
    });
    until("the subscriber holds its sender up", || stuck.stats().blocked.is_some()).await;
    assert!(got.lock().len() < 10_000);
    let shown = source.info().output.links;
    let id = shown.iter().find(|link| link.stats.blocked.is_some()).expect("the topology shows it").id;
    assert!(source.set_overflow(id, Overflow::DropNewest));
    pushing.await.unwrap();
    until("the other one gets everything", || got.lock().len() == 10_000).await;
    assert!(got.lock().iter().copied().eq(0..10_000));
    let s = stuck.stats();
    assert_eq!((s.queued, s.offered), (8, 10_000));
    assert_eq!(s.dropped, 10_000 - 8);
}

#[tokio::test]
async fn unlinking_a_stuck_receiver_frees_its_sender_and_loses_nothing() {
    let (_app, l) = one_loop();
    let source = pass::<u64>(&l, "source");
    let (stuck, got) = collect::<u64>(&l, "stuck");
    assert!(stuck.pause());
    let link = source.link_with(&stuck, LinkOptions::new().capacity(4)).unwrap();
    let mut rest = source.subscribe();
    for i in 0..20 {
        source.push(i).await.unwrap();
    }
    until("the link is full", || link.stats().blocked.is_some()).await;
    link.unlink();
    source.push(20).await.unwrap();
    let mut last = None;
    while last != Some(20) {
        last = rest.next().await;
    }
    stuck.resume();
    until("what was emitted before arrives", || got.lock().len() >= 20).await;
    assert!(got.lock().iter().copied().eq(0..20), "{:?}", got.lock());
}

#[tokio::test]
async fn a_ring_of_waiting_links_is_refused_when_it_is_closed() {
    let (_app, l) = one_loop();
    let (a, b, c) = (pass::<u64>(&l, "a"), pass::<u64>(&l, "b"), pass::<u64>(&l, "c"));
    a.link(&b).unwrap();
    b.link(&c).unwrap();
    let error = c.link(&a).unwrap_err();
    let LinkError::WaitingRing { ring } = &error else { panic!("{error}") };
    assert_eq!(ring.iter().map(ToString::to_string).collect::<Vec<_>>(), ["l.c", "l.a", "l.b", "l.c"]);
    assert!(error.to_string().contains("l.c → l.a → l.b → l.c"), "{error}");
    assert!(matches!(a.link(&a), Err(LinkError::WaitingRing { .. })), "also a ring of one");
    c.link_with(&a, LinkOptions::latest()).unwrap();
    c.link_with(&a, LinkOptions::new().feedback()).unwrap();
    // A link that is moved doesn't count as where it was.
    let (d, e) = (pass::<u64>(&l, "d"), pass::<u64>(&l, "e"));
    let mut link = d.link(&e).unwrap();
    assert!(matches!(link.relink(&d), Err(LinkError::WaitingRing { .. })));
    assert_eq!(link.target().unwrap(), e.any(), "a link that may not move stays");
}

#[tokio::test]
async fn a_link_across_apps_or_without_room_is_a_typed_error() {
    let ((_one, l), (_two, m)) = (one_loop(), one_loop());
    let (a, b) = (pass::<u64>(&l, "a"), pass::<u64>(&m, "b"));
    assert!(matches!(a.link(&b), Err(LinkError::AcrossApps { .. })));
    let c = pass::<u64>(&l, "c");
    assert_eq!(a.link_with(&c, LinkOptions::new().capacity(0)).unwrap_err(), LinkError::ZeroCapacity);
    assert_eq!(a.subscribe_with(LinkOptions::new().capacity(0)).unwrap_err(), LinkError::ZeroCapacity);
    c.dispose();
    assert!(matches!(a.link(&c), Err(LinkError::Disposed { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fan_in_keeps_the_order_of_every_link() {
    let (app, l) = one_loop();
    let (all, got) = collect::<(u8, u64)>(&l, "all");
    for k in 0..4 {
        let from = l.monitor(&format!("m{k}")).map(move |x: u64| (k, x)).spawn().unwrap();
        from.start().unwrap();
        from.link_with(&all, LinkOptions::new().capacity(32)).unwrap();
        from.feed(stream::iter(0..20_000));
    }
    assert_eq!(all.wait_for_state(|s| s == State::Completed).await, State::Completed);
    assert_eq!(got.lock().len(), 80_000);
    for k in 0..4 {
        assert!(got.lock().iter().filter(|x| x.0 == k).map(|x| x.1).eq(0..20_000));
    }
    assert!(app.shutdown(SOON).await.is_clean());
}

#[tokio::test]
async fn a_port_takes_thousands_of_links() {
    let (app, l) = one_loop();
    let (all, got) = collect::<u64>(&l, "all");
    let sources: Vec<_> = (0..3_000).map(|i| pass::<u64>(&l, &format!("s{i}"))).collect();
    for source in &sources {
        source.link(&all).unwrap();
    }
    for (i, source) in (0..).zip(&sources) {
        source.push(i).await.unwrap();
    }
    until("one of each arrives", || got.lock().len() == 3_000).await;
    assert!(app.shutdown(SOON).await.is_clean());
}

#[tokio::test]
async fn operators_on_a_link_run_and_errors_pass_them() {
    let (_app, l) = one_loop();
    let source = l
        .monitor("source")
        .each(|x: u64, out: &mut mape::element::Out<u64>| {
            if x == 2 {
                return Err("two");
            }
            out.emit(x);
            Ok(())
        })
        .spawn()
        .unwrap();
    let target = l.plan("target").map(|x: String| x).spawn().unwrap();
    source.link_ops(&target, LinkOptions::new(), |s| s.map(|x| format!("v{x}"))).unwrap();
    let mut got = target.subscribe();
    source.start().unwrap();
    for x in 1..4 {
        source.push(x).await.unwrap();
    }
    assert_eq!(got.next_signal().await.unwrap().unwrap(), "v1");
    assert_eq!(got.next_signal().await.unwrap().unwrap_err().to_string(), "l.source: failed: two");
    assert_eq!(got.next_signal().await.unwrap().unwrap(), "v3");
}

#[tokio::test]
async fn late_subscribers_get_none_the_last_or_n() {
    let (_app, l) = one_loop();
    let source = l.monitor("source").remember(5).map(|x: u64| x).spawn().unwrap();
    source.start().unwrap();
    let mut first = source.subscribe();
    for x in 0..10 {
        source.push(x).await.unwrap();
        assert_eq!(first.next().await, Some(x));
    }
    let take = |replay| {
        let mut s = source.subscribe_with(LinkOptions::new().replay(replay)).unwrap();
        std::iter::from_fn(|| s.try_next()).collect::<Vec<_>>()
    };
    assert_eq!(take(0), [0u64; 0]);
    assert_eq!(take(1), [9]);
    assert_eq!(take(3), [7, 8, 9]);
    assert_eq!(take(99), [5, 6, 7, 8, 9]);
}
