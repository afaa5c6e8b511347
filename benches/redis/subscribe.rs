//! Subscribing: a channel into an element, beside redis-rs and serde, under the same flood.

use crate::envelope::{Incoming, Kind};
use crate::flood::{Flood, WINDOW};
use crate::server::Server;
use futures::StreamExt;
use mape::backend::Backend;
use mape::channel::Topics;
use mape::prelude::*;
use mape_benches::{Comparison, Reading, Run};
use redis::Client;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) const CASES: &[&str] = &["subscribe", "subscribe_bare"];

const N: u64 = 51_200;
const CHANNEL: &str = "bench.subscribe";

pub(crate) async fn all(server: &Server, comparison: &mut Comparison) {
    for (case, bare) in [("subscribe", false), ("subscribe_bare", true)] {
        if !comparison.selects(&[case]) {
            continue;
        }
        let flood = Flood::new(server.port(), CHANNEL, N, bare);
        let backend = server.ours().await;
        comparison
            .rates(
                case,
                ">= 0.8",
                async || ours(&backend, &flood, bare).await,
                async || hand(server.client(), &flood, bare).await,
            )
            .await;
    }
}

async fn ours(backend: &Backend, flood: &Flood, bare: bool) -> Run {
    let received = Arc::new(AtomicU64::new(0));
    // Nothing is lost: more can wait than are under way.
    let capacity = NonZeroUsize::new(usize::try_from(2 * WINDOW).unwrap()).unwrap();
    let topics = Topics::names([CHANNEL]).capacity(capacity);
    let source = backend.channels().source::<Reading>(topics).await.unwrap();
    let source = if bare { source.bare() } else { source };

    let app = App::with_backend(backend.clone());
    let (progress, mut sum, mut left) = (received.clone(), 0, N);
    let total = move |reading: Reading, out: &mut Out<u64>| {
        progress.fetch_add(1, Ordering::Relaxed);
        sum += reading.tick;
        left -= 1;
        if left == 0 {
            out.emit(sum);
        }
    };
    let element = app.create_loop("bench").unwrap().monitor("subscribe").each(total).spawn().unwrap();
    let mut sums = element.subscribe();
    element.feed(source.values());
    element.start().unwrap();

    let flood = flood.start(received);
    let run = Run::of(N, async move { assert_eq!(sums.next().await, Some(Reading::sum(N))) }).await;
    flood.join().unwrap();
    run
}

async fn hand(client: &Client, flood: &Flood, bare: bool) -> Run {
    let received = Arc::new(AtomicU64::new(0));
    let mut pubsub = client.get_async_pubsub().await.unwrap();
    pubsub.subscribe(CHANNEL).await.unwrap();
    let (_sink, mut messages) = pubsub.split();

    let progress = received.clone();
    let flood = flood.start(received);
    let run = Run::of(N, async move {
        let (mut sum, mut last) = (0, 0);
        for _ in 0..N {
            let message = messages.next().await.unwrap();
            let payload = message.get_payload_bytes();
            let reading: Reading = if bare {
                serde_json::from_slice(payload).unwrap()
            } else {
                let envelope: Incoming<'_, Reading> = serde_json::from_slice(payload).unwrap();
                assert!(envelope.kind == Kind::Next && envelope.src == CHANNEL && envelope.epoch != 0);
                assert!(envelope.seq == last + 1 && envelope.at.as_second() > 0);
                last = envelope.seq;
                envelope.value
            };
            progress.fetch_add(1, Ordering::Relaxed);
            sum += reading.tick;
        }
        assert_eq!(sum, Reading::sum(N));
    })
    .await;
    flood.join().unwrap();
    run
}
