//! What every store promises to those who wait: takers of queues and holders of locks.

use crate::suite::eventually;
use futures::future::join_all;
use mape::knowledge::{Error, Items, Knowledge, LockGuard, SortedCommand, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The tests of all claims here, as in `conformance`.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), knowledge::guarding:
            each_item_goes_to_exactly_one_of_many_takers,
            a_taker_waits_until_there_is_an_item,
            items_put_in_together_wake_as_many_takers,
            a_transaction_wakes_those_who_wait,
            a_taker_that_gives_up_takes_nothing,
            a_lock_has_one_holder_at_a_time,
            fencing_tokens_grow,
            a_dropped_guard_releases_the_lock,
            the_lease_is_renewed_as_long_as_the_guard_lives,
            a_lock_whose_holder_is_gone_is_free_when_its_lease_ends,
            a_holder_that_lost_the_lock_learns_it_and_can_do_nothing_under_it,
            a_lease_of_nothing_is_refused,
        }
    };
}
pub(crate) use suite;

pub(crate) async fn each_item_goes_to_exactly_one_of_many_takers(k: Knowledge) {
    let (queue, stack, priority) = (k.queue::<u32>("q"), k.stack::<u32>("s"), k.priority_queue::<u32>("p"));
    let takers = (0..8).map(|n| {
        let (queue, stack, priority) = (queue.clone(), stack.clone(), priority.clone());
        tokio::spawn(async move {
            let mut taken = Vec::new();
            for _ in 0..75 {
                taken.push(match n % 3 {
                    0 => queue.pop().await.unwrap(),
                    1 => stack.pop().await.unwrap(),
                    _ => priority.pop().await.unwrap().0,
                });
            }
            taken
        })
    });
    let takers: Vec<_> = takers.collect();
    for n in 0..225 {
        queue.push(&n).await.unwrap();
        stack.extend(&[1000 + n]).await.unwrap();
        if n < 150 {
            priority.push(&(2000 + n), f64::from(n % 7)).await.unwrap();
        }
        if n % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let mut taken: Vec<u32> = join_all(takers).await.into_iter().flat_map(Result::unwrap).collect();
    taken.sort_unstable();
    let put: Vec<u32> = (0..225).chain(1000..1225).chain(2000..2150).collect();
    assert_eq!(taken, put);
    assert!(
        !queue.exists().await.unwrap() && !stack.exists().await.unwrap() && !priority.exists().await.unwrap()
    );
}

pub(crate) async fn a_taker_waits_until_there_is_an_item(k: Knowledge) {
    let queue = k.queue::<u32>("q");
    let taker = tokio::spawn({
        let queue = queue.clone();
        async move { queue.pop().await.unwrap() }
    });
    sleep(Duration::from_millis(50)).await;
    assert!(!taker.is_finished());
    queue.push(&7).await.unwrap();
    assert_eq!(timeout(Duration::from_secs(5), taker).await.unwrap().unwrap(), 7);
}

pub(crate) async fn items_put_in_together_wake_as_many_takers(k: Knowledge) {
    let (queue, priority) = (k.queue::<u32>("q"), k.priority_queue::<u32>("p"));
    for _ in 0..3 {
        let mut takers = Vec::new();
        for n in 0..6 {
            let (queue, priority) = (queue.clone(), priority.clone());
            takers.push(tokio::spawn(async move {
                if n < 3 { queue.pop().await.unwrap() } else { priority.pop().await.unwrap().0 }
            }));
        }
        sleep(Duration::from_millis(50)).await;
        queue.extend(&[0, 1, 2]).await.unwrap();
        let members = (3..6).map(|n| (priority.data(&n).unwrap(), 1.0)).collect();
        k.store().run(priority.key(), SortedCommand::Add(Items::Many(members)).into()).await.unwrap();
        let taken = timeout(Duration::from_secs(5), join_all(takers)).await.expect("all are woken");
        let mut taken: Vec<u32> = taken.into_iter().map(Result::unwrap).collect();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2, 3, 4, 5]);
    }
}

pub(crate) async fn a_transaction_wakes_those_who_wait(k: Knowledge) {
    let queue = k.queue::<u32>("q");
    let taker = tokio::spawn({
        let queue = queue.clone();
        async move { queue.pop().await.unwrap() }
    });
    sleep(Duration::from_millis(50)).await;
    k.store().commit(Transaction::new().rpush(queue.key(), "7")).await.unwrap();
    assert_eq!(timeout(Duration::from_secs(5), taker).await.unwrap().unwrap(), 7);
}

