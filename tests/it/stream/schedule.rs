//! Generated schedules, and what a stream makes of them.

use futures::Stream;
use mape::stream::testing::{Marbles, record};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pub(crate) type Items<T> = Vec<(u64, T)>;

/// Items with their times in ms, and when the stream ends.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) items: Items<u32>,
    pub(crate) end: u64,
    /// When the source is pending for a moment although it could give an item.
    pub(crate) hiccups: u64,
}

pub(crate) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) fn schedules() -> impl Strategy<Value = Schedule> {
    let gap = prop_oneof![2 => Just(0_u64), 5 => 1..6_u64, 1 => 6..25_u64];
    (proptest::collection::vec((gap, 0..10_u32), 0..40), 0..12_u64, any::<u64>()).prop_map(
        |(gaps, last_gap, hiccups)| {
            let mut time = 0;
            let items: Items<u32> = gaps
                .into_iter()
                .map(|(gap, value)| {
                    time += gap;
                    (time, value)
                })
                .collect();
            Schedule { items, end: time + last_gap, hiccups }
        },
    )
}

impl Schedule {
    pub(crate) fn values(&self) -> Vec<u32> {
        self.items.iter().map(|(_, value)| *value).collect()
    }

    pub(crate) fn stream(&self) -> Strict<Marbles<u32>> {
        let mut text = String::new();
        let mut frame = 0;
        let mut events = self.items.iter().peekable();
        while let Some((time, value)) = events.next() {
            let _ = write!(text, "{{{}}}([{value}]", time - frame);
            while let Some((_, same)) = events.next_if(|(other, _)| other == time) {
                let _ = write!(text, "[{same}]");
            }
            if *time == self.end {
                text.push('|');
            }
            text.push(')');
            frame = time + 1;
        }
        if !text.contains('|') {
            let _ = write!(text, "{{{}}}|", self.end - frame);
        }
        let stream = Marbles::parse(&text, |label| label.unwrap().parse().map_err(|_| "a number")).unwrap();
        Strict { stream, hiccups: self.hiccups, ended: false }
    }
}

/// A stream that is pending for a moment now and then, and panics when polled after its end.
pub(crate) struct Strict<S> {
    stream: S,
    hiccups: u64,
    ended: bool,
}

impl<S: Stream + Unpin> Stream for Strict<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        assert!(!self.ended, "polled after its end");
        self.hiccups = self.hiccups.rotate_left(1);
        if self.hiccups & 1 == 1 {
            self.hiccups &= !1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.stream).poll_next(cx);
        self.ended = matches!(polled, Poll::Ready(None));
        polled
    }
}

/// Runs a test's future in virtual time.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

/// What a stream gives, with times in ms, and when it ends.
pub(crate) fn observe<S: Stream>(make: impl FnOnce() -> S) -> (Items<S::Item>, u64) {
    run(async {
        let recording = record(make()).await;
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap();
        let items = recording.items.into_iter().map(|(time, item)| (millis(time), item)).collect();
        (items, millis(recording.ended.unwrap()))
    })
}
