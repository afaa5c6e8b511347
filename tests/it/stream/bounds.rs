//! Nobody is starved: an operator that swallows items of a source that is always ready lets others run.

use super::schedule::{ms, run};
use futures::{Stream, StreamExt, stream};
use mape::stream::Operators;
use std::cell::Cell;

/// Polls beside another future, which must get its turn.
fn lets_others_run<S: Stream>(name: &str, operator: impl FnOnce(stream::Repeat<u32>) -> S) {
    let polls = Cell::new(0);
    run(async {
        let swallowing = async {
            let mut stream = std::pin::pin!(operator(stream::repeat(7)));
            while stream.next().await.is_some() {}
        };
        let other = async {
            for _ in 0..10 {
                polls.set(polls.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = swallowing => panic!("{name} ended"),
            () = other => {}
        }
    });
    assert_eq!(polls.get(), 10);
}

#[test]
fn operators_that_swallow_items_let_others_run() {
    lets_others_run("debounce", |source| source.debounce(ms(1000)));
    lets_others_run("throttle_trailing", |source| source.throttle_trailing(ms(1000)));
    lets_others_run("throttle_both", |source| source.throttle_both(ms(1000)).skip(1));
    lets_others_run("throttle_leading", |source| source.throttle_leading(ms(1000)).skip(1));
    lets_others_run("sample", |source| source.sample(ms(1000)));
    lets_others_run("skip_for", |source| source.skip_for(ms(1000)));
    lets_others_run("buffer_time", |source| source.buffer_time(ms(1000)));
    lets_others_run("buffer_session", |source| source.buffer_session(ms(1000)).capacity(usize::MAX));
    lets_others_run("group_by", |source| source.group_by(|n| *n, None).skip(1));
    lets_others_run("window_time", |source| source.window_time(ms(1000)).skip(1));
}
