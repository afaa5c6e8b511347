//! Channels while the server is killed, hangs, refuses, or somebody cuts the line.

use super::log::Log;
use super::world::next;
use crate::server::{Proxy, RedisServer};
use crate::suite::{eventually, with_causes};
use futures::{SinkExt, Stream, StreamExt};
use mape::backend::{Backend, NotDone};
use mape::channel::{Channels, Error, Incoming, Topics};
use mape::knowledge::Scope;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::{sleep, timeout};

async fn channels(url: &str) -> Channels {
    Backend::open(url).await.unwrap().channels()
}

/// Publishes 0, 1, 2, … on a channel, one each millisecond, until it is told to end; then says how many.
struct Publisher {
    end: Arc<AtomicBool>,
    task: JoinHandle<u64>,
}

impl Publisher {
    fn start(channels: &Channels, channel: &str) -> Self {
        let mut sink = channels.sink::<u64>(channel);
        let end = Arc::new(AtomicBool::new(false));
        let told = end.clone();
        let task = tokio::spawn(async move {
            let mut count = 0;
            while !told.load(Ordering::SeqCst) {
                sink.feed(count).await.unwrap();
                // What is queued goes out without being waited for.
                let _ = timeout(Duration::from_millis(1), sink.flush()).await;
                count += 1;
                sleep(Duration::from_millis(1)).await;
            }
            sink.flush().await.unwrap();
            assert_eq!(sink.stats().dropped(), 0);
            count
        });
        Self { end, task }
    }

    /// How many items it published.
    async fn end(self) -> u64 {
        self.end.store(true, Ordering::SeqCst);
        self.task.await.unwrap()
    }
}

