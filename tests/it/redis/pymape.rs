//! What went wrong in `PyMAPE` on a real server, and does not here; more of it is in `outages`.

use super::world::next;
use crate::server::{RedisServer, ask};
use futures::SinkExt;
use mape::backend::Backend;
use mape::channel::Error;
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn a_pickle_is_data_that_cannot_be_read_and_nothing_of_it_is_run() {
    // PyMAPE unpickles whatever is published, which runs what is in it.
    let server = RedisServer::start();
    let backend = Backend::open(&server.url()).await.unwrap();
    let mark = server.directory().join("mark");
    let pickle = format!("cos\nsystem\n(S'touch {}'\ntR.", mark.display());
    let mut items = backend.channels().source::<u32>("a").await.unwrap();
    let mut bare = backend.channels().source::<u32>("a").await.unwrap().bare();
    ask::<i64>(server.port(), &[b"PUBLISH", b"a".as_slice(), pickle.as_bytes()]).unwrap();
    for told in [next(&mut items).await, next(&mut bare).await] {
        assert!(
            matches!(&told, Err(Error::Decode { beginning, .. }) if beginning.starts_with("cos")),
            "{told:?}"
        );
    }
    backend.channels().sink("a").send(1).await.unwrap();
    assert_eq!(next(&mut items).await, Ok(1));
    assert!(!mark.exists());
}

#[tokio::test]
async fn a_publisher_without_a_server_keeps_the_newest_and_counts_the_rest() {
    // PyMAPE's queue has no end, and its task ends in silence with the first error.
    let mut server = RedisServer::start();
    let channels = Backend::open(&server.url()).await.unwrap().channels();
    let mut sink = channels.sink::<u32>("a").capacity(NonZeroUsize::new(10).unwrap());
    server.kill_9();
    for n in 0..1000 {
        sink.feed(n).await.unwrap();
    }
    assert!(timeout(Duration::from_millis(100), sink.flush()).await.is_err(), "there is nobody to flush to");
    server.restart();
    let mut items = channels.source::<u32>("a").await.unwrap();
    sink.flush().await.unwrap();
    let (published, dropped) = (sink.stats().published(), sink.stats().dropped());
    assert_eq!(published + dropped, 1000);
    assert!((10..=20).contains(&published), "{published} published");
    // Items that wait are queued first, and those that were being sent are sent again.
    let mut last = next(&mut items).await;
    while last != Ok(999) {
        last = next(&mut items).await;
    }
}
