//! Clients on sockets that talk both ways.

use super::{Settings, Talk, idle, site, site_with};
use crate::suite::eventually;
use reqwest::StatusCode;
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn whatever_is_said_is_answered_with_its_id() {
    let (site, live) = site().await;
    let mut talk = Talk::begin(&site, "/live/socket").await;
    let hello = talk.next().await;
    assert!(live.client(hello["client"].as_str().unwrap()).is_some() && hello["position"].is_string());
    assert_eq!(talk.ask(json!({"id": 1, "ping": [1]})).await, json!({"id": 1, "ok": true, "pong": [1]}));
    assert_eq!(talk.ask(json!({"ping": null})).await, json!({"ok": true, "pong": null}));

    let answer = talk.ask(json!({"id": "a", "ask": {"name": "count", "input": {"parts": 2}}})).await;
    assert_eq!((&answer["id"], &answer["ok"]), (&json!("a"), &json!(true)));
    for n in 0..2 {
        let part = talk.next().await;
        assert_eq!((&part["job"], &part["data"]), (&answer["job"], &json!(n)));
    }
    assert_eq!(talk.next().await["parts"], 2);

    let hang = talk.ask(json!({"ask": {"name": "hang"}})).await["job"].clone();
    assert_eq!(talk.next().await["data"], "begun");
    assert_eq!(talk.ask(json!({"cancel": hang})).await["cancelled"], true);
    assert_eq!(talk.ask(json!({"cancel": hang})).await["cancelled"], false);
    eventually("it is cancelled", || async { live.counts().jobs == 0 }).await;

    let wanted = json!({"name": "fast", "when": ["speed", "gt", 10], "names": ["car_*"], "lifetime": "1h"});
    assert!(talk.ask(json!({"interest": wanted})).await["position"].is_string());
    live.publish("car_a", json!({"speed": 5})).unwrap();
    live.publish("car_a", json!({"speed": 50})).unwrap();
    assert_eq!(talk.next().await["data"]["speed"], 50);
    assert_eq!(talk.ask(json!({"withdraw": "fast"})).await["withdrawn"], true);
    live.publish("car_a", json!({"speed": 60})).unwrap();

    let joined = talk.ask(json!({"join": {"group": "tea", "info": {"nick": "joe"}, "presence": true}})).await;
    assert_eq!(joined["members"][0]["info"]["nick"], "joe");
    let mut other = Talk::begin(&site, "/live/stream?group=tea").await;
    other.next().await;
    assert_eq!(talk.next().await["joined"], true);
    talk.say(json!({"publish": {"name": "tea", "data": "hot"}})).await;
    assert_eq!(other.next().await["data"], "hot");
    let mut told = [talk.next().await, talk.next().await];
    told.sort_by_key(|one| one.get("ok").is_some());
    assert_eq!((&told[0]["data"], &told[1]["ok"]), (&json!("hot"), &json!(true)));
    drop(other);
    assert_eq!(talk.next().await["joined"], false);
    assert_eq!(talk.ask(json!({"leave": "tea"})).await["left"], true);
    drop(talk);
    idle(&live).await;
}

