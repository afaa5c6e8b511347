//! What a sink does when its carrier fails, and a source when it was cut off.

use futures::{SinkExt, StreamExt, future, stream};
use mape::backend::Backend;
use mape::channel::{ChannelName, Channels, DeliverySender, Error, Payload, PubSub, Subscription, Topics};
use mape::stream::{Answer, Backoff};
use serde::Serialize;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A carrier that can be cut off; the rest is the memory's.
#[derive(Debug)]
struct Failing {
    memory: Arc<dyn PubSub>,
    down: AtomicBool,
    refuses: AtomicBool,
    attempts: AtomicU32,
    /// Takes the payloads and then says that it failed.
    forgets_to_answer: AtomicBool,
    subscribers: Mutex<Vec<DeliverySender>>,
}

impl Failing {
    fn new() -> (Arc<Self>, Channels) {
        let failing = Arc::new(Self {
            memory: Backend::memory().channels().pubsub().clone(),
            down: false.into(),
            refuses: false.into(),
            attempts: 0.into(),
            forgets_to_answer: false.into(),
            subscribers: Mutex::default(),
        });
        (failing.clone(), Channels::new(failing))
    }

    fn down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }
}

impl PubSub for Failing {
    fn publish(&self, channel: &ChannelName, payloads: &[Payload]) -> Answer<Result<u64, Error>> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let topic = channel.to_string();
        if self.down.load(Ordering::SeqCst) {
            let source = Arc::new(io::Error::from(io::ErrorKind::ConnectionReset));
            // As from a server: not at once.
            return Answer::pending(async move {
                sleep(Duration::from_millis(1)).await;
                Err(Error::Unavailable { topic, source })
            });
        }
        if self.refuses.load(Ordering::SeqCst) {
            let source = Arc::new(io::Error::from(io::ErrorKind::PermissionDenied));
            return Answer::ready(Err(Error::Refused { topic, source }));
        }
        let published = self.memory.publish(channel, payloads);
        if self.forgets_to_answer.swap(false, Ordering::SeqCst) {
            let source = Arc::new(io::Error::from(io::ErrorKind::BrokenPipe));
            return Answer::ready(Err(Error::Unavailable { topic, source }));
        }
        published
    }

    fn subscribe(&self, topics: Topics) -> Answer<Result<Subscription, Error>> {
        let (sender, subscription) = Subscription::bounded(topics, || ());
        self.subscribers.lock().unwrap().push(sender);
        Answer::ready(Ok(subscription))
    }
}

/// Hears what really was published.
async fn listener(failing: &Failing) -> impl futures::Stream<Item = u32> + Unpin {
    Channels::new(failing.memory.clone()).source::<u32>("a").await.unwrap().values().boxed()
}

#[tokio::test(start_paused = true)]
async fn a_sink_goes_on_after_an_outage_and_counts_what_it_dropped() {
    // PyMAPE's publishing task ends for ever, and in silence, with the first error of Redis.
    let (failing, channels) = Failing::new();
    let heard = listener(&failing).await;
    let sink = channels.sink::<u32>("a").capacity(10.try_into().unwrap());
    let stats = sink.stats();
    // One item each 100 ms; the carrier is away from 1 s to 6 s.
    let items = stream::iter(0..100_u32).then(|n| async move {
        sleep(Duration::from_millis(100)).await;
        Ok(n)
    });
    let outage = async {
        sleep(Duration::from_millis(1050)).await;
        failing.down(true);
        sleep(Duration::from_secs(5)).await;
        failing.down(false);
    };
    let (forwarded, ()) = future::join(items.forward(sink), outage).await;
    forwarded.unwrap();

    // Completion is published too.
    assert_eq!(stats.published() + stats.dropped(), 101);
    assert!(stats.dropped() > 20 && stats.failures() > 3, "{stats:?}");
    let heard: Vec<u32> = heard.take(usize::try_from(stats.published() - 1).unwrap()).collect().await;
    assert_eq!(heard[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(heard.is_sorted_by(|a, b| a < b), "{heard:?}");
    assert_eq!(heard.last(), Some(&99));
}

#[tokio::test(start_paused = true)]
async fn a_sink_does_not_try_again_and_again_without_a_pause() {
    let (failing, channels) = Failing::new();
    failing.down(true);
    let mut sink = channels.sink::<u32>("a");
    assert!(tokio::time::timeout(Duration::from_mins(1), sink.send(1)).await.is_err());
    let attempts = failing.attempts.load(Ordering::SeqCst);
    assert!((5..20).contains(&attempts), "{attempts} attempts in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_sink_gives_up_when_its_attempts_are_used_up_or_the_carrier_refuses() {
    let (failing, channels) = Failing::new();
    let mut heard = listener(&failing).await;
    let backoff = Backoff::constant(Duration::from_millis(10)).max_attempts(2);
    let mut sink = channels.sink::<u32>("a").backoff(backoff);
    failing.down(true);
    sink.send(1).await.unwrap();
    assert_eq!((sink.stats().failures(), sink.stats().dropped()), (3, 1));
    failing.down(false);
    failing.refuses.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    sink.send(2).await.unwrap();
    assert_eq!((sink.stats().failures(), sink.stats().dropped(), begun.elapsed()), (4, 2, Duration::ZERO));
    failing.refuses.store(false, Ordering::SeqCst);
    sink.send(3).await.unwrap();
    assert_eq!((heard.next().await, sink.stats().published()), (Some(3), 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_published_twice_because_an_answer_was_lost_arrives_once() {
    let (failing, channels) = Failing::new();
    let mut source = Channels::new(failing.memory.clone()).source::<u32>("a").await.unwrap();
    failing.forgets_to_answer.store(true, Ordering::SeqCst);
    let mut sink = channels.sink("a");
    sink.send(1).await.unwrap();
    sink.send(2).await.unwrap();
    assert_eq!((source.next().await, source.next().await), (Some(Ok(1)), Some(Ok(2))));
    assert_eq!(source.stats().repeated(), 1);
}

#[tokio::test]
async fn an_item_that_cannot_be_written_is_counted_and_told_and_the_next_goes_on() {
    struct Odd(u32);
    impl Serialize for Odd {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if self.0 == 2 {
                Err(serde::ser::Error::custom("even"))
            } else {
                serializer.serialize_u32(self.0)
            }
        }
    }
    let channels = Backend::memory().channels();
    let mut source = channels.source::<u32>("a").await.unwrap();
    let mut sink = channels.sink::<Odd>("a");
    for n in 1..=3 {
        sink.send(Odd(n)).await.unwrap();
    }
    assert_eq!(source.next().await, Some(Ok(1)));
    let told = source.next().await.unwrap().unwrap_err();
    assert_eq!(told.to_string(), "a reported: an item could not be written: even");
    assert_eq!(source.next().await, Some(Ok(3)));
    assert_eq!(sink.stats().refused(), 1);
}

#[tokio::test]
async fn a_subscriber_is_told_of_an_interruption_and_hears_on() {
    // PyMAPE's source is just silent when its connection is lost.
    let (failing, channels) = Failing::new();
    let mut source = channels.source::<u32>("a").await.unwrap().bare();
    let subscriber = failing.subscribers.lock().unwrap().pop().unwrap();
    let hear = |payload: &[u8]| assert!(subscriber.send(&"a".into(), &payload.into()));
    hear(b"1");
    subscriber.interrupted();
    hear(b"2");
    assert_eq!(source.next().await, Some(Ok(1)));
    assert_eq!(source.next().await, Some(Err(Error::Interrupted)));
    assert_eq!(source.next().await, Some(Ok(2)));
}
