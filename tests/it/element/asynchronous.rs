//! Asynchronous functions: order, limits, keys, state.

use super::{SOON, one_loop, until};
use futures::stream;
use mape::prelude::*;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// Counts how many are inside at a time, and the most there ever were.
#[derive(Clone, Default)]
struct Inside(Arc<(AtomicUsize, AtomicUsize)>);

impl Inside {
    async fn work(&self, time: Duration) {
        let now = self.0.0.fetch_add(1, SeqCst) + 1;
        self.0.1.fetch_max(now, SeqCst);
        tokio::time::sleep(time).await;
        self.0.0.fetch_sub(1, SeqCst);
    }
    fn most(&self) -> usize {
        self.0.1.load(SeqCst)
    }
}

/// Early items take longest, so that order is not kept by accident.
fn time_for(x: u64) -> Duration {
    Duration::from_millis(100 - x)
}

async fn run(
    l: &Loop,
    uid: &str,
    build: impl FnOnce(Inside) -> Element<u64, u64>,
) -> (Vec<u64>, usize, Duration) {
    let inside = Inside::default();
    let e = build(inside.clone());
    let out = e.subscribe();
    let start = tokio::time::Instant::now();
    e.feed(stream::iter(0..100));
    let all: Vec<u64> = out.collect().await;
    assert_eq!(e.uid(), uid);
    let _ = l;
    (all, inside.most(), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn one_call_at_a_time_keeps_the_order() {
    let (_app, l) = one_loop();
    let (all, most, _) = run(&l, "e", |inside| {
        l.execute("e")
            .each_async(move |x: u64, out: Emitter<u64>| {
                let inside = inside.clone();
                async move {
                    inside.work(time_for(x)).await;
                    out.emit(x).await;
                }
            })
            .spawn()
            .unwrap()
    })
    .await;
    assert!(all.into_iter().eq(0..100));
    assert_eq!(most, 1);
}

#[tokio::test(start_paused = true)]
async fn ordered_calls_run_side_by_side_up_to_the_limit_and_come_out_in_order() {
    let (_app, l) = one_loop();
    let (all, most, took) = run(&l, "e", |inside| {
        l.execute("e")
            .each_ordered(8, move |x: u64, out: Emitter<u64>| {
                let inside = inside.clone();
                async move {
                    out.emit(x).await;
                    inside.work(time_for(x)).await;
                    out.emit(x + 1000).await;
                }
            })
            .spawn()
            .unwrap()
    })
    .await;
    let expected: Vec<u64> = (0..100).flat_map(|x| [x, x + 1000]).collect();
    assert_eq!(all, expected);
    assert_eq!(most, 8);
    let one_by_one: Duration = (0..100).map(time_for).sum();
    assert!(took < one_by_one / 6, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn results_that_are_emitted_together_keep_their_order_and_wait_for_room() {
    let (_app, l) = one_loop();
    let (all, most, _) = run(&l, "e", |inside| {
        l.execute("e")
            .each_ordered(8, move |x: u64, out: Emitter<u64>| {
                let inside = inside.clone();
                async move {
                    inside.work(time_for(x)).await;
                    // More than there is room for at once, one more, and none.
                    assert!(out.emit_all((0..600).map(|n| x * 1000 + n)).await);
                    assert!(out.emit(x * 1000 + 600).await);
                    assert!(out.emit_all([]).await);
                }
            })
            .spawn()
            .unwrap()
    })
    .await;
    assert!(all.into_iter().eq((0..100).flat_map(|x| (0..=600).map(move |n| x * 1000 + n))));
    assert_eq!(most, 8);
}

#[tokio::test]
async fn results_that_nobody_will_take_any_more_are_dropped_and_told() {
    let (_app, l) = one_loop();
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = Arc::new(Mutex::new(Some(tell)));
    let e = l
        .execute("e")
        .each_async(move |_: u64, out: Emitter<u64>| {
            let tell = tell.clone();
            async move {
                tokio::spawn(async move {
                    // Nobody takes more than there is room for.
                    let all = out.emit_all(0..100_000).await;
                    tell.lock().take().unwrap().send(all).unwrap();
                });
            }
        })
        .spawn()
        .unwrap();
    let out = e.subscribe_with(mape::element::LinkOptions::default().capacity(4)).unwrap();
    e.push(1).await.unwrap();
    crate::suite::eventually("it waits for room", || async { out.stats().queued == 4 }).await;
    e.dispose();
    drop(out);
    assert!(!told.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn unordered_calls_come_out_as_they_end_and_keep_the_limit() {
    let (_app, l) = one_loop();
    let (mut all, most, _) = run(&l, "e", |inside| {
        l.execute("e")
            .each_unordered(8, move |x: u64, out: Emitter<u64>| {
                let inside = inside.clone();
                async move {
                    inside.work(time_for(x)).await;
                    out.emit(x).await;
                }
            })
            .spawn()
            .unwrap()
    })
    .await;
    assert_eq!(all[..8], [7, 6, 5, 4, 3, 2, 1, 0], "the shortest call of the first eight ends first");
    all.sort_unstable();
    assert!(all.into_iter().eq(0..100));
    assert_eq!(most, 8);
}

#[tokio::test(start_paused = true)]
async fn keyed_calls_keep_the_order_of_each_key_and_never_overlap_within_one() {
    let (_app, l) = one_loop();
    let per_key: Arc<Mutex<HashMap<u64, Inside>>> = Arc::default();
    let keys = per_key.clone();
    let (all, most, took) = run(&l, "e", |inside| {
        l.execute("e")
            .each_keyed(
                8,
                |x: &u64| x % 5,
                move |x: u64, out: Emitter<u64>| {
                    let (inside, own) = (inside.clone(), keys.lock().entry(x % 5).or_default().clone());
                    async move {
                        tokio::join!(inside.work(time_for(x)), own.work(time_for(x)));
                        out.emit(x).await;
                    }
                },
            )
            .spawn()
            .unwrap()
    })
    .await;
    for key in 0..5 {
        assert!(all.iter().copied().filter(|x| x % 5 == key).eq((0..100).filter(|x| x % 5 == key)));
        assert_eq!(per_key.lock()[&key].most(), 1);
    }
    assert_eq!((all.len(), most), (100, 5));
    let one_by_one: Duration = (0..100).map(time_for).sum();
    assert!(took < one_by_one / 4, "{took:?}");
}

#[tokio::test]
async fn a_limit_of_zero_is_a_typed_error() {
    let (_app, l) = one_loop();
    let error = l
        .execute("e")
        .each_ordered(0, async |x: u64, out: Emitter<u64>| {
            out.emit(x).await;
        })
        .spawn()
        .unwrap_err();
    assert_eq!(error.to_string(), "can't add `l.e`: the limit of calls at a time must be at least 1");
}

#[tokio::test]
async fn a_handler_keeps_its_state_over_errors_and_panics() {
    struct Count(u64);
    impl Handler for Count {
        type In = u64;
        type Out = u64;
        async fn on_item(&mut self, x: u64, out: &Emitter<u64>) -> Result<(), BoxError> {
            self.0 += 1;
            tokio::task::yield_now().await;
            assert!(x != 2, "two");
            if x == 3 {
                return Err("three".into());
            }
            out.emit(self.0).await;
            Ok(())
        }
    }
    let (_app, l) = one_loop();
    let e = l.analyze("e").handler(Count(0)).spawn().unwrap();
    let mut out = e.subscribe();
    for x in 1..=4 {
        e.push(x).await.unwrap();
    }
    assert_eq!((out.next().await, out.next().await), (Some(1), Some(4)));
    assert_eq!(e.info().errors, 2);
}

#[tokio::test]
async fn an_emitter_may_outlive_its_call_and_learns_when_the_element_is_gone() {
    let (_app, l) = one_loop();
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = Arc::new(Mutex::new(Some(tell)));
    let e = l
        .execute("e")
        .each_async(move |from: u64, out: Emitter<u64>| {
            let tell = tell.clone();
            async move {
                tokio::spawn(async move {
                    let mut x = from;
                    while out.emit(x).await {
                        x += 1;
                    }
                    let tell = tell.lock().take();
                    tell.unwrap().send(x).unwrap();
                });
            }
        })
        .spawn()
        .unwrap();
    let mut out = e.subscribe();
    e.push(100).await.unwrap();
    for x in 100..1_000 {
        assert_eq!(out.next().await, Some(x));
    }
    e.dispose();
    drop(out);
    assert!(tokio::time::timeout(SOON, told).await.unwrap().unwrap() >= 1_000);
}

#[tokio::test]
async fn an_async_function_that_only_acts_has_no_output_to_fill() {
    let (_app, l) = one_loop();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    let e = l
        .execute("e")
        .act_async(move |_: u64| {
            let count = count.clone();
            async move {
                count.fetch_add(1, SeqCst);
            }
        })
        .spawn()
        .unwrap();
    e.feed(stream::iter(0..5_000));
    until("all are done", || seen.load(SeqCst) == 5_000).await;
    assert!(e.info().acts_only);
}
