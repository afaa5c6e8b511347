//! Operators of time: whatever comes at the instant of a deadline comes after it.

use super::schedule::{Items, Schedule, ms, observe, schedules};
use mape::stream::testing::{assert_marbles, fallible, marbles};
use mape::stream::{Operators, interval};
use proptest::prelude::*;

/// Walks through time: `deadline` first, then the items of each ms, then the end.
fn walk<St, T>(
    schedule: &Schedule,
    mut state: St,
    mut deadline: impl FnMut(&mut St, u64) -> Option<T>,
    mut item: impl FnMut(&mut St, u64, u32) -> Option<T>,
    mut end: impl FnMut(&mut St) -> Option<T>,
) -> (Items<T>, u64) {
    let mut out = Vec::new();
    for now in 0..=schedule.end {
        out.extend(deadline(&mut state, now).map(|it| (now, it)));
        for (_, value) in schedule.items.iter().filter(|(time, _)| *time == now) {
            out.extend(item(&mut state, now, *value).map(|it| (now, it)));
        }
    }
    out.extend(end(&mut state).map(|it| (schedule.end, it)));
    (out, schedule.end)
}

#[derive(Default)]
struct Held {
    item: Option<u32>,
    due: Option<u64>,
}

impl Held {
    fn when_due(&mut self, now: u64) -> Option<u32> {
        if self.due == Some(now) {
            self.due = None;
            return self.item.take();
        }
        None
    }
}

