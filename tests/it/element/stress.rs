//! Everything at once: random changes to a running graph from two tasks; the accounts must add up all the time.

use super::{SOON, one_loop, until};
use mape::element::{Link, LinkStats, Overflow, State};
use mape::prelude::*;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who made it, and its number.
type Stamped = (usize, u64);

/// The numbers of two elements.
type Ends = (usize, usize);

fn adds_up(s: &LinkStats) -> bool {
    s.offered == s.received + s.dropped + s.skipped + s.queued as u64
}

/// Per element, what it received: the items of each maker must come in order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<HashMap<Ends, Vec<u64>>>>);

impl Seen {
    fn note(&self, at: usize, item: Stamped) {
        self.0.lock().entry((at, item.0)).or_default().push(item.1);
    }
}

const SOURCES: usize = 3;
const RECEIVERS: usize = 3;

struct Graph {
    app: App,
    sources: Vec<Element<u64, Stamped>>,
    receivers: Vec<Element<Stamped, Stamped>>,
    /// At most one link from each source to each receiver; `None` while it is being moved or cut.
    links: Mutex<HashMap<Ends, Option<Link<Stamped>>>>,
    seen: Seen,
}

impl Graph {
    fn new() -> Self {
        let (app, l) = one_loop();
        let seen = Seen::default();
        let sources = (0..SOURCES).map(|i| {
            let e = l.monitor(&format!("s{i}")).remember(3).map(move |n: u64| (i, n)).spawn().unwrap();
            e.start().unwrap();
            e
        });
        let sources = sources.collect();
        let receivers = (0..RECEIVERS).map(|i| {
            let seen = seen.clone();
            let b = l.execute(&format!("r{i}"));
            let f = move |item: Stamped| {
                seen.note(i, item);
                item
            };
            match i {
                0 => b.map(f).spawn().unwrap(),
                1 => b.ops_in(|s| s.map(|x| x)).map(f).ops_out(|s| s.map(|x| x)).spawn().unwrap(),
                _ => b
                    .each_async(move |item: Stamped, out: Emitter<Stamped>| {
                        f(item);
                        async move {
                            out.emit(item).await;
                        }
                    })
                    .spawn()
                    .unwrap(),
            }
        });
        let receivers = receivers.collect();
        Self { app, sources, receivers, links: Mutex::default(), seen }
    }

    /// Whether there is no such link, and then there will be: the caller makes it.
    fn reserve(&self, key: Ends) -> bool {
        let mut links = self.links.lock();
        let free = !links.contains_key(&key);
        if free {
            links.insert(key, None);
        }
        free
    }

    /// A link to be cut or moved; its place stays reserved.
    fn take(&self, key: Ends) -> Option<Link<Stamped>> {
        self.links.lock().get_mut(&key)?.take()
    }

