//! The diagrams of the documentation, in virtual time.

use futures::StreamExt;
use mape::stream::testing::{Marbles, assert_marbles, fallible, marbles};
use mape::stream::{Backoff, Operators, retry};
use std::time::Duration;

fn inner(item: char) -> Marbles<char> {
    marbles(match item {
        'a' => "--1--2--3|",
        'b' => "--4--5|",
        _ => "|",
    })
}

#[tokio::test(start_paused = true)]
async fn combining() {
    let (a, b) = (|| marbles("1-----2-------|"), || marbles("---a-----b-|"));
    assert_marbles(a().combine_latest(b()), "---[1:a]--[2:a]--[2:b]----|").await;
    let mirrored = "---[a:1]--[a:2]--[b:2]----|";
    assert_marbles(a().combine_latest_with(b(), |a, b| (*b, *a)), mirrored).await;
    assert_marbles(
        marbles("---1-----2--3--|").with_latest_from(marbles("-a----b")),
        "---[1:a]-----[2:b]--[3:b]--|",
    )
    .await;
    assert_marbles(marbles("-----1--2--|").race_with(marbles("--7----8-----9--|")), "--7----8-----9--|")
        .await;
    assert_marbles(marbles("1--2--3--|").zip_longest(marbles("-a-b|")), "-[1:a]-[2:b]--[3:none]--|").await;
    assert_marbles(marbles("---3--4--|").start_with(['1', '2']), "(12)--3--4--|").await;
    assert_marbles(marbles("1--2--|").end_with(['3', '4']), "1--2--(34|)").await;
    assert_marbles(marbles("-----|").default_if_empty('0'), "-----(0|)").await;
    // The other stream starts only when it is needed.
    assert_marbles(marbles("---|").switch_if_empty(marbles("1--2--|")), "---1--2--|").await;
}

#[tokio::test(start_paused = true)]
async fn flattening() {
    assert_marbles(marbles("a------b---------|").switch_map(inner), "--1--2---4--5----|").await;
    assert_marbles(marbles("a------b---------|").map(inner).switch_latest(), "--1--2---4--5----|").await;
    assert_marbles(marbles("a------b----b----|").exhaust_map(inner), "--1--2--3-----4--5|").await;
    assert_marbles(marbles("a------b----b----|").map(inner).exhaust_all(), "--1--2--3-----4--5|").await;
    assert_marbles(marbles("a-----|").expand(2, inner), "a-1--2--3|").await;
}

#[tokio::test(start_paused = true)]
async fn errors() {
    let catch = fallible("1--2--#--3--|").catch_with(|_| fallible("7--8--|"));
    assert_marbles(catch, "1--2--7--8--|").await;
    assert_marbles(fallible("1--#--2--|").replace_errors(|_| '0'), "1--0--2--|").await;
    assert_marbles(fallible("1--#--2--|").skip_errors(|_| {}), "1-----2--|").await;
    assert_marbles(fallible("1--#--2--|").end_on_error(), "1--(#|)").await;
    let mut runs = ["--1--#", "--#", "--2--|"].into_iter();
    let make = || fallible(runs.next().unwrap_or("|"));
    let backoff = Backoff::exponential(Duration::from_millis(4), Duration::from_secs(1)).jitter(0.0);
    // 4 ms after the first error, 8 after the second in a row.
    assert_marbles(retry(make, backoff), "--1--{4}--{8}--2--|").await;
}

#[tokio::test(start_paused = true)]
async fn choosing() {
    assert_marbles(marbles("1-1-2-2-1-|").distinct_until_changed(), "1---2---1-|").await;
    assert_marbles(marbles("1-2-1-3-1-|").distinct(3), "1-2---3---|").await;
    assert_marbles(marbles("1--2--3--|").pairwise(), "---[1:2]--[2:3]--|").await;
    assert_marbles(marbles("1--2--3--|").take_last(2), "---------(23|)").await;
    assert_marbles(marbles("1--2--3--|").skip_last(1), "---1--2--|").await;
    let ready = tokio::time::sleep(Duration::from_millis(4));
    assert_marbles(marbles("1--2--3--4--|").skip_until(ready), "------3--4--|").await;
    assert_marbles(marbles("1--2--3--1--|").take_while_inclusive(|n| *n < '3'), "1--2--(3|)").await;
    assert_marbles(marbles("1--2--|").ignore_items(), "------|").await;
}

#[tokio::test(start_paused = true)]
async fn a_late_subscriber_gets_what_replay_kept_and_then_the_rest() {
    let shared = marbles("---1---2---3---4--|").replay(1);
    let early = tokio::spawn(shared.clone().collect::<String>());
    tokio::time::sleep(Duration::from_millis(9)).await;
    assert_marbles(shared, "2-3---4--|").await;
    assert_eq!(early.await.unwrap(), "1234");
}