proptest! {
    #[test]
    fn debounce_emits_what_is_followed_by_silence(s in schedules(), d in 1..8_u64) {
        let model = walk(
            &s,
            Held::default(),
            Held::when_due,
            |held, now, item| { *held = Held { item: Some(item), due: Some(now + d) }; None },
            |held| held.item.take(),
        );
        prop_assert_eq!(observe(|| s.stream().debounce(ms(d))), model);
    }

    #[test]
    fn throttle_leading_keeps_items_apart(s in schedules(), d in 1..8_u64) {
        let model = walk(
            &s,
            0,
            |_, _| None,
            |open_at, now, item| (now >= *open_at).then(|| { *open_at = now + d; item }),
            |_| None,
        );
        prop_assert_eq!(observe(|| s.stream().throttle_leading(ms(d))), model);
    }

    #[test]
    fn throttle_trailing_emits_the_latest_of_each_window(s in schedules(), d in 1..8_u64) {
        let model = walk(
            &s,
            Held::default(),
            Held::when_due,
            |held, now, item| {
                held.item = Some(item);
                held.due.get_or_insert(now + d);
                None
            },
            |held| held.item.take(),
        );
        prop_assert_eq!(observe(|| s.stream().throttle_trailing(ms(d))), model);
    }

    #[test]
    fn throttle_both_emits_at_once_and_then_the_latest_of_each_window(s in schedules(), d in 1..8_u64) {
        let model = walk(
            &s,
            Held::default(),
            |held, now| {
                let item = held.when_due(now)?;
                held.due = Some(now + d);
                Some(item)
            },
            |held, now, item| {
                if held.due.is_none() {
                    held.due = Some(now + d);
                    return Some(item);
                }
                held.item = Some(item);
                None
            },
            |held| held.item.take(),
        );
        prop_assert_eq!(observe(|| s.stream().throttle_both(ms(d))), model);
    }

    #[test]
    fn sample_emits_the_latest_of_each_period(s in schedules(), d in 1..8_u64) {
        let model = walk(
            &s,
            None,
            |held, now| (now > 0 && now % d == 0).then(|| held.take()).flatten(),
            |held, _, item| { *held = Some(item); None },
            Option::take,
        );
        prop_assert_eq!(observe(|| s.stream().sample(ms(d))), model);
    }

    #[test]
    fn sample_on_emits_the_latest_at_each_trigger(s in schedules(), d in 1..8_u64) {
        let model = walk(
            &s,
            None,
            |held, now| (now > 0 && now % d == 0).then(|| held.take()).flatten(),
            |held, _, item| { *held = Some(item); None },
            Option::take,
        );
        prop_assert_eq!(observe(|| s.stream().sample_on(interval(ms(d)))), model);
    }

    #[test]
    fn delay_moves_everything_by_the_same_time(s in schedules(), d in 0..8_u64) {
        let items = s.items.iter().map(|(time, item)| (time + d, *item)).collect();
        prop_assert_eq!(observe(|| s.stream().delay(ms(d))), (items, s.end + d));
    }

    #[test]
    fn delay_with_little_room_loses_nothing(s in schedules(), d in 0..8_u64, room in 0..3_usize) {
        let (items, _) = observe(|| s.stream().delay(ms(d)).capacity(room));
        for ((came, _), (left, _)) in s.items.iter().zip(&items) {
            prop_assert!(*left >= came + d);
        }
        prop_assert_eq!(items.into_iter().map(|(_, item)| item).collect::<Vec<_>>(), s.values());
    }

    #[test]
    fn delay_start_moves_a_cold_source(s in schedules(), d in 0..8_u64) {
        let items = s.items.iter().map(|(time, item)| (time + d, *item)).collect();
        prop_assert_eq!(observe(|| s.stream().delay_start(ms(d))), (items, s.end + d));
    }

    #[test]
    fn timeout_each_reports_each_silence_once(s in schedules(), d in 1..8_u64) {
        let model = walk(
            &s,
            d,
            |due, now| (*due == now).then_some(None),
            |due, now, item| { *due = now + d; Some(Some(item)) },
            |_| None,
        );
        let (items, end) = observe(|| s.stream().timeout_each(ms(d)));
        for (_, item) in &items {
            prop_assert!(item.is_ok_and(|_| true) || item.unwrap_err().silence == ms(d));
        }
        prop_assert_eq!((items.into_iter().map(|(time, item)| (time, item.ok())).collect(), end), model);
    }

    #[test]
    fn end_after_silence_ends_at_the_first_silence(s in schedules(), d in 1..8_u64) {
        let mut silent_at = d;
        let heard: Items<u32> = s.items.iter().copied().take_while(|(time, _)| {
            let heard = *time < silent_at;
            silent_at = if heard { time + d } else { silent_at };
            heard
        }).collect();
        let model = (heard, silent_at.min(s.end));
        prop_assert_eq!(observe(|| s.stream().end_after_silence(ms(d))), model);
    }

    #[test]
    fn on_idle_fills_silences(s in schedules(), d in 1..8_u64) {
        let model = walk(
            &s,
            d,
            |due, now| (*due == now).then(|| { *due = now + d; 99 }),
            |due, now, item| { *due = now + d; Some(item) },
            |_| None,
        );
        prop_assert_eq!(observe(|| s.stream().on_idle(ms(d), || 99)), model);
    }

    #[test]
    fn take_for_and_skip_for_part_a_stream(s in schedules(), d in 0..40_u64) {
        let (early, late): (Items<u32>, Items<u32>) = s.items.iter().partition(|(time, _)| *time < d);
        prop_assert_eq!(observe(|| s.stream().take_for(ms(d))), (early, s.end.min(d)));
        prop_assert_eq!(observe(|| s.stream().skip_for(ms(d))), (late, s.end));
    }

    #[test]
    fn time_interval_and_timestamp_tell_when_items_came(s in schedules()) {
        let mut last = 0;
        let gaps: Vec<_> = s.items.iter().map(|(time, _)| ms(time - std::mem::replace(&mut last, *time))).collect();
        let (items, _) = observe(|| s.stream().time_interval());
        prop_assert_eq!(items.iter().map(|(_, (gap, _))| *gap).collect::<Vec<_>>(), gaps);
        let (items, _) = observe(|| s.stream().timestamp());
        for (a, b) in items.iter().zip(&s.items) {
            let since_first = a.1.0.duration_since(items[0].1.0).unwrap();
            prop_assert_eq!((since_first, a.1.1), (ms(b.0 - s.items[0].0), b.1));
        }
    }

    /// The model counts a bucket's level in ms, of which an item costs `each`.
    #[test]
    fn rate_limit_is_a_bucket_that_refills_evenly(s in schedules(), n in 1..5_u32, each in 1..5_u64) {
        let full = u64::from(n) * each;
        let (mut level, mut now) = (full, 0);
        let mut items = Vec::new();
        for (time, item) in &s.items {
            let due = (*time).max(now);
            level = (level + due - now).min(full);
            let wait = each.saturating_sub(level);
            now = due + wait;
            level = level + wait - each;
            items.push((now, *item));
        }
        let end = s.end.max(now + each.saturating_sub(level));
        prop_assert_eq!(observe(|| s.stream().rate_limit(n, ms(full))), (items, end));
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_longer_than_one_poll_still_becomes_quiet() {
    let burst = |n| futures::stream::iter(0..n).chain_pending();
    for n in [255, 256, 257, 512, 1000] {
        assert_marbles(burst(n).debounce(ms(3)), &format!("---[{}]", n - 1)).await;
        assert_marbles(burst(n).throttle_trailing(ms(3)), &format!("---[{}]", n - 1)).await;
        assert_marbles(burst(n).throttle_both(ms(3)), &format!("0--[{}]", n - 1)).await;
        assert_marbles(burst(n).sample(ms(3)), &format!("---[{}]", n - 1)).await;
    }
}

trait ChainPending: futures::Stream + Sized {
    /// Goes on for ever without another item.
    fn chain_pending(self) -> impl futures::Stream<Item = Self::Item> {
        futures::StreamExt::chain(self, futures::stream::pending())
    }
}

impl<S: futures::Stream> ChainPending for S {}

#[tokio::test(start_paused = true)]
async fn err_items_are_items_and_end_nothing() {
    assert_marbles(fallible("a-#---b|").debounce(ms(2)), "--a-#--(b|)").await;
    assert_marbles(fallible("a-#---b|").delay(ms(2)), "--a-#---b|").await;
    assert_marbles(fallible("a#b---#|").throttle_leading(ms(3)), "a-----#|").await;
    assert_marbles(fallible("a#b---#|").timeout_each(ms(3)), "a#b--##|").await;
}

#[tokio::test(start_paused = true)]
async fn an_interval_leaves_out_the_periods_nobody_waited_for() {
    use futures::StreamExt;
    let mut ticks = std::pin::pin!(interval(ms(10)));
    assert_eq!(ticks.next().await, Some(0));
    tokio::time::advance(ms(35)).await;
    assert_eq!(ticks.next().await, Some(3));
    assert_eq!(ticks.next().await, Some(4));
}

#[tokio::test(start_paused = true)]
async fn a_time_span_without_end_is_never_over() {
    let for_ever = std::time::Duration::MAX;
    assert_marbles(marbles("a-b|").debounce(for_ever), "---(b|)").await;
    assert_marbles(marbles("a-b|").take_for(for_ever), "a-b|").await;
    assert_marbles(marbles("a-b|").sample(for_ever), "---(b|)").await;
    assert_marbles(marbles("a-b|").rate_limit(1, for_ever), "a").await;
}

#[tokio::test(start_paused = true)]
async fn sample_on_ends_with_its_trigger_although_the_source_is_silent() {
    assert_marbles(marbles("a--------").sample_on(marbles("-x-x-|")), "-a---|").await;
    assert_marbles(marbles("---a-----").sample_on(marbles("-x---|")), "-----(a|)").await;
}
