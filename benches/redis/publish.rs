//! Publishing: the out-port of an element into a channel, beside a loop that pipelines `PUBLISH`.

use crate::envelope::Outgoing;
use crate::server::Server;
use futures::stream;
use jiff::Timestamp;
use mape::channel::SinkStats;
use mape::prelude::*;
use mape_benches::{Comparison, Reading, Run};
use redis::aio::MultiplexedConnection;
use std::time::Duration;

pub(crate) const CASES: &[&str] = &["publish", "publish_bare"];

const N: u64 = 50_000;
/// How many payloads a channel sink publishes at once.
const BATCH: usize = 256;
const CHANNEL: &str = "bench.publish";

pub(crate) async fn all(server: &Server, comparison: &mut Comparison) {
    for (case, bare) in [("publish", false), ("publish_bare", true)] {
        if !comparison.selects(&[case]) {
            continue;
        }
        let app = App::with_backend(server.ours().await);
        let element = app.create_loop("bench").unwrap().monitor("publish").map(|reading: Reading| reading);
        let element = element.spawn().unwrap();
        let sink = app.channels().sink(CHANNEL);
        let sink = if bare { sink.bare() } else { sink };
        let stats = sink.stats();
        element.link_sink(sink, LinkOptions::new()).unwrap();
        element.start().unwrap();
        // As long as it is there, the element does not complete with its streams.
        let _open = element.sink();
        let by_hand = server.hand().await;
        comparison
            .rates(
                case,
                ">= 0.8",
                async || checked(server, ours(element.clone(), stats.clone())).await,
                async || checked(server, hand(by_hand.clone(), bare)).await,
            )
            .await;
    }
}

async fn checked(server: &Server, work: impl Future<Output = ()> + Send + 'static) -> Run {
    let before = server.calls("publish").await;
    let run = Run::of(N, work).await;
    assert_eq!(server.calls("publish").await - before, N);
    run
}

async fn ours(element: Element<Reading, Reading>, stats: SinkStats) {
    let all = stats.published() + N;
    element.feed(stream::iter(Reading::below(N)));
    while stats.published() < all {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!((stats.published(), stats.dropped(), stats.failures()), (all, 0, 0));
}

async fn hand(mut connection: MultiplexedConnection, bare: bool) {
    let mut readings = Reading::below(N);
    let (mut pipe, mut json) = (redis::Pipeline::with_capacity(BATCH), Vec::new());
    let mut seq = 0;
    loop {
        for reading in readings.by_ref().take(BATCH) {
            seq += 1;
            json.clear();
            if bare {
                serde_json::to_writer(&mut json, &reading).unwrap();
            } else {
                let (kind, src, epoch, at) = ("next", CHANNEL, 5_172_911_046_208_113, Timestamp::now());
                let envelope = Outgoing { kind, value: &reading, src, epoch, seq, at };
                serde_json::to_writer(&mut json, &envelope).unwrap();
            }
            pipe.cmd("PUBLISH").arg(CHANNEL).arg(&*json).ignore();
        }
        if pipe.is_empty() {
            return;
        }
        pipe.exec_async(&mut connection).await.unwrap();
        pipe.clear();
    }
}
