//! Many clients that hold a connection each and note what they hear.

use super::client::{Client, get};
use super::part;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// So many connect at a time.
const AT_ONCE: usize = 200;
/// If nobody hears anything for as long, nothing more will come.
const SILENCE: Duration = Duration::from_secs(5);

pub(super) struct Crowd {
    clients: Vec<Arc<Mutex<Heard>>>,
    total: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

/// What one or all have heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) parts: u64,
    /// Numbers that did not come.
    pub(super) lost: u64,
    /// Numbers that came twice or too late.
    pub(super) again: u64,
    /// How old parts were, in microseconds.
    ages: Vec<u32>,
    next: u64,
}

impl Crowd {
    /// Connects them all, each to the path of its number.
    pub(super) async fn hold(port: u16, count: usize, path: impl Fn(usize) -> String) -> Self {
        let (mut tasks, mut opening) = (JoinSet::new(), JoinSet::new());
        let (places, total) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(AtomicU64::new(0)));
        for number in 0..count {
            let (request, place) = (get(port, &path(number)), places.clone().acquire_owned().await.unwrap());
            opening.spawn(async move {
                let client = Client::open(port, number, &request).await;
                drop(place);
                client.unwrap_or_else(|error| panic!("client {number}: {error}"))
            });
        }
        let mut clients = Vec::new();
        while let Some(client) = opening.join_next().await {
            let (client, heard) = (client.unwrap(), Arc::new(Mutex::new(Heard::default())));
            tasks.spawn(listen(client, heard.clone(), total.clone()));
            clients.push(heard);
        }
        Self { clients, total, _tasks: tasks }
    }

    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Waits until they have heard so many parts together, or nothing more comes.
    pub(super) async fn hear(&self, parts: u64) {
        let (mut before, mut since) = (0, Instant::now());
        loop {
            let now = self.total.load(Ordering::Relaxed);
            if now >= parts || now == before && since.elapsed() > SILENCE {
                return;
            }
            if now != before {
                (before, since) = (now, Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// All that they have heard of so many parts each.
    pub(super) fn leave(self, each: u64) -> Heard {
        let mut all = Heard::default();
        for client in &self.clients {
            let heard = std::mem::take(&mut *client.lock().unwrap());
            all.parts += heard.parts;
            all.lost += heard.lost + each.saturating_sub(heard.next);
            all.again += heard.again;
            all.ages.extend(heard.ages);
        }
        all.ages.sort_unstable();
        all
    }
}

async fn listen(mut client: Client, heard: Arc<Mutex<Heard>>, total: Arc<AtomicU64>) {
    loop {
        let mut parts = 0;
        let more = client.read(|line| {
            if let Some((tick, age)) = part::read(line) {
                heard.lock().unwrap().hear(tick, age);
                parts += 1;
            }
        });
        let more = more.await;
        total.fetch_add(parts, Ordering::Relaxed);
        match more {
            Ok(true) => {}
            Ok(false) => return eprintln!("a client was told that this is all"),
            Err(error) => return eprintln!("a client was let go of: {error}"),
        }
    }
}

impl Heard {
    fn hear(&mut self, tick: u64, age: u32) {
        self.parts += 1;
        self.ages.push(age);
        if tick < self.next {
            self.again += 1;
        } else {
            self.lost += tick - self.next;
            self.next = tick + 1;
        }
    }

    /// What so many per mille of the parts were not older than, in milliseconds.
    pub(super) fn age(&self, per_mille: usize) -> f64 {
        let at = self.ages.len().saturating_sub(1) * per_mille / 1000;
        self.ages.get(at).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    }
}
