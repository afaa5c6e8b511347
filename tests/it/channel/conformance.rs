//! What every carrier of channels does.

use futures::{SinkExt, Stream, StreamExt};
use mape::channel::{ChannelName, Channels, Delivery, Error, Incoming, Origin, Pattern, RemoteError, Topics};
use mape::stream::Notification;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The tests of all claims here: `suite! { backend, fresh channels }`, with `start_paused = true` where no server runs.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), channel::conformance:
            patterns_hear_what_they_match,
            a_name_with_glob_characters_is_just_a_name,
            names_and_patterns_together_deliver_once,
            the_items_of_a_publisher_arrive_in_order,
            what_nobody_hears_is_gone,
            a_dropped_subscription_hears_nothing_and_can_be_dropped_unused,
            a_slow_subscriber_holds_up_nobody_and_is_told_how_much_it_missed,
            typed_items_cross_with_their_origin,
            the_envelope_is_json_that_others_can_read,
            completion_of_one_publisher_does_not_end_the_stream,
            errors_cross_in_their_place,
            a_malformed_payload_is_reported_and_the_stream_goes_on,
            a_gap_in_the_numbering_is_told_and_a_repeated_item_left_out,
            a_publisher_that_starts_again_leaves_no_gap,
            bare_items_are_plain_json_both_ways,
        }
    };
}
pub(crate) use suite;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Car {
    name: String,
    speed: f64,
}

async fn next<S: Stream + Unpin>(stream: &mut S) -> S::Item {
    timeout(Duration::from_secs(5), stream.next())
        .await
        .expect("something in time")
        .expect("the stream goes on")
}

async fn silent<S: Stream + Unpin>(stream: &mut S) -> bool {
    sleep(Duration::from_millis(50)).await;
    futures::poll!(stream.next()).is_pending()
}

