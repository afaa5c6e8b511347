//! Groups: by key, with idle expiry, bounded.

use super::schedule::{Schedule, ms, run, schedules};
use futures::{FutureExt, Stream, StreamExt, stream};
use mape::stream::Operators;
use mape::stream::testing::{assert_marbles, marbles, record};
use proptest::prelude::*;
use std::pin::pin;

/// Each key's items, parted where the key was idle.
fn sessions(s: &Schedule, idle: Option<u64>) -> Vec<(u32, Vec<u32>)> {
    let mut groups = Vec::new();
    for key in 0..3 {
        let items: Vec<_> = s.items.iter().filter(|(_, item)| item % 3 == key).collect();
        let parts = items.chunk_by(|a, b| idle.is_none_or(|idle| b.0 < a.0 + idle));
        groups.extend(parts.map(|part| (key, part.iter().map(|(_, item)| *item).collect())));
    }
    groups.sort();
    groups
}

proptest! {
    #[test]
    fn group_by_gives_each_keys_items_in_order(s in schedules(), idle in proptest::option::of(1..15_u64)) {
        let mut groups: Vec<(u32, Vec<u32>)> = run(async {
            let groups = s.stream().group_by(|item| item % 3, idle.map(ms));
            let tasks: Vec<_> = groups
                .map(|group| tokio::spawn(async move { (*group.key(), group.collect().await) }))
                .collect()
                .await;
            futures::future::join_all(tasks).await.into_iter().map(Result::unwrap).collect()
        });
        groups.sort();
        prop_assert_eq!(groups, sessions(&s, idle));
    }

    #[test]
    fn group_and_pipe_keeps_state_by_key_and_the_items_order(
        s in schedules(),
        idle in proptest::option::of(1..15_u64),
    ) {
        let mut seen: Vec<(u32, u64, usize)> = Vec::new();
        let expected: Vec<_> = s.items.iter().map(|(time, item)| {
            let key = item % 3;
            let earlier = seen.iter().rev().find(|(other, ..)| *other == key);
            let n = match earlier {
                Some((_, last, n)) if idle.is_none_or(|idle| *time < last + idle) => n + 1,
                _ => 1,
            };
            seen.push((key, *time, n));
            (ms(*time), (*item, n))
        }).collect();
        let recording = run(record(s.stream().group_and_pipe(|item| item % 3, idle.map(ms), |_, group| {
            group.scan_with((0, 0), |state, item| *state = (item, state.1 + 1))
        })));
        prop_assert_eq!(recording.items, expected);
        prop_assert_eq!(recording.ended, Some(ms(s.end)));
    }

    #[test]
    fn group_and_pipe_runs_each_keys_timers(s in schedules(), d in 1..8_u64) {
        let mut expected = Vec::new();
        for key in 0..3 {
            let items: Vec<_> = s.items.iter().filter(|(_, item)| item % 3 == key).collect();
            let quiet = items.chunk_by(|a, b| b.0 < a.0 + d).map(|burst| burst[burst.len() - 1]);
            expected.extend(quiet.map(|(time, item)| (ms((time + d).min(s.end)), *item)));
        }
        expected.sort();
        let pipes = || s.stream().group_and_pipe(|item| item % 3, None, |_, group| group.debounce(ms(d)));
        let mut items = run(record(pipes())).items;
        items.sort();
        prop_assert_eq!(items, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn one_off_keys_leave_when_idle() {
    const KEYS: u64 = 200_000;
    // 100 keys a ms, each idle after 10 ms.
    let keys = stream::iter(0..KEYS).map(|n| (n % 100 == 99, n)).then(|(pause, n)| async move {
        if pause {
            tokio::time::sleep(ms(1)).await;
        }
        n
    });
    let mut groups = pin!(keys.group_by(|n| *n, ms(10)));
    let mut most = 0;
    let mut unread = std::collections::VecDeque::new();
    let mut read = 0;
    while let Some(group) = groups.next().await {
        most = most.max(groups.live_groups());
        unread.push_back(group);
        if unread.len() > 1_500 {
            // It has ended: both its item and its end are there at once.
            let items = unread.pop_front().unwrap().collect::<Vec<_>>().now_or_never().unwrap();
            read += items.len() as u64;
        }
    }
    assert!((1_000..=1_200).contains(&most), "{most} groups at once");
    for group in unread {
        read += group.count().await as u64;
    }
    assert_eq!(read, KEYS);
}

#[tokio::test(start_paused = true)]
async fn one_off_keys_leave_pipes_too_and_all_results_come() {
    const KEYS: u64 = 200_000;
    let keys = stream::iter(0..KEYS).then(|n| async move {
        if n % 100 == 99 {
            tokio::time::sleep(ms(1)).await;
        }
        n
    });
    let mut pipes = pin!(keys.group_and_pipe(|n| *n, ms(10), |_, group| group.buffer_count(2)));
    let (mut most, mut sum) = (0, 0);
    while let Some(list) = pipes.next().await {
        most = most.max(pipes.live_groups());
        sum += list.iter().sum::<u64>();
    }
    assert!(most <= 1_200, "{most} groups at once");
    assert_eq!(sum, KEYS * (KEYS - 1) / 2);
}

#[tokio::test(start_paused = true)]
async fn with_too_many_keys_the_one_silent_for_longest_ends() {
    let keys = marbles("abacab|").group_by(|key| *key, None).max_groups(2);
    let tasks: Vec<_> = keys.map(|group| tokio::spawn(group.collect::<String>())).collect().await;
    let groups = futures::future::join_all(tasks).await.into_iter().map(Result::unwrap);
    assert_eq!(groups.collect::<Vec<_>>(), ["aaa", "b", "c", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_ends_when_idle_although_the_source_is_silent() {
    let mut groups = pin!(marbles("ab---------").group_by(|key| *key, ms(4)));
    let (a, b) = (groups.next().await.unwrap(), groups.next().await.unwrap());
    let driver = async { assert!(groups.next().await.is_none()) };
    let watching = async {
        let start = tokio::time::Instant::now();
        assert_eq!((a.collect::<String>().await, start.elapsed()), ("a".into(), ms(3)));
        assert_eq!((b.collect::<String>().await, start.elapsed()), ("b".into(), ms(4)));
    };
    tokio::select! {
        () = driver => panic!("the source never ends"),
        () = watching => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_group_holds_up_the_others_until_it_is_read_or_dropped() {
    let items = || stream::iter("aaaab".chars());
    let mut groups = pin!(items().group_by(|key| *key, None).capacity(2));
    let mut a = groups.next().await.unwrap();
    assert!(tokio::time::timeout(ms(60_000), groups.next()).await.is_err());
    assert_eq!(a.next().await, Some('a'));
    assert_eq!(groups.next().await.unwrap().key(), &'b');

    let mut groups = pin!(items().group_by(|key| *key, None).capacity(2));
    let a = groups.next().await.unwrap();
    assert!(tokio::time::timeout(ms(60_000), groups.next()).await.is_err());
    drop(a);
    assert_eq!(groups.next().await.unwrap().key(), &'b');
    assert!(groups.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn slow_readers_in_tasks_of_their_own_get_everything() {
    let groups = stream::iter(0..100).group_by(|n| n % 3, ms(1)).capacity(2);
    let read = |group: mape::stream::ops::Group<u32, u32>| {
        let wait = ms(u64::from(*group.key()) * 5 + 1);
        tokio::spawn(
            group
                .then(move |n| async move {
                    tokio::time::sleep(wait).await;
                    n
                })
                .collect::<Vec<_>>(),
        )
    };
    let tasks: Vec<_> = groups.map(read).collect().await;
    let groups = futures::future::join_all(tasks).await.into_iter().map(Result::unwrap);
    let mut all: Vec<_> = groups.flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_only_group_ends_its_pipe_when_idle_although_the_source_is_silent() {
    let pipes = marbles("a---------").group_and_pipe(|key| *key, ms(3), |_, group| group.buffer_count(9));
    assert_marbles(pipes, "---[a]").await;
}

#[tokio::test(start_paused = true)]
async fn a_full_group_that_an_item_waits_for_is_not_idle() {
    let items = || stream::iter("aaaa".chars());
    let slowly = |item| async move {
        tokio::time::sleep(ms(20)).await;
        item
    };
    let groups = items().group_by(|key| *key, ms(5)).capacity(1);
    let tasks: Vec<_> =
        groups.map(|group| tokio::spawn(group.then(slowly).collect::<String>())).collect().await;
    let groups = futures::future::join_all(tasks).await.into_iter().map(Result::unwrap);
    assert_eq!(groups.collect::<Vec<_>>(), ["aaaa"]);

    let mut made = 0;
    let pipes = items().group_and_pipe(
        |key| *key,
        ms(5),
        |_, group| {
            made += 1;
            group.then(slowly)
        },
    );
    assert_eq!(pipes.capacity(1).collect::<String>().await, "aaaa");
    assert_eq!(made, 1);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_sheds_holds_nobody_up_and_counts() {
    let items = stream::iter((0..10).map(|n| ('a', n)).chain([('b', 0)]));
    let mut groups = pin!(items.group_by(|(key, _)| *key, None).capacity(3).shed_when_full());
    let a = groups.next().await.unwrap();
    assert_eq!(groups.next().await.unwrap().key(), &'b');
    assert!(groups.next().await.is_none());
    assert_eq!(a.shed(), 7);
    assert_eq!(a.map(|(_, n)| n).collect::<Vec<_>>().await, [7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_group_drops_its_items_until_it_is_idle() {
    let groups = marbles("abaa--------a|").group_by(|key| *key, ms(5));
    assert_marbles(groups.map(|group| *group.key()), "ab----------a|").await;
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_of_groups_ends_the_groups_after_what_waits() {
    let mut groups = Box::pin(stream::iter("aab".chars()).group_by(|key| *key, None));
    let a = groups.next().await.unwrap();
    let _b = groups.next().await.unwrap();
    drop(groups);
    assert_eq!(a.collect::<String>().await, "aa");
}

#[tokio::test(start_paused = true)]
async fn a_pipe_that_ends_by_itself_ends_its_group_until_idle() {
    let firsts = marbles("aabbaa-----ab|").group_and_pipe(|key| *key, ms(5), |_, group| group.take(1));
    assert_marbles(firsts, "a-b--------ab|").await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_pipe_holds_up_the_source_and_loses_nothing() {
    let items = stream::iter((0..50).map(|n| (n % 2, n)));
    let slow = items.group_and_pipe(
        |(key, _)| *key,
        None,
        |key, group| {
            let wait = ms(*key * 10);
            group.then(move |(_, n)| async move {
                tokio::time::sleep(wait).await;
                n
            })
        },
    );
    let mut all: Vec<_> = slow.capacity(2).collect().await;
    all.sort_unstable();
    assert_eq!(all, (0..50).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_pipe_may_read_its_group_in_another_task() {
    let items = stream::iter(0..1_000);
    let summed = items.group_and_pipe(
        |n| n % 10,
        None,
        |_, group| {
            let sum = tokio::spawn(group.fold(0, |sum, n| async move { sum + n }));
            sum.into_stream().map(Result::unwrap)
        },
    );
    assert_eq!(summed.sum_items().await, Some(499_500));
}

#[tokio::test(start_paused = true)]
async fn a_pipe_that_wakes_itself_for_ever_stops_nobody() {
    struct Restless;
    impl Stream for Restless {
        type Item = char;
        fn poll_next(
            self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<char>> {
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        }
    }
    let pipes = stream::iter("ab".chars()).group_and_pipe(
        |key| *key,
        None,
        |key, group| {
            if *key == 'a' { Restless.left_stream() } else { group.right_stream() }
        },
    );
    assert_eq!(pin!(pipes).next().await, Some('b'));
}

#[test]
fn dropping_pipes_drops_what_they_hold() {
    let item = std::sync::Arc::new(());
    let items = stream::iter(vec![item.clone(); 10]).chain(stream::pending());
    let mut pipes = Box::pin(items.group_and_pipe(|_| 0, None, |_, group| group.buffer_count(100)));
    assert!(run(async { pipes.next().now_or_never().is_none() }));
    assert!(std::sync::Arc::strong_count(&item) > 1);
    drop(pipes);
    assert_eq!(std::sync::Arc::strong_count(&item), 1);
}
