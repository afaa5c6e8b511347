//! Buffers and windows: windows hold what buffers hold.

use super::schedule::{Items, Schedule, ms, observe, run, schedules};
use futures::StreamExt;
use mape::stream::testing::{assert_marbles, marbles};
use mape::stream::{Operators, interval};
use proptest::prelude::*;

type Lists = (Items<Vec<u32>>, u64);

fn by_count(s: &Schedule, n: usize) -> Lists {
    let list = |list: &[(u64, u32)]| {
        let full = list.len() == n;
        let last = list[list.len() - 1].0;
        (if full { last } else { s.end }, list.iter().map(|(_, item)| *item).collect())
    };
    (s.items.chunks(n).map(list).collect(), s.end)
}

fn by_time(s: &Schedule, period: u64, last_if_empty: bool) -> Lists {
    let within = |from: u64, to: u64| {
        s.items
            .iter()
            .filter(|(time, _)| (from..to).contains(time))
            .map(|(_, item)| *item)
            .collect::<Vec<_>>()
    };
    let periods = s.end / period;
    let mut lists: Items<_> =
        (1..=periods).map(|k| (k * period, within((k - 1) * period, k * period))).collect();
    let rest = within(periods * period, u64::MAX);
    if last_if_empty || !rest.is_empty() {
        lists.push((s.end, rest));
    }
    (lists, s.end)
}

fn by_count_or_time(s: &Schedule, n: usize, time: u64) -> Lists {
    let mut lists: Items<Vec<u32>> = Vec::new();
    let mut due = 0;
    let mut open = false;
    for (came, item) in &s.items {
        if !open || *came >= due {
            due = came + time;
            lists.push((due.min(s.end), Vec::new()));
        }
        let list = lists.last_mut().unwrap();
        list.1.push(*item);
        open = list.1.len() < n;
        if !open {
            list.0 = *came;
        }
    }
    (lists, s.end)
}

fn by_session(s: &Schedule, gap: u64) -> Lists {
    let sessions = s.items.chunk_by(|(a, _), (b, _)| *b < a + gap);
    let list = |session: &[(u64, u32)]| {
        let quiet = session[session.len() - 1].0 + gap;
        (quiet.min(s.end), session.iter().map(|(_, item)| *item).collect())
    };
    (sessions.map(list).collect(), s.end)
}