    /// One random change. None of them may be refused in an unexpected way.
    async fn change(&self, rng: &mut fastrand::Rng, subscriptions: &mut Vec<Subscription<Stamped>>) {
        let (s, r) = (rng.usize(..SOURCES), rng.usize(..RECEIVERS));
        let (source, receiver) = (&self.sources[s], &self.receivers[r]);
        let overflow = *rng.choice(&[Overflow::Wait, Overflow::DropOldest, Overflow::DropNewest]).unwrap();
        let options = LinkOptions::new().capacity(rng.usize(1..64)).overflow(overflow);
        match rng.u8(..15) {
            0 | 1 => {
                if self.reserve((s, r)) {
                    let link = if rng.bool() {
                        source.link_with(receiver, options).unwrap()
                    } else {
                        source.link_ops(receiver, options, |s| s.map(|x| x)).unwrap()
                    };
                    self.links.lock().insert((s, r), Some(link));
                }
            }
            2 => {
                if let Some(link) = self.take((s, r)) {
                    assert!(adds_up(&link.stats()), "{:?}", link.stats());
                    link.unlink();
                    self.links.lock().remove(&(s, r));
                }
            }
            3 | 4 => {
                let to = (r + 1) % RECEIVERS;
                if self.reserve((s, to)) {
                    let moved = self.take((s, r)).map(|mut link| {
                        link.relink(&self.receivers[to]).unwrap();
                        link
                    });
                    let mut links = self.links.lock();
                    if let Some(link) = moved {
                        links.insert((s, to), Some(link));
                        links.remove(&(s, r));
                    } else {
                        links.remove(&(s, to));
                    }
                }
            }
            5 => {
                if receiver.pause() {
                    tokio::task::yield_now().await;
                    receiver.resume();
                }
            }
            6 => {
                receiver.stop();
                if rng.bool() {
                    tokio::task::yield_now().await;
                }
                let _ = receiver.start();
            }
            7 => {
                let _ = receiver.drain(Duration::from_millis(rng.u64(..2))).await;
                let _ = receiver.start();
            }
            8 => {
                if let Some(Some(link)) = self.links.lock().get(&(s, r)) {
                    link.set_overflow(overflow);
                    assert!(adds_up(&link.stats()), "{:?}", link.stats());
                }
            }
            9 => subscriptions.push(source.subscribe_with(options.replay(rng.usize(..3))).unwrap()),
            10 => drop(subscriptions.pop()),
            11 => receiver.restart(),
            12 => drop((source.tap_out(2), receiver.tap_in(2))),
            13 => {
                for subscription in subscriptions.iter_mut() {
                    while subscription.try_next().is_some() {}
                    assert!(adds_up(&subscription.stats()), "{:?}", subscription.stats());
                }
            }
            _ => assert!(self.app.topology().elements().count() == SOURCES + RECEIVERS),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "a run that failed is repeated by its seed, or made longer")]
async fn random_changes_under_load_keep_the_order_and_the_accounts_and_shutdown_ends_clean() {
    let seed =
        std::env::var("STRESS_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    let seconds = std::env::var("STRESS_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(2);
    println!("seed {seed}");
    let until_then = Instant::now() + Duration::from_secs(seconds);
    let mut round = 0;
    while Instant::now() < until_then {
        round += 1;
        one_round(seed.wrapping_add(round)).await;
    }
}

async fn one_round(seed: u64) {
    let graph = Arc::new(Graph::new());
    let going = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let pushing: Vec<_> = graph
        .sources
        .iter()
        .cloned()
        .map(|source| {
            let going = going.clone();
            tokio::spawn(async move {
                let mut n = 0;
                while going.load(std::sync::atomic::Ordering::Relaxed) {
                    let pushed = tokio::time::timeout(Duration::from_millis(2), source.push(n)).await;
                    n += u64::from(matches!(pushed, Ok(Ok(()))));
                    if n % 64 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                n
            })
        })
        .collect();
    let changing: Vec<_> = (0..2)
        .map(|which| {
            let graph = graph.clone();
            tokio::spawn(async move {
                let mut rng = fastrand::Rng::with_seed(seed ^ which);
                let mut subscriptions = Vec::new();
                for _ in 0..150 {
                    graph.change(&mut rng, &mut subscriptions).await;
                    if rng.bool() {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for task in changing {
        tokio::time::timeout(SOON, task).await.expect("a change stands still").unwrap();
    }
    going.store(false, std::sync::atomic::Ordering::Relaxed);
    let mut pushed = Vec::new();
    for task in pushing {
        pushed.push(tokio::time::timeout(SOON, task).await.expect("a push stands still").unwrap());
    }
    // Whatever state the changes left: everything runs again and every item gets through.
    for receiver in &graph.receivers {
        let _ = receiver.wait_for_state(|s| s != State::Draining).await;
        let _ = receiver.start();
        assert_eq!(receiver.state(), State::Running, "seed {seed}");
    }
    for (source, n) in graph.sources.iter().zip(&pushed) {
        until("all that was pushed is emitted", || source.info().output.emitted == *n).await;
    }
    until("all links have carried what they were given", || {
        graph.links.lock().values().flatten().map(Link::stats).all(|s| s.queued == 0 && s.blocked.is_none())
    })
    .await;
    for (key, link) in graph.links.lock().iter() {
        let s = link.as_ref().expect("nobody works on it any more").stats();
        assert!(adds_up(&s), "seed {seed}, {key:?}: {s:?}");
    }
    let done = graph.app.shutdown(SOON).await;
    assert!(done.is_clean(), "seed {seed}: {done:?}");
    for ((at, from), numbers) in graph.seen.0.lock().iter() {
        assert!(numbers.is_sorted(), "seed {seed}: order from s{from} to r{at}: {numbers:?}");
        // At most one link at a time leads from one to the other, so nothing comes twice.
        assert!(numbers.windows(2).all(|w| w[0] < w[1]), "seed {seed}: doubled from s{from} to r{at}");
    }
}
