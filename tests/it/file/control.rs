//! What is its own when a directory is used through its owner.

use super::{fresh_dir, open, url};
use crate::suite::eventually;
use futures::StreamExt;
use futures::future::join_all;
use mape::backend::{Backend, Error, Options};
use mape::channel::Incoming;
use mape::event::{Event, EventId};
use mape::knowledge::{self, Filter, Notice, Reply, Scope, ValueCommand};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

async fn attach(dir: &Path) -> Backend {
    Backend::attach(&url(dir), Options::default()).await.unwrap()
}

/// What a client that is not ours gets to hear, until the owner hangs up or answers.
async fn say(dir: &Path, frames: &[&str]) -> (UnixStream, String) {
    let mut stream = UnixStream::connect(dir.join("control.sock")).await.unwrap();
    for frame in frames {
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        // It may have hung up already.
        let _ = stream.write_all(&length).await;
        let _ = stream.write_all(frame.as_bytes()).await;
    }
    let mut answer = vec![0; 1000];
    let read = timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap().unwrap_or(0);
    (stream, String::from_utf8_lossy(&answer[..read]).into_owned())
}

#[tokio::test]
async fn the_first_becomes_the_owner_and_others_go_through_it() {
    let dir = fresh_dir();
    let (one, other) = tokio::join!(attach(&dir), attach(&dir));
    let error = Backend::open(&url(&dir)).await.unwrap_err();
    assert!(matches!(error, Error::Owned { .. }), "{error}");
    one.knowledge(Scope::App).value::<u8>("v").set(&1).await.unwrap();
    assert_eq!(other.knowledge(Scope::App).value::<u8>("v").get().await.unwrap(), Some(1));
    let mut heard = one.channels().subscribe("*").await.unwrap();
    assert_eq!(other.channels().publish("a", &1).await.unwrap(), 1);
    assert!(matches!(heard.next().await, Some(Incoming::Delivery(_))));
}

#[tokio::test]
async fn when_the_owner_is_gone_calls_say_so_and_all_goes_on_with_the_next() {
    let dir = fresh_dir();
    let owner = open(&dir).await;
    let client = attach(&dir).await;
    let (k, log) = (client.knowledge(Scope::App), client.events().log("orders"));
    let value = k.value::<u8>("v");
    value.set(&1).await.unwrap();
    let first = log.append(Event::new("a")).await.unwrap();
    let mut changes = k.watch(Filter::key("v")).await.unwrap();
    let mut heard = client.channels().subscribe("*").await.unwrap();
    let queue = k.queue::<u8>("q");
    let taking = tokio::spawn(async move { queue.pop().await });
    let following = client.event_log().follow(&"orders".into(), first, 1);
    let following = tokio::spawn(following);
    eventually("they wait", async || !taking.is_finished() && !following.is_finished()).await;
    owner.close().await;

    let lost = taking.await.unwrap().unwrap_err();
    assert!(lost.is_retryable(), "{lost:?}");
    assert!(following.await.unwrap().unwrap_err().is_retryable());
    eventually("it is known", async || value.get().await.is_err()).await;
    let error = value.set(&2).await.unwrap_err();
    assert!(matches!(error, knowledge::Error::Unavailable { .. }), "{error:?}");
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.starts_with(&format!("the connection to the owner of {} is lost", dir.display())), "{why}");
    assert_eq!(changes.next().await, Some(Notice::Interrupted));
    assert_eq!(heard.next().await, Some(Incoming::Interrupted));

    let next = open(&dir).await;
    eventually("the next owner is found", async || value.get().await.is_ok()).await;
    assert_eq!(value.get().await.unwrap(), Some(1));
    next.knowledge(Scope::App).value::<u8>("v").set(&3).await.unwrap();
    assert!(matches!(changes.next().await, Some(Notice::Change(_))));
    eventually("it is heard again", async || next.channels().publish("a", &1).await.unwrap() == 1).await;
    assert!(matches!(heard.next().await, Some(Incoming::Delivery(_))));
    assert_eq!(log.range(EventId::MIN, EventId::MAX, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn streams_end_with_the_last_handle_of_a_client() {
    let dir = fresh_dir();
    let _owner = open(&dir).await;
    let client = attach(&dir).await;
    let changes = client.knowledge(Scope::App).watch(Filter::all()).await.unwrap();
    let heard = client.channels().subscribe("*").await.unwrap();
    drop(client);
    assert_eq!(timeout(Duration::from_secs(5), changes.count()).await, Ok(0));
    assert_eq!(timeout(Duration::from_secs(5), heard.count()).await, Ok(0));
    let client = attach(&dir).await;
    let value = client.knowledge(Scope::App).value::<u8>("v");
    client.close().await;
    let error = value.set(&1).await.unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the backend is closed");
}

#[tokio::test]
async fn what_an_owner_forgets_is_forgotten_there() {
    let dir = fresh_dir();
    let owner = open(&dir).await;
    let client = attach(&dir).await;
    let listening = async |n| owner.channels().publish("a", &1).await.unwrap() == n;
    let heard = join_all((0..100).map(|_| async { client.channels().subscribe("*").await.unwrap() })).await;
    assert!(listening(100).await);
    drop(heard);
    eventually("they are cancelled", async || listening(0).await).await;
    let _heard = client.channels().subscribe("*").await.unwrap();
    drop(client);
}

#[tokio::test]
async fn large_values_cross_and_what_is_too_large_is_refused() {
    let dir = fresh_dir();
    let _owner = open(&dir).await;
    let client = attach(&dir).await;
    let value = client.knowledge(Scope::App).value::<String>("v");
    let large = "large \u{1f697} ".repeat(300_000);
    value.set(&large).await.unwrap();
    assert_eq!(value.get().await.unwrap(), Some(large));
    let list = client.knowledge(Scope::App).list::<String>("l");
    let error = list.push_back(&"x".repeat(64 << 20)).await.unwrap_err();
    assert!(matches!(error, knowledge::Error::Refused { .. }), "{error:?}");
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("67108864 is the most that crosses the control socket"), "{why}");
    assert!(list.is_empty().await.unwrap());
}

#[tokio::test]
async fn many_calls_at_once_are_all_answered() {
    let dir = fresh_dir();
    let _owner = open(&dir).await;
    let client = attach(&dir).await;
    let k = client.knowledge(Scope::App);
    let count = k.value::<i64>("n");
    let sums = join_all((0..2000).map(|_| count.increment(1))).await;
    let mut sums: Vec<_> = sums.into_iter().map(Result::unwrap).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=2000).collect::<Vec<_>>());
}