#[tokio::test]
async fn a_job_and_a_stream_come_by_a_socket_too() {
    let (site, live) = site().await;
    let mut talk = Talk::begin(&site, "/live/jobs/count?parts=2").await;
    assert_eq!([talk.next().await["data"].clone(), talk.next().await["data"].clone()], [0, 1]);
    assert_eq!(talk.next().await["end"], true);
    assert_eq!(talk.end().await, Some(1000));
    let mut talk = Talk::begin(&site, "/live/stream?names=n").await;
    assert!(talk.next().await["client"].is_string());
    live.publish("n", 1).unwrap();
    assert_eq!(talk.next().await["data"], 1);
    drop(talk);
    idle(&live).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_answered_and_too_much_of_it_ends_the_conversation() {
    let (site, live) = site().await;
    let mut talk = Talk::begin(&site, "/live/socket").await;
    talk.next().await;
    for (said, told) in [
        ("{", "no JSON"),
        ("7", "an object"),
        ("{}", "a message has one of"),
        ("{\"ask\": {\"name\": \"count\"}, \"ping\": 1}", "a message has one of"),
        ("{\"aks\": {}}", "did you mean `ask`?"),
        ("{\"ask\": {\"nam\": 1}}", "nam"),
        ("{\"interest\": {\"name\": \"x\", \"whne\": \"a\"}}", "did you mean `when`?"),
        ("{\"cancel\": \"x\"}", "16 hexadecimal digits"),
        ("{\"join\": {}}", "group"),
    ] {
        let answer = talk.ask_text(said).await;
        assert!(answer["error"].as_str().unwrap().contains(told), "{said}: {answer}");
        assert_eq!(answer["status"], 400);
    }
    // What makes sense, but can't be done, is another thing.
    let answer = talk.ask(json!({"id": 5, "ask": {"name": "cuont"}})).await;
    assert_eq!((&answer["id"], &answer["status"]), (&json!(5), &json!(404)));
    let answer = talk.ask(json!({"interest": {"name": "x", "when": "a qe 1"}})).await;
    assert_eq!((&answer["status"], &answer["column"]), (&json!(422), &json!(3)));
    let long = "x".repeat(300);
    assert_eq!(talk.ask(json!({"publish": {"name": long, "data": 1}})).await["status"], 422);
    for n in 0..19 {
        talk.ask_text(&format!("garbage {n}")).await;
    }
    assert_eq!(talk.ask(json!({"ping": 1})).await["ok"], true);
    for n in 0..20 {
        talk.ask_text(&format!("garbage {n}")).await;
    }
    assert_eq!(talk.end().await, Some(1008));
    idle(&live).await;
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_conversation() {
    let limits = |service: mape::http::Service| {
        let mut limits = mape::http::Limits::default();
        limits.body = 10_000;
        service.limits(limits)
    };
    let (site, live) = site_with(Settings::default(), limits).await;
    let mut talk = Talk::begin(&site, "/live/socket").await;
    talk.next().await;
    assert_eq!(talk.ask(json!({"ping": "x".repeat(9000)})).await["ok"], true);
    talk.say(json!({"ping": "x".repeat(11_000)})).await;
    talk.end().await;
    idle(&live).await;
}

#[tokio::test]
async fn a_flood_of_messages_is_held_back_and_each_is_answered() {
    let (site, live) = site().await;
    let mut talk = Talk::begin(&site, "/live/socket").await;
    talk.next().await;
    let text = "x".repeat(20_000);
    let mut sent = 0;
    // Nobody reads the answers, so at some time nobody takes the messages.
    while tokio::time::timeout(Duration::from_millis(300), talk.say(json!({"id": sent, "ping": text})))
        .await
        .is_ok()
    {
        sent += 1;
        assert!(sent < 5000, "100 MB were taken");
    }
    for n in 0..sent {
        assert_eq!(talk.next().await["id"], n);
    }
    drop(talk);
    idle(&live).await;
}

#[tokio::test]
async fn a_service_that_closes_says_goodbye() {
    let (site, live) = site().await;
    let mut talk = Talk::begin(&site, "/live/stream?all=true").await;
    talk.next().await;
    live.publish("n", 1).unwrap();
    let closing = tokio::spawn(site.serving.close(Duration::from_secs(10)));
    assert_eq!(talk.next().await["data"], 1);
    assert_eq!(talk.next().await, json!({"closed": "shutting_down"}));
    assert_eq!(talk.end().await, Some(1001));
    closing.await.unwrap();
    idle(&live).await;
}

#[tokio::test]
async fn a_socket_that_gives_no_sign_of_life_is_closed() {
    let (site, live) = site_with(Settings::default(), |s| s.heartbeat(Duration::from_millis(30))).await;
    let mut quiet = Talk::begin(&site, "/live/socket").await;
    quiet.next().await;
    let mut alive = Talk::begin(&site, "/live/socket").await;
    alive.next().await;
    // It reads nothing, so it answers no ping; the other does, by itself.
    let left = async { eventually("it is closed", || async { live.counts().clients == 1 }).await };
    let pong = async { tokio::time::timeout(Duration::from_secs(20), alive.next()).await };
    tokio::select! { () = left => {}, _ = pong => panic!("nothing was to come") }
    assert_eq!(alive.ask(json!({"ping": 1})).await["pong"], 1);
}

#[tokio::test]
async fn a_socket_counts_as_a_connection() {
    let limits = |service: mape::http::Service| {
        let mut limits = mape::http::Limits::default();
        limits.connections = 2;
        service.limits(limits)
    };
    let (site, _live) = site_with(Settings::default(), limits).await;
    let (one, _two) = (Talk::begin(&site, "/live/socket").await, Talk::begin(&site, "/live/socket").await);
    let third = tokio::time::timeout(Duration::from_millis(200), Talk::begin(&site, "/live/socket")).await;
    assert!(third.is_err(), "there is no place for it");
    drop(one);
    tokio::time::timeout(Duration::from_secs(10), Talk::begin(&site, "/live/socket"))
        .await
        .expect("now there is");
}

#[tokio::test]
async fn who_speaks_no_websocket_is_told() {
    let (site, live) = site().await;
    let (status, body) = site.get("/live/socket").await;
    assert_eq!(status, StatusCode::UPGRADE_REQUIRED);
    assert!(body["detail"].as_str().unwrap().contains("WebSocket"), "{body}");
    idle(&live).await;
}

#[tokio::test]
async fn binary_messages_are_as_good() {
    let (site, _live) = site().await;
    let mut talk = Talk::begin(&site, "/live/socket").await;
    talk.next().await;
    talk.send(Message::Binary(b"{\"ping\": 2}".to_vec().into())).await;
    assert_eq!(talk.next().await["pong"], 2);
    talk.send(Message::Ping(b"x".to_vec().into())).await;
    assert_eq!(talk.ask(json!({"ping": 3})).await["pong"], 3);
}

#[tokio::test]
async fn a_message_in_pieces_that_never_ends_costs_no_more_than_its_limit() {
    let (site, live) = site_with(Settings::default(), |s| s.heartbeat(Duration::from_millis(50))).await;
    let mut talk = Talk::begin(&site, "/live/socket").await;
    talk.next().await;
    // The head of a frame of 100 kB, and nothing of it.
    talk.raw(&[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0x86, 0xa0, 1, 2, 3, 4, b'x']).await;
    idle(&live).await;
}

#[tokio::test]
async fn several_interests_and_groups_are_stated_in_one_message() {
    let (site, live) = site().await;
    let since = live.position();
    for (n, name) in ["n", "tea", "m", "n"].into_iter().enumerate() {
        live.publish(name, n).unwrap();
    }
    let mut talk = Talk::begin(&site, "/live/socket").await;
    let hello = talk.next().await;
    let interests =
        json!([{"name": "a", "names": ["n"]}, {"name": "b", "names": ["n", "m"], "lifetime": "1h"}]);
    let groups = json!([{"group": "tea", "info": "joe"}]);
    talk.say(json!({"id": 1, "state": {"interests": interests, "groups": groups, "since": since}})).await;
    let mut told = Vec::new();
    for _ in 0..5 {
        told.push(talk.next().await);
    }
    let data: Vec<_> = told.iter().filter_map(|one| one.get("data")).collect();
    assert_eq!(data, [0, 1, 2, 3]);
    let answer = told.iter().find(|one| one["id"] == 1).unwrap();
    assert_eq!(answer["recovered"], true);
    assert_eq!(answer["members"]["tea"], json!([{"client": hello["member"], "info": "joe"}]));
    for (wrong, told) in [
        (json!({"interests": [{"name": "x", "since": since}]}), "no `since`"),
        (json!({"groups": [{"grup": "x"}]}), "did you mean `group`?"),
        (json!({"interest": []}), "unknown field `interest`"),
    ] {
        let answer = talk.ask(json!({"state": wrong})).await;
        assert!(answer["error"].as_str().unwrap().contains(told), "{answer}");
    }
    let long = json!({"groups": [{"group": "x", "info": "x".repeat(5000)}]});
    assert_eq!(talk.ask(json!({"state": long})).await["status"], 422);
}

#[tokio::test]
async fn messages_count_as_requests() {
    let limits = |service: mape::http::Service| {
        let mut limits = mape::http::Limits::default();
        limits.requests_per_second = std::num::NonZeroU32::new(5);
        service.limits(limits)
    };
    let (site, _live) = site_with(Settings::default(), limits).await;
    let mut talk = Talk::begin(&site, "/live/socket").await;
    talk.next().await;
    let mut answers = Vec::new();
    for n in 0..50 {
        answers.push(talk.ask(json!({"id": n, "ping": n})).await);
    }
    assert_eq!(answers[0]["pong"], 0);
    let refused: Vec<_> = answers.iter().filter(|answer| answer["status"] == 429).collect();
    assert!(!refused.is_empty() && refused[0]["id"].is_number(), "{answers:?}");
    // Not for ever.
    let again = async { while talk.ask(json!({"ping": 1})).await["pong"] != 1 {} };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("it may say more");
}
