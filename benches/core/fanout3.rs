//! One source, three readers that each get everything.

use crate::measure::{self, numbers};
use criterion::Criterion;
use futures::stream;
use mape::prelude::*;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;

const N: u64 = 1_000_000;
const CAPACITY: usize = 1024;

pub(crate) fn all(c: &mut Criterion) {
    let sum = numbers(N).sum();
    let mut group = measure::group(c, "fanout3", N);
    measure::future(&mut group, "mape", &[sum; 3], mape);
    measure::future(&mut group, "tokio_broadcast", &[N; 3], tokio_broadcast);
    measure::future(&mut group, "mpsc_list", &[sum; 3], mpsc_list);
    group.finish();
}

async fn joined(readers: Vec<JoinHandle<u64>>) -> [u64; 3] {
    let mut sums = [0; 3];
    for (sum, reader) in sums.iter_mut().zip(readers) {
        *sum = reader.await.unwrap();
    }
    sums
}

async fn mape() -> [u64; 3] {
    let app = App::new();
    let fan = app.create_loop("fan").unwrap();
    let element = fan.monitor("e").each(|x: u64, out| out.emit(x)).spawn().unwrap();
    let readers = (0..3).map(|_| {
        let mut items = element.subscribe();
        tokio::spawn(async move {
            let mut sum = 0;
            while let Some(x) = items.next().await {
                sum += x;
            }
            sum
        })
    });
    let readers = readers.collect();
    element.start().unwrap();
    let mut source = element.sink();
    tokio::spawn(async move {
        let mut numbers = stream::iter(numbers(N).map(Ok));
        source.send_all(&mut numbers).await.unwrap();
        source.close().await.unwrap();
    });
    joined(readers).await
}

/// It holds nobody up: a reader that is too slow loses items. What counts here is what each got or was told it lost.
async fn tokio_broadcast() -> [u64; 3] {
    use broadcast::error::RecvError;
    let (tx, _) = broadcast::channel(CAPACITY);
    let readers = (0..3).map(|_| {
        let mut items = tx.subscribe();
        tokio::spawn(async move {
            let (mut sum, mut seen) = (0, 0);
            loop {
                match items.recv().await {
                    Ok(x) => {
                        sum += x;
                        seen += 1;
                    }
                    Err(RecvError::Lagged(lost)) => seen += lost,
                    Err(RecvError::Closed) => break,
                }
            }
            std::hint::black_box(sum);
            seen
        })
    });
    let readers = readers.collect();
    tokio::spawn(async move {
        for x in numbers(N) {
            tx.send(x).unwrap();
            tokio::task::coop::consume_budget().await;
        }
    });
    joined(readers).await
}

async fn mpsc_list() -> [u64; 3] {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..3).map(|_| mpsc::channel(CAPACITY)).unzip();
    let readers = receivers.into_iter().map(|mut items| {
        tokio::spawn(async move {
            let mut sum = 0;
            while let Some(x) = items.recv().await {
                sum += x;
            }
            sum
        })
    });
    let readers = readers.collect();
    tokio::spawn(async move {
        for x in numbers(N) {
            for sender in &senders {
                sender.send(x).await.unwrap();
            }
        }
    });
    joined(readers).await
}