pub(crate) async fn a_taker_that_gives_up_takes_nothing(k: Knowledge) {
    let queue = k.queue::<u32>("q");
    let patient = tokio::spawn({
        let queue = queue.clone();
        async move { queue.pop().await.unwrap() }
    });
    for _ in 0..20 {
        assert!(timeout(Duration::from_millis(2), queue.pop()).await.is_err());
    }
    // Woken and dropped before it could look, it hands the wake-up on.
    let mut hasty = Box::pin(queue.pop());
    assert!(futures::poll!(&mut hasty).is_pending());
    queue.extend(&[1, 2]).await.unwrap();
    drop(hasty);
    assert_eq!(timeout(Duration::from_secs(5), patient).await.unwrap().unwrap(), 1);
    assert_eq!(queue.pop().await.unwrap(), 2);
}

pub(crate) async fn a_lock_has_one_holder_at_a_time(k: Knowledge) {
    let (holders, total) = (Arc::new(AtomicU32::new(0)), k.value::<u32>("total"));
    let workers = (0..8).map(|_| {
        let (lock, holders, total) = (k.lock("bridge"), holders.clone(), total.clone());
        tokio::spawn(async move {
            for _ in 0..5 {
                let guard = lock.acquire().await.unwrap();
                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                // Read and written apart: only the lock keeps it whole.
                let read = total.get().await.unwrap().unwrap_or(0);
                sleep(Duration::from_millis(1)).await;
                total.set(&(read + 1)).await.unwrap();
                holders.fetch_sub(1, Ordering::SeqCst);
                guard.release().await.unwrap();
            }
        })
    });
    join_all(workers).await.into_iter().for_each(Result::unwrap);
    assert_eq!(total.get().await.unwrap(), Some(40));
}

pub(crate) async fn fencing_tokens_grow(k: Knowledge) {
    let lock = k.lock("bridge");
    let mut last = 0;
    for round in 0..5 {
        let guard = lock.acquire().await.unwrap();
        assert!(guard.token() > last, "{} after {last}", guard.token());
        last = guard.token();
        if round % 2 == 0 {
            guard.release().await.unwrap();
        }
    }
}

pub(crate) async fn a_dropped_guard_releases_the_lock(k: Knowledge) {
    let lock = k.lock("bridge");
    let guard = lock.acquire().await.unwrap();
    assert!(lock.is_held().await.unwrap() && lock.try_acquire().await.unwrap().is_none());
    drop(guard);
    let second = timeout(Duration::from_secs(2), lock.acquire()).await.unwrap().unwrap();
    second.release().await.unwrap();
    assert!(!lock.is_held().await.unwrap());
}

pub(crate) async fn the_lease_is_renewed_as_long_as_the_guard_lives(k: Knowledge) {
    let lock = k.lock("bridge").lease(Duration::from_secs(1));
    let guard = lock.acquire().await.unwrap();
    for _ in 0..8 {
        sleep(Duration::from_millis(400)).await;
        guard.check().unwrap();
        assert!(lock.try_acquire().await.unwrap().is_none());
    }
    guard.release().await.unwrap();
}

pub(crate) async fn a_lock_whose_holder_is_gone_is_free_when_its_lease_ends(k: Knowledge) {
    // As a process leaves it behind that was killed.
    k.value::<String>("bridge").set_for("somebody", Duration::from_millis(200)).await.unwrap();
    let lock = k.lock("bridge");
    assert!(lock.try_acquire().await.unwrap().is_none());
    timeout(Duration::from_secs(5), lock.acquire()).await.unwrap().unwrap().release().await.unwrap();
}

pub(crate) async fn a_holder_that_lost_the_lock_learns_it_and_can_do_nothing_under_it(k: Knowledge) {
    let (lock, value) = (k.lock("bridge").lease(Duration::from_millis(300)), k.value::<u8>("v"));
    let guard = lock.acquire().await.unwrap();
    let write = |guard: &LockGuard, n: &str| Transaction::new().expect_lock(guard).set(value.key(), n);
    k.store().commit(write(&guard, "1")).await.unwrap();
    // As if it had slept through its lease and another had come.
    k.keyspace().delete("bridge").await.unwrap();
    let second = lock.acquire().await.unwrap();
    assert!(second.token() > guard.token());
    let error = k.store().commit(write(&guard, "2")).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    let lost = timeout(Duration::from_secs(5), guard.lost()).await.unwrap();
    assert!(lost.to_string().starts_with("lock `k.app.bridge` was lost"), "{lost}");
    assert!(matches!(guard.check(), Err(Error::LockLost { .. })));
    assert!(matches!(guard.release().await, Err(Error::LockLost { .. })));
    // Releasing what is not its own leaves the other's lock alone.
    k.store().commit(write(&second, "3")).await.unwrap();
    assert_eq!(value.get().await.unwrap(), Some(3));
    eventually("the second still holds it", async || lock.is_held().await.unwrap()).await;
}

pub(crate) async fn a_lease_of_nothing_is_refused(k: Knowledge) {
    let refused = k.lock("bridge").lease(Duration::ZERO).try_acquire().await;
    assert!(matches!(refused, Err(Error::ZeroLease { .. })), "{refused:?}");
}