/// The channel and payload of the next delivery, as text.
async fn heard<S: Stream<Item = Incoming> + Unpin>(stream: &mut S) -> (String, String) {
    match next(stream).await {
        Incoming::Delivery(Delivery { channel, payload }) => {
            (channel.to_string(), String::from_utf8(payload.to_vec()).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn patterns_hear_what_they_match(channels: Channels) {
    let table = [
        ("car_?.detect", ["car_a.detect", "car_b.detect", "car_x.detect", "car_y.detect"].as_slice()),
        ("car_[xy].detect", &["car_x.detect", "car_y.detect"]),
        ("car_[^xy].detect", &["car_a.detect", "car_b.detect"]),
        (
            "*[!-~].detect",
            &[
                "car_a.detect",
                "bus_a.detect",
                "car_b.detect",
                "car_x.detect",
                "car_y.detect",
                "car_panda.detect",
            ],
        ),
        ("car_*", &["car_a.detect", "car_b.detect", "car_x.detect", "car_y.detect", "car_panda.detect"]),
    ];
    let mut subscriptions = Vec::new();
    for (pattern, _) in table {
        subscriptions.push(channels.subscribe(pattern).await.unwrap());
    }
    let names =
        ["car_a.detect", "bus_a.detect", "car_b.detect", "car_x.detect", "car_y.detect", "car_panda.detect"];
    for name in names {
        channels.publish(name, name).await.unwrap();
    }
    for ((pattern, expected), mut subscription) in table.into_iter().zip(subscriptions) {
        for name in expected {
            let told = heard(&mut subscription).await;
            assert_eq!(told, ((*name).to_owned(), format!("{name:?}")), "{pattern}");
        }
        assert!(silent(&mut subscription).await, "{pattern}");
    }
}

pub(crate) async fn a_name_with_glob_characters_is_just_a_name(channels: Channels) {
    // PyMAPE always subscribes to patterns, so that a `*` or `?` in a name hears others' channels.
    let mut exact = channels.subscribe(Topics::names(["car_*", "why?", "[ab]", "a\\b"])).await.unwrap();
    for name in ["car_a", "car_*", "whyx", "why?", "a", "[ab]", "ab", "a\\b"] {
        channels.publish(name, &0).await.unwrap();
    }
    for name in ["car_*", "why?", "[ab]", "a\\b"] {
        assert_eq!(heard(&mut exact).await.0, name);
    }
    assert!(silent(&mut exact).await);
    let mut escaped = channels.subscribe(Pattern::literal("car_*")).await.unwrap();
    channels.publish("car_a", &0).await.unwrap();
    channels.publish("car_*", &0).await.unwrap();
    assert_eq!(heard(&mut escaped).await.0, "car_*");
}

pub(crate) async fn names_and_patterns_together_deliver_once(channels: Channels) {
    let topics = Topics::names(["car_a", "car_a"]).and(["car_*", "*_a"]);
    let mut subscription = channels.subscribe(topics).await.unwrap();
    for name in ["car_a", "bus_a", "car_b", "bus_b"] {
        channels.publish(name, &0).await.unwrap();
    }
    for name in ["car_a", "bus_a", "car_b"] {
        assert_eq!(heard(&mut subscription).await.0, name);
    }
    assert!(silent(&mut subscription).await);
}

pub(crate) async fn the_items_of_a_publisher_arrive_in_order(channels: Channels) {
    let mut source = channels.source::<u32>("a").await.unwrap();
    let mut sink = channels.sink::<u32>("a");
    for n in 0..1000 {
        // By and by and in batches.
        sink.feed(n).await.unwrap();
        if n % 7 == 0 {
            sink.flush().await.unwrap();
        }
    }
    sink.flush().await.unwrap();
    for n in 0..1000 {
        assert_eq!(next(&mut source).await, Ok(n));
    }
    assert_eq!((sink.stats().published(), source.stats().items()), (1000, 1000));
}

pub(crate) async fn what_nobody_hears_is_gone(channels: Channels) {
    assert_eq!(channels.publish("a", &1).await.unwrap(), 0);
    let mut subscription = channels.subscribe("a").await.unwrap();
    assert_eq!(channels.publish("a", &2).await.unwrap(), 1);
    assert_eq!(heard(&mut subscription).await.1, "2");
}

pub(crate) async fn a_dropped_subscription_hears_nothing_and_can_be_dropped_unused(channels: Channels) {
    // PyMAPE unsubscribes from names where it had subscribed to patterns, and fails when it never subscribed.
    for topics in [Topics::from("car_*"), Topics::names(["car_a"]), Topics::names([""; 0])] {
        let subscription = channels.subscribe(topics.clone()).await.unwrap();
        drop(subscription);
        let mut used = channels.source::<u32>(topics).await.unwrap();
        let _ = futures::poll!(used.next());
        drop(used);
    }
    crate::suite::eventually("nobody listens", async || channels.publish("car_a", &1).await.unwrap() == 0)
        .await;
}

pub(crate) async fn a_slow_subscriber_holds_up_nobody_and_is_told_how_much_it_missed(channels: Channels) {
    let few = Topics::from("a").capacity(8.try_into().unwrap());
    let mut raw = channels.subscribe(few.clone()).await.unwrap();
    let mut bare = channels.source::<u32>(few).await.unwrap().bare();
    for n in 0..100 {
        channels.publish("a", &n).await.unwrap();
    }
    sleep(Duration::from_millis(100)).await;
    assert_eq!((next(&mut raw).await, raw.missed()), (Incoming::Missed(92), 92));
    assert_eq!(next(&mut bare).await, Err(Error::Missed { channel: None, count: 92 }));
    for n in 92..100 {
        assert_eq!(heard(&mut raw).await.1, n.to_string());
        assert_eq!(next(&mut bare).await, Ok(n));
    }
}

pub(crate) async fn typed_items_cross_with_their_origin(channels: Channels) {
    let mut received = channels.source::<Car>("car_*").await.unwrap().received();
    let mut sink = channels.sink::<Car>("car_panda.detect").src("car_panda.detect");
    let before = mape::stream::clock::now();
    let car = Car { name: "panda".into(), speed: 48.5 };
    for seq in 1..=2 {
        sink.send(car.clone()).await.unwrap();
        let it = next(&mut received).await;
        assert_eq!(it.channel, Some(ChannelName::from("car_panda.detect")));
        assert_eq!(it.notification, Notification::Next(car.clone()));
        let Origin { src, seq: found, at, .. } = it.origin.unwrap();
        assert_eq!((src.as_str(), found), ("car_panda.detect", seq));
        // Time stamps have microseconds.
        assert!(at.unwrap() + Duration::from_micros(1) >= before);
    }
}

pub(crate) async fn the_envelope_is_json_that_others_can_read(channels: Channels) {
    let mut raw = channels.subscribe("a").await.unwrap();
    let mut sink = channels.sink::<Option<u32>>("a").src("loop.element");
    sink.send(Some(1)).await.unwrap();
    sink.send(None).await.unwrap();
    sink.send_error(RemoteError::new("no signal")).await.unwrap();
    sink.close().await.unwrap();
    let mut envelopes = Vec::new();
    for _ in 0..4 {
        let mut envelope: Json = serde_json::from_str(&heard(&mut raw).await.1).unwrap();
        let object = envelope.as_object_mut().unwrap();
        let at = object.remove("at").unwrap();
        assert!(at.as_str().unwrap().ends_with('Z') && at.as_str().unwrap().contains('T'), "{at}");
        let epoch = object.remove("epoch").unwrap().as_u64().unwrap();
        assert!(epoch > 0 && epoch < 1 << 53);
        envelopes.push(envelope);
    }
    let expected = json!([
        {"kind": "next", "value": 1, "src": "loop.element", "seq": 1},
        {"kind": "next", "value": null, "src": "loop.element", "seq": 2},
        {"kind": "error", "value": {"message": "no signal"}, "src": "loop.element", "seq": 3},
        {"kind": "completed", "src": "loop.element", "seq": 4},
    ]);
    assert_eq!(Json::from(envelopes), expected);

    let mut source = channels.source::<Option<u32>>("b").await.unwrap();
    let foreign = json!({"kind": "next", "value": null, "unknown": {"trace": 1}, "at": "yesterday"});
    channels.publish("b", &foreign).await.unwrap();
    assert_eq!(next(&mut source).await, Ok(None));
}

pub(crate) async fn completion_of_one_publisher_does_not_end_the_stream(channels: Channels) {
    let mut values = channels.source::<u32>("car_*").await.unwrap();
    let mut received = channels.source::<u32>("car_*").await.unwrap().received();
    let (mut one, mut other) = (channels.sink("car_1"), channels.sink("car_2"));
    one.send(1).await.unwrap();
    one.close().await.unwrap();
    other.send(2).await.unwrap();
    assert_eq!([next(&mut values).await, next(&mut values).await], [Ok(1), Ok(2)]);
    assert_eq!(values.stats().completed(), 1);
    let mut notifications = Vec::new();
    for _ in 0..3 {
        let it = next(&mut received).await;
        notifications.push((it.channel.unwrap().to_string(), it.notification));
    }
    let expected = [Notification::Next(1), Notification::Completed, Notification::Next(2)];
    assert_eq!(
        notifications,
        ["car_1", "car_1", "car_2"].map(str::to_owned).into_iter().zip(expected).collect::<Vec<_>>()
    );
    let refused = one.send(3).await.unwrap_err();
    assert_eq!(refused.to_string(), "publishing on car_1: the sink is closed");
}

pub(crate) async fn errors_cross_in_their_place(channels: Channels) {
    let mut source = channels.source::<u32>("a").await.unwrap();
    let mut sink = channels.sink::<u32>("a");
    let error = RemoteError { message: "no signal".into(), path: Some("car.detect".into()) };
    sink.send(1).await.unwrap();
    sink.send_error(error.clone()).await.unwrap();
    sink.send(2).await.unwrap();
    assert_eq!(next(&mut source).await, Ok(1));
    let remote = next(&mut source).await.unwrap_err();
    assert_eq!(remote.to_string(), "a reported: no signal (in car.detect)");
    assert_eq!(remote, Error::Remote { channel: "a".into(), error });
    assert_eq!(next(&mut source).await, Ok(2));
}

pub(crate) async fn a_malformed_payload_is_reported_and_the_stream_goes_on(channels: Channels) {
    let mut source = channels.source::<u32>("a").await.unwrap();
    let payloads =
        [b"no json".as_slice(), br#"{"kind":"next","value":"text"}"#, b"\xff\xfe", br#"{"kind":"what"}"#];
    for payload in payloads {
        channels.pubsub().publish(&"a".into(), &[payload.into()]).await.unwrap();
    }
    channels.sink("a").send(1_u32).await.unwrap();
    for beginning in
        ["no json", r#"{"kind":"next","value":"text"}"#, "\u{fffd}\u{fffd}", r#"{"kind":"what"}"#]
    {
        let error = next(&mut source).await.unwrap_err();
        let Error::Decode { channel, type_name: "u32", beginning: found, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!((channel.as_str(), found.as_str()), ("a", beginning));
    }
    assert_eq!(next(&mut source).await, Ok(1));
    assert_eq!((source.stats().undecodable(), source.stats().items()), (4, 1));
    // Who wants only items, gets only items.
    let mut values = channels.source::<u32>("b").await.unwrap().values();
    channels.publish("b", "rubbish").await.unwrap();
    channels.sink("b").send(2_u32).await.unwrap();
    assert_eq!(next(&mut values).await, 2);
}

pub(crate) async fn a_gap_in_the_numbering_is_told_and_a_repeated_item_left_out(channels: Channels) {
    let mut source = channels.source::<u64>(["a", "b"]).await.unwrap();
    let publish = async |channel: &str, epoch: u64, seq: u64| {
        let envelope = json!({"kind": "next", "value": seq, "src": "s", "epoch": epoch, "seq": seq});
        channels.publish(channel, &envelope).await.unwrap();
    };
    // Who joins in the middle has missed nothing; others are counted apart, by channel and start.
    for (channel, epoch, seq) in
        [("a", 1, 7), ("a", 1, 8), ("b", 1, 1), ("a", 2, 1), ("a", 1, 12), ("a", 1, 12)]
    {
        publish(channel, epoch, seq).await;
    }
    publish("a", 1, 10).await;
    publish("a", 1, 13).await;
    publish("a", 2, 3).await;
    let missed = |count| Err(Error::Missed { channel: Some("a".into()), count });
    for expected in [Ok(7), Ok(8), Ok(1), Ok(1), missed(3), Ok(12), Ok(13), missed(1), Ok(3)] {
        assert_eq!(next(&mut source).await, expected);
    }
    assert_eq!((source.stats().missed(), source.stats().repeated()), (4, 2));
}

pub(crate) async fn a_publisher_that_starts_again_leaves_no_gap(channels: Channels) {
    let mut source = channels.source::<u32>("a").await.unwrap();
    for n in 0..3 {
        channels.sink("a").send(n).await.unwrap();
        assert_eq!(next(&mut source).await, Ok(n));
    }
    assert!(silent(&mut source).await);
}

pub(crate) async fn bare_items_are_plain_json_both_ways(channels: Channels) {
    let mut raw = channels.subscribe("a").await.unwrap();
    let mut source = channels.source::<Json>("a").await.unwrap().bare();
    let mut sink = channels.sink::<Json>("a").bare();
    sink.send(json!({"speed": 48.5})).await.unwrap();
    sink.send_error(RemoteError::new("no signal")).await.unwrap();
    sink.close().await.unwrap();
    channels.pubsub().publish(&"a".into(), &[b"{".as_slice().into(), b"7".as_slice().into()]).await.unwrap();
    assert_eq!(heard(&mut raw).await.1, r#"{"speed":48.5}"#);
    assert_eq!(next(&mut source).await, Ok(json!({"speed": 48.5})));
    assert!(matches!(next(&mut source).await, Err(Error::Decode { .. })));
    assert_eq!(next(&mut source).await, Ok(json!(7)));
}