#[tokio::test]
async fn scores_and_bytes_of_every_kind_cross() {
    let dir = fresh_dir();
    let _owner = open(&dir).await;
    let client = attach(&dir).await;
    let sorted = client.knowledge(Scope::App).sorted_set::<String>("z");
    for (member, score) in [("a", f64::NEG_INFINITY), ("b", 0.1 + 0.2), ("c", 5e-324), ("d", f64::INFINITY)] {
        sorted.add(member, score).await.unwrap();
        assert_eq!(sorted.score(member).await.unwrap().map(f64::to_bits), Some(score.to_bits()));
    }
    let bytes: Vec<u8> = (0..=255).collect();
    let (store, key) = (client.store(), "k.app.v".into());
    store.run(&key, ValueCommand::Set { value: bytes.clone().into(), expiry: None }.into()).await.unwrap();
    let kept = store.run(&key, ValueCommand::Get.into()).await.unwrap();
    assert_eq!(kept, Reply::Data(bytes.into()));
}

#[tokio::test]
async fn who_speaks_otherwise_is_told_or_cut_off_and_the_rest_goes_on() {
    let dir = fresh_dir();
    let owner = open(&dir).await;
    let client = attach(&dir).await;
    let (_, answer) = say(&dir, &[r#"{"Hello":{"protocol":99,"name":"x"}}"#]).await;
    assert!(answer.contains("the client speaks version 99 of the protocol"), "{answer}");
    let (_, answer) = say(&dir, &["GET / HTTP/1.1"]).await;
    assert!(answer.contains("did not say hello"), "{answer}");
    let hello = r#"{"Hello":{"protocol":2,"name":"x"}}"#;
    for nonsense in [b"\0\0\0\x08nonsense".as_slice(), &[0xff; 100]] {
        let (mut stream, answer) = say(&dir, &[hello]).await;
        assert!(answer.contains("Welcome"), "{answer}");
        stream.write_all(nonsense).await.unwrap();
        // It hangs up.
        let heard = timeout(Duration::from_secs(5), stream.read(&mut [0])).await.unwrap();
        assert_eq!(heard.unwrap_or(0), 0);
    }
    client.knowledge(Scope::App).value::<u8>("v").set(&1).await.unwrap();
    let mut others = Vec::new();
    let refused = loop {
        assert!(others.len() < 100, "nobody is refused");
        let (stream, answer) = say(&dir, &[hello]).await;
        others.push(stream);
        if !answer.contains("Welcome") {
            break answer;
        }
    };
    assert!(refused.contains("the owner has 64 clients already"), "{refused}");
    assert_eq!(others.len(), 64);
    let mut options = Options::default();
    options.wait = Duration::ZERO;
    let error = Backend::attach(&url(&dir), options).await.unwrap_err();
    assert!(error.to_string().ends_with("the owner has 64 clients already; end one of them"), "{error}");
    drop(others);
    eventually("there is room again", async || Backend::attach(&url(&dir), Options::default()).await.is_ok())
        .await;
    drop(owner);
}