proptest! {
    #[test]
    fn by_count_as_chunks_of_a_slice(s in schedules(), n in 1..6_usize) {
        prop_assert_eq!(observe(|| s.stream().buffer_count(n)), by_count(&s, n));
        prop_assert_eq!(observe(|| s.stream().window_count(n).then(StreamExt::collect)), by_count(&s, n));
    }

    #[test]
    fn sliding_as_windows_of_a_slice(s in schedules(), n in 1..6_usize, step in 1..8_usize) {
        let lists = s.items.windows(n).step_by(step).map(|window| {
            (window[n - 1].0, window.iter().map(|(_, item)| *item).collect::<Vec<_>>())
        });
        prop_assert_eq!(observe(|| s.stream().sliding(n, step)), (lists.collect(), s.end));
        let known = futures::stream::iter(s.values());
        let lists = s.values().windows(n).step_by(step).count();
        prop_assert_eq!(futures::Stream::size_hint(&known.sliding(n, step)), (lists, Some(lists)));
    }

    #[test]
    fn by_time_on_a_grid(s in schedules(), period in 1..8_u64) {
        prop_assert_eq!(observe(|| s.stream().buffer_time(ms(period))), by_time(&s, period, false));
        let windows = || s.stream().window_time(ms(period)).then(StreamExt::collect);
        prop_assert_eq!(observe(windows), by_time(&s, period, true));
    }

    #[test]
    fn by_count_or_time_since_the_first(s in schedules(), n in 1..6_usize, d in 1..8_u64) {
        prop_assert_eq!(observe(|| s.stream().buffer_count_or_time(n, ms(d))), by_count_or_time(&s, n, d));
        let windows = || s.stream().window_count_or_time(n, ms(d)).then(StreamExt::collect);
        prop_assert_eq!(observe(windows), by_count_or_time(&s, n, d));
    }

    #[test]
    fn by_session_between_silences(s in schedules(), gap in 1..8_u64) {
        prop_assert_eq!(observe(|| s.stream().buffer_session(ms(gap))), by_session(&s, gap));
        let windows = || s.stream().window_session(ms(gap)).then(StreamExt::collect);
        prop_assert_eq!(observe(windows), by_session(&s, gap));
    }

    #[test]
    fn on_a_boundary_as_on_a_grid(s in schedules(), period in 1..8_u64) {
        prop_assert_eq!(observe(|| s.stream().buffer_on(interval(ms(period)))), by_time(&s, period, false));
    }

    #[test]
    fn by_key_as_chunk_by_of_a_slice(s in schedules(), modulus in 1..4_u32) {
        let values = s.values();
        let runs: Vec<_> = values.chunk_by(|a, b| a % modulus == b % modulus).map(<[u32]>::to_vec).collect();
        let (lists, end) = observe(|| s.stream().buffer_by(|n| n % modulus));
        prop_assert_eq!((lists.into_iter().map(|(_, list)| list).collect::<Vec<_>>(), end), (runs, s.end));
    }

    #[test]
    fn lists_with_little_room_lose_nothing(s in schedules(), d in 1..8_u64, room in 1..4_usize) {
        let check = |lists: Items<Vec<u32>>| {
            assert!(lists.iter().all(|(_, list)| list.len() <= room));
            assert_eq!(lists.into_iter().flat_map(|(_, list)| list).collect::<Vec<_>>(), s.values());
        };
        check(observe(|| s.stream().buffer_time(ms(d)).capacity(room)).0);
        check(observe(|| s.stream().buffer_session(ms(d)).capacity(room)).0);
        check(observe(|| s.stream().buffer_on(interval(ms(d))).capacity(room)).0);
        check(observe(|| s.stream().buffer_by(|n| n % 2).capacity(room)).0);
    }

    #[test]
    fn windows_read_in_tasks_of_their_own_hold_the_same(s in schedules(), n in 1..6_usize, d in 1..8_u64) {
        let lists: Vec<Vec<u32>> = run(async {
            let windows = s.stream().window_count_or_time(n, ms(d));
            let tasks: Vec<_> = windows.map(|window| tokio::spawn(window.collect())).collect().await;
            futures::future::join_all(tasks).await.into_iter().map(Result::unwrap).collect()
        });
        let expected: Vec<_> = by_count_or_time(&s, n, d).0.into_iter().map(|(_, list)| list).collect();
        prop_assert_eq!(lists, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_window_drops_its_items_and_the_next_opens_in_time() {
    let firsts =
        marbles("abcdefg|").window_count(3).then(|mut window| async move { window.next().await.unwrap() });
    assert_marbles(firsts, "a--d--g|").await;
}

#[tokio::test(start_paused = true)]
async fn a_window_that_nobody_reads_holds_up_the_source_until_it_is_dropped() {
    let mut windows = std::pin::pin!(marbles("(abcdefgh|)").window_count(6).capacity(2));
    let unread = windows.next().await.unwrap();
    assert!(tokio::time::timeout(ms(1000), windows.next()).await.is_err());
    drop(unread);
    assert_eq!(windows.next().await.unwrap().collect::<String>().await, "gh");
    assert!(windows.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_window_ends_although_the_stream_of_windows_was_dropped() {
    let mut windows = Box::pin(marbles("a-b-c-d|").window_count(3));
    let window = windows.next().await.unwrap();
    drop(windows);
    assert_marbles(window, "a-b-(c|)").await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_in_another_task_goes_on_when_the_stream_of_windows_is_dropped() {
    let mut windows = Box::pin(marbles("a-b-c-d|").window_count(3));
    let reading = tokio::spawn(windows.next().await.unwrap().collect::<String>());
    // This poll makes the stream of windows the one that waits for the source.
    assert!(tokio::time::timeout(ms(1), windows.next()).await.is_err());
    drop(windows);
    assert_eq!(reading.await.unwrap(), "abc");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_of_a_window_lets_the_next_open_when_it_has_room() {
    let windows = futures::stream::iter(0..20).window_count(10).capacity(2);
    let slow = |window: mape::stream::ops::Window<_>| {
        tokio::spawn(
            window
                .then(|n| async move {
                    tokio::time::sleep(ms(1)).await;
                    n
                })
                .collect::<Vec<_>>(),
        )
    };
    let tasks: Vec<_> = windows.map(slow).collect().await;
    let lists = futures::future::join_all(tasks).await.into_iter().map(Result::unwrap);
    assert_eq!(lists.collect::<Vec<_>>(), [(0..10).collect::<Vec<_>>(), (10..20).collect()]);
}
