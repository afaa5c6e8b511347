//! Waiting for items on a real Redis server: nothing is lost by giving up, and an outage is waited through.

use crate::redis::world::{knowledge, two};
use crate::server::RedisServer;
use crate::suite::eventually;
use futures::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{sleep, timeout};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn takers_that_give_up_lose_nothing_and_take_nothing_twice() {
    let url = RedisServer::shared_url();
    let [one, other] = two(&url).await;
    let takers = (0..8_u64).map(|n| {
        let k = if n % 2 == 0 { one.clone() } else { other.clone() };
        tokio::spawn(async move {
            let (queue, stack, ranks) =
                (k.queue::<u32>("q"), k.stack::<u32>("s"), k.priority_queue::<u32>("p"));
            let (mut taken, mut idle) = (Vec::new(), 0);
            while idle < 100 {
                let patience = Duration::from_micros(fastrand::u64(0..3000));
                let got = match n % 3 {
                    0 => timeout(patience, queue.pop()).await.map(Result::unwrap),
                    1 => timeout(patience, stack.pop()).await.map(Result::unwrap),
                    _ => timeout(patience, ranks.pop()).await.map(|popped| popped.unwrap().0),
                };
                match got {
                    Ok(item) => {
                        taken.push(item);
                        idle = 0;
                    }
                    Err(_) => idle += 1,
                }
            }
            taken
        })
    });
    let takers: Vec<_> = takers.collect();
    let (queue, stack, ranks) =
        (one.queue::<u32>("q"), other.stack::<u32>("s"), one.priority_queue::<u32>("p"));
    for n in 0..200 {
        queue.push(&n).await.unwrap();
        stack.push(&(1000 + n)).await.unwrap();
        ranks.push(&(2000 + n), f64::from(n)).await.unwrap();
        if n % 4 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
    let mut taken: Vec<u32> = join_all(takers).await.into_iter().flat_map(Result::unwrap).collect();
    // What was put back last is still there.
    while let Ok(item) = timeout(Duration::from_millis(300), queue.pop()).await {
        taken.push(item.unwrap());
    }
    while let Ok(item) = timeout(Duration::from_millis(300), stack.pop()).await {
        taken.push(item.unwrap());
    }
    while let Ok(item) = timeout(Duration::from_millis(300), ranks.pop()).await {
        taken.push(item.unwrap().0);
    }
    taken.sort_unstable();
    let put: Vec<u32> = (0..200).chain(1000..1200).chain(2000..2200).collect();
    let (lost, twice): (BTreeSet<_>, usize) =
        (put.iter().filter(|n| !taken.contains(n)).collect(), taken.len().saturating_sub(put.len()));
    assert_eq!(taken, put, "lost {lost:?}, {twice} too many");
}

#[tokio::test]
async fn an_item_that_was_delivered_but_never_looked_at_is_put_back() {
    let k = knowledge(&RedisServer::shared_url()).await;
    let queue = k.queue::<u8>("q");
    queue.extend(&[1, 2]).await.unwrap();
    let mut hasty = Box::pin(queue.pop());
    assert!(futures::poll!(&mut hasty).is_pending());
    // It is handed over while nobody polls.
    sleep(Duration::from_millis(100)).await;
    assert_eq!(queue.len().await.unwrap(), 1);
    drop(hasty);
    eventually("it is back", async || queue.len().await.unwrap() == 2).await;
    assert_eq!((queue.pop().await.unwrap(), queue.pop().await.unwrap()), (1, 2));
}

#[tokio::test]
async fn who_waits_waits_through_an_outage() {
    let mut server = RedisServer::start();
    let k = knowledge(&server.url()).await;
    let queue = k.queue::<u8>("q");
    let taker = tokio::spawn({
        let queue = queue.clone();
        async move { queue.pop().await }
    });
    let blocked = |server: &RedisServer| server.cli(&["INFO", "clients"]).contains("blocked_clients:1");
    eventually("it waits", async || blocked(&server)).await;
    server.kill_9();
    sleep(Duration::from_millis(500)).await;
    server.restart();
    eventually("it waits again", async || blocked(&server)).await;
    queue.push(&7).await.unwrap();
    assert_eq!(timeout(Duration::from_secs(10), taker).await.unwrap().unwrap().unwrap(), 7);
}

#[tokio::test]
async fn giving_up_leaves_no_one_waiting_on_the_server() {
    let server = RedisServer::start();
    let k = knowledge(&server.url()).await;
    for _ in 0..20 {
        let waiting = k.queue::<u8>("q");
        assert!(timeout(Duration::from_millis(20), waiting.pop()).await.is_err());
    }
    let clients = || server.cli(&["INFO", "clients"]);
    eventually("nobody waits", async || clients().contains("blocked_clients:0")).await;
    let connected: u32 = clients()
        .lines()
        .find_map(|line| line.strip_prefix("connected_clients:"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(connected <= 8, "{connected} connections");
}