/// Reads until the item before `count`: how many interruptions were told and how many items missed. Every gap has to be
/// told as what it is.
async fn follow(source: &mut (impl Stream<Item = Result<u64, Error>> + Unpin), count: u64) -> (u64, u64) {
    let (mut place, mut interruptions, mut missed) = (0, 0, 0);
    while place < count {
        match next(source).await {
            Ok(item) => {
                assert_eq!(item, place, "a gap that was not told, or something twice");
                place += 1;
            }
            Err(Error::Missed { count, .. }) => {
                place += count;
                missed += count;
            }
            Err(Error::Interrupted) => interruptions += 1,
            Err(other) => panic!("{other}"),
        }
    }
    (interruptions, missed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_and_subscribers_outlive_a_server_killed_again_and_again_and_are_told_the_gaps() {
    // PyMAPE's publisher ends for ever, in silence, with the first error; its subscriber goes deaf.
    let mut server = RedisServer::start();
    let channels = channels(&server.url()).await;
    let mut source = channels.source::<u64>("a").await.unwrap();
    let mut watcher =
        channels.subscribe("*").await.unwrap().filter(|it| std::future::ready(*it == Incoming::Interrupted));
    let mut raw = channels.subscribe(Topics::from("a").capacity(65_536.try_into().unwrap())).await.unwrap();
    let publisher = Publisher::start(&channels, "a");
    let kills = 3;
    for _ in 0..kills {
        sleep(Duration::from_millis(100)).await;
        block_in_place(|| server.kill_9());
        sleep(Duration::from_millis(150)).await;
        block_in_place(|| server.restart());
        let back = Instant::now();
        next(&mut watcher).await;
        assert!(back.elapsed() < Duration::from_secs(2), "deaf for {:?}", back.elapsed());
    }
    sleep(Duration::from_millis(100)).await;
    let count = publisher.end().await;
    let (interruptions, missed) = follow(&mut source, count).await;
    assert_eq!(interruptions, kills);
    // What waits in the sink goes out as soon as it can, which may be before a subscriber is back.
    assert!(missed < count, "{missed} of {count} missed");
    // Interruptions stand exactly where the gaps are.
    let (mut last, mut interrupted) = (0, false);
    while last < count {
        match next(&mut raw).await {
            Incoming::Delivery(it) => {
                let envelope: serde_json::Value = serde_json::from_slice(&it.payload).unwrap();
                let seq = envelope["seq"].as_u64().unwrap();
                assert!(seq <= last + 1 || interrupted, "from {last} to {seq}");
                (last, interrupted) = (last.max(seq), false);
            }
            Incoming::Interrupted => interrupted = true,
            missed @ Incoming::Missed(_) => panic!("{missed:?}"),
        }
    }
}

#[tokio::test]
async fn a_long_outage_ends_within_two_seconds_of_the_servers_return_for_a_thousand_subscriptions() {
    let mut server = RedisServer::start();
    let channels = channels(&server.url()).await;
    let names: Vec<String> = (0..700).map(|n| format!("name_{n}")).collect();
    let mut all = Vec::new();
    for name in &names {
        all.push(channels.subscribe(Topics::names([name.as_str()])).await.unwrap());
    }
    for n in 0..300 {
        all.push(channels.subscribe(Topics::patterns([format!("{n}_*")])).await.unwrap());
    }
    server.kill_9();
    sleep(Duration::from_millis(2500)).await;
    server.restart();
    let back = Instant::now();
    for subscription in &mut all {
        assert_eq!(next(subscription).await, Incoming::Interrupted);
    }
    assert!(back.elapsed() < Duration::from_secs(2), "deaf for {:?}", back.elapsed());
    for name in ["name_0", "name_699", "299_x"] {
        assert_eq!(channels.publish(name, &1).await.unwrap(), 1);
    }
    assert!(matches!(next(&mut all[699]).await, Incoming::Delivery(_)));
}

#[tokio::test]
async fn a_connection_on_which_nothing_comes_any_more_is_noticed() {
    let server = RedisServer::start();
    let proxy = Proxy::before(&server);
    let channels = channels(&proxy.url()).await;
    let mut heard = channels.subscribe("a").await.unwrap();
    channels.publish("a", &1).await.unwrap();
    assert!(matches!(next(&mut heard).await, Incoming::Delivery(_)));
    // Nobody closes anything: the cable is out.
    proxy.hold();
    let held = Instant::now();
    let error = channels.publish("a", &2).await.unwrap_err();
    assert!(error.is_retryable() && held.elapsed() < Duration::from_secs(7), "{error} {:?}", held.elapsed());
    proxy.resume();
    // The subscriber found out, too, and by itself.
    assert_eq!(next(&mut heard).await, Incoming::Interrupted);
    assert_eq!(channels.publish("a", &4).await.unwrap(), 1);
    // 2 was under way, and may have come out when the cable was in again.
    let heard =
        heard.filter(|it| std::future::ready(matches!(it, Incoming::Delivery(it) if &*it.payload == b"4")));
    next(&mut std::pin::pin!(heard)).await;
}

#[tokio::test]
async fn a_slow_server_is_waited_for_on_the_same_connections() {
    let mut server = RedisServer::start();
    let proxy = Proxy::before(&server);
    let channels = channels(&proxy.url()).await;
    let mut heard = channels.subscribe("a").await.unwrap();
    let connections = proxy.connections_accepted();
    proxy.delay(Duration::from_millis(300));
    assert_eq!(channels.publish("a", &1).await.unwrap(), 1);
    proxy.delay(Duration::ZERO);
    server.pause();
    let published = channels.publish("a", &2);
    let resumed = async {
        sleep(Duration::from_secs(1)).await;
        server.resume();
    };
    let (published, ()) = tokio::join!(published, resumed);
    assert_eq!(published.unwrap(), 1);
    for payload in [b"1", b"2"] {
        assert!(matches!(next(&mut heard).await, Incoming::Delivery(it) if &*it.payload == payload));
    }
    assert_eq!(proxy.connections_accepted(), connections);
}

#[tokio::test]
async fn connections_that_the_server_kills_come_back() {
    let server = RedisServer::start();
    let channels = channels(&server.url()).await;
    let mut heard = channels.subscribe("a").await.unwrap();
    for (n, kind) in ["normal", "pubsub", "normal", "pubsub"].into_iter().enumerate() {
        server.cli(&["CLIENT", "KILL", "TYPE", kind]);
        if kind == "pubsub" {
            assert_eq!(next(&mut heard).await, Incoming::Interrupted);
        }
        // Who publishes may have lost its connection, too.
        eventually("it is published", async || channels.publish("a", &n).await == Ok(1)).await;
        assert!(
            matches!(next(&mut heard).await, Incoming::Delivery(it) if *it.payload == *n.to_string().as_bytes())
        );
    }
}

#[tokio::test]
async fn what_is_published_while_the_server_is_away_for_a_moment_waits_for_it() {
    let mut server = RedisServer::start();
    let channels = channels(&server.url()).await;
    server.kill_9();
    // So that the loss is known and nothing is under way.
    let _ = channels.publish("a", &0).await.unwrap_err();
    let begun = Instant::now();
    let (published, ()) = tokio::join!(channels.publish("a", &1), async {
        sleep(Duration::from_millis(300)).await;
        server.restart();
    });
    assert_eq!(published.unwrap(), 0);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    server.kill_9();
    let _ = channels.publish("a", &0).await.unwrap_err();
    let begun = Instant::now();
    let (published, subscribed) = tokio::join!(channels.publish("a", &1), channels.subscribe(["b", "car_*"]));
    for error in [published.unwrap_err(), subscribed.unwrap_err()] {
        assert!(error.is_retryable());
        // That nothing was sent stands among the causes, so that who asked can ask again.
        let mut causes =
            std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let nothing_done = causes.find_map(|cause| cause.downcast_ref::<NotDone>()).unwrap();
        let why = nothing_done.to_string();
        assert!(why.contains(&format!("127.0.0.1:{}: connection refused", server.port())), "{why}");
    }
    assert!((1500..4000).contains(&begun.elapsed().as_millis()), "patient for 2 s: {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_password_changed_at_run_time_is_one_warning_and_no_storm() {
    let (log, _listening) = Log::listen();
    let server = RedisServer::start();
    let proxy = Proxy::before(&server);
    let channels = channels(&proxy.url()).await;
    let mut heard = channels.subscribe("a").await.unwrap();
    server.cli(&["ACL", "SETUSER", "default", "resetpass", ">new"]);
    proxy.cut();
    let before = proxy.connections_accepted();
    sleep(Duration::from_millis(2500)).await;
    let attempts = proxy.connections_accepted() - before;
    assert!((1..=2).contains(&attempts), "{attempts} attempts");
    assert_eq!(log.warnings("redis refuses the connection").len(), 1, "{:?}", log.all());
    let error = channels.publish("a", &1).await.unwrap_err();
    let why = with_causes(&error);
    assert!(error.is_retryable() && why.contains("NOAUTH"), "{why}");
    redis::Client::open(format!("redis://:new@127.0.0.1:{}", server.port()))
        .and_then(|client| client.get_connection())
        .and_then(|mut admin| redis::cmd("ACL").arg(&["SETUSER", "default", "nopass"]).exec(&mut admin))
        .unwrap();
    assert_eq!(next(&mut heard).await, Incoming::Interrupted);
    assert_eq!(channels.publish("a", &1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_server_that_hangs_up_on_everybody_is_not_called_without_a_pause() {
    let server = RedisServer::start();
    let proxy = Proxy::before(&server);
    let channels = channels(&proxy.url()).await;
    let _heard = channels.subscribe("a").await.unwrap();
    server.cli(&["CONFIG", "SET", "maxclients", "1"]);
    proxy.cut();
    let before = proxy.connections_accepted();
    sleep(Duration::from_millis(1500)).await;
    let attempts = proxy.connections_accepted() - before;
    assert!((2..=10).contains(&attempts), "{attempts} attempts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_loading_its_data_is_waited_for() {
    let options = RedisServer::options().config("loading-process-events-interval-bytes", "1024");
    let mut server = options.config("key-load-delay", "500").config("enable-debug-command", "local").start();
    let channels = channels(&server.url()).await;
    let mut heard = channels.subscribe("a").await.unwrap();
    server.cli(&["DEBUG", "POPULATE", "1500"]);
    server.cli(&["SAVE"]);
    server.kill_9();
    let restarting = tokio::task::spawn_blocking(move || {
        server.restart();
        server
    });
    let begun = Instant::now();
    let mut sink = channels.sink("a");
    let sent = sink.send(1);
    sent.await.unwrap();
    assert!(
        begun.elapsed() > Duration::from_millis(400),
        "loading was too short to see: {:?}",
        begun.elapsed()
    );
    assert_eq!(next(&mut heard).await, Incoming::Interrupted);
    let _server = restarting.await.unwrap();
    assert_eq!(channels.publish("a", &2).await.unwrap(), 1);
}

#[tokio::test]
async fn the_server_is_asked_for_names_by_name_and_let_go_of_as_it_was_asked() {
    // PyMAPE subscribes to patterns only, and then unsubscribes from names.
    let server = RedisServer::start();
    let channels = channels(&server.url()).await;
    // Besides what knowledge listens to.
    let counts = || (server.cli(&["PUBSUB", "CHANNELS", "[^m]*"]), server.cli(&["PUBSUB", "NUMPAT"]));
    let one = channels.subscribe(Topics::names(["car_*"])).await.unwrap();
    let two = channels.subscribe(Topics::names(["car_*"]).and(["car_?"])).await.unwrap();
    let three = channels.subscribe("car_?").await.unwrap();
    assert_eq!(counts(), ("car_*".to_owned(), "1".to_owned()));
    drop((one, three));
    channels.subscribe("else").await.unwrap();
    assert_eq!(counts().0, "car_*");
    drop(two);
    eventually("nothing is subscribed to", async || counts() == (String::new(), "0".to_owned())).await;
}

#[tokio::test]
async fn subscriptions_end_with_the_last_handle() {
    let server = RedisServer::start();
    let channels = channels(&server.url()).await;
    let mut heard = channels.subscribe("a").await.unwrap();
    channels.publish("a", &1).await.unwrap();
    assert!(matches!(next(&mut heard).await, Incoming::Delivery(_)));
    drop(channels);
    assert_eq!(heard.next().await, None);
}

#[tokio::test]
async fn names_that_are_no_text_are_heard_all_the_same() {
    let server = RedisServer::start();
    let channels = channels(&server.url()).await;
    let mut heard = channels.subscribe("*").await.unwrap();
    crate::server::ask::<i64>(server.port(), &[b"PUBLISH".as_slice(), b"car_\xff", b"\0\xff\r\n"]).unwrap();
    let Incoming::Delivery(it) = next(&mut heard).await else { panic!("a delivery") };
    assert_eq!((it.channel.as_str(), &*it.payload), ("car_\u{fffd}", b"\0\xff\r\n".as_slice()));
}

#[tokio::test]
async fn answers_of_any_size_leave_the_connection_alone() {
    // A connection with a subscription is closed when 32 MB wait on it.
    let server = RedisServer::start();
    let backend = Backend::open(&server.url()).await.unwrap();
    let v = backend.knowledge(Scope::App).value::<String>("v");
    v.set(&"x".repeat(50_000_000)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(v.get().await.unwrap().unwrap().len(), 50_000_000);
    }
}
