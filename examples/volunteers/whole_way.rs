//! All stages in one process: what people say comes to the database, to the page and back to them, once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::ValueEnum;
use futures::StreamExt;
use mape::edge::Signature;
use mape::live::{Client, Delivery, Viewer};
use mape::telemetry::{Format, Snapshot};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::comment::{Comment, Via, group};
use crate::demo::{self, Organiser};
use crate::graph::Graph;
use crate::publish::Publish;
use crate::reply::Reply;
use crate::rows;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::stage::{Running, Stage};

const PATIENCE: Duration = Duration::from_mins(1);

/// All of it, in a directory of its own.
struct World {
    shared: Shared,
    running: Running,
    graph: Graph,
}

impl World {
    async fn start() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let mut settings = Settings::load(None, None, true).unwrap();
        demo::quicken(&mut settings).unwrap();
        settings.network.pace = 10;
        settings.network.comments = 36;
        settings.queues.iter_mut().find(|queue| queue.name == "preprocessing").unwrap().settings.attempts = 4;
        let name = format!("volunteers-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let shared = Shared::open(settings, std::env::temp_dir().join(name)).await.unwrap();
        let mut running = Running::default();
        for stage in Stage::value_variants() {
            running.start(*stage, &shared).await.unwrap();
        }
        let graph = Graph::new(&shared.settings.network.address).unwrap();
        Self { shared, running, graph }
    }

    fn page(&self) -> &str {
        self.running.page.as_deref().unwrap()
    }

    fn organiser(&self, name: &str) -> Organiser {
        Organiser::new(self.page(), self.shared.settings.organisers[name].expose()).unwrap()
    }

    /// A live client of an organiser, in the group of a post.
    fn client(&self, name: &str, post: &str) -> Client {
        let client = self.shared.live.connect(Viewer::named(name));
        client.join(&group(post), Value::Null, false, None).unwrap();
        client
    }

    /// Posts a body to the webhook, signed by this secret.
    async fn webhook(&self, body: &str, secret: Option<&str>) -> (u16, Value) {
        let url = self.page().replace("/volunteers", "/webhook");
        let request = reqwest::Client::builder().no_proxy().build().unwrap().post(url).body(body.to_owned());
        let request = match secret {
            Some(secret) => {
                request.header("X-Hub-Signature-256", Signature::github(secret).sign(body.as_bytes()))
            }
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    async fn rows(&self, post: &str) -> BTreeMap<String, rows::Shown> {
        let rows = rows::signups(self.shared.rows(), post.to_owned()).await.unwrap();
        rows.into_iter().map(|row| (row.id.clone(), row)).collect()
    }

    async fn end(self) {
        let data = self.shared.data.clone();
        self.shared.live.close();
        self.running.close(Duration::from_secs(2)).await;
        let _ = self.shared.app.shutdown(Duration::from_secs(2)).await;
        std::fs::remove_dir_all(data).unwrap();
    }
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn texts(records: &Value, list: &str, field: &str) -> Vec<String> {
    let all = records[list].as_array().unwrap();
    all.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_say_is_judged_written_shown_and_answered_once() {
    let world = World::start().await;
    let post = demo::begin(&world.shared, &world.running).await.unwrap();
    let mut client = world.client("ada", &post);
    let (mut heard, mut replied) = (BTreeSet::new(), BTreeSet::new());
    let all = async {
        loop {
            while let Ok(Some(told)) = timeout(Duration::from_millis(300), client.next()).await {
                let Delivery::Part(part) = told else { panic!("{told:?}") };
                let data = part.data().unwrap();
                let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
                if let Some(signup) = data.get("signup") {
                    // It was committed before.
                    assert!(world.rows(&post).await.contains_key(&id(signup)), "{signup}");
                    heard.insert(id(signup));
                } else if let Some(reply) = data.get("replied") {
                    assert!(replied.insert(id(reply)), "{reply}");
                }
            }
            let said = texts(&world.graph.records().await.unwrap(), "said", "id");
            let rows = world.rows(&post).await;
            let waits =
                rows.values().any(|row| (row.interested || row.via == "message") && row.reply.is_none());
            if said.len() >= 36 && heard.len() == said.len() && rows.len() == said.len() && !waits {
                return (said, rows);
            }
        }
    };
    let (said, rows) = timeout(PATIENCE, all).await.expect("all is said and done");
    assert_eq!(said.iter().collect::<BTreeSet<_>>(), rows.keys().collect());
    let kinds = |kind: fn(&&rows::Shown) -> bool| rows.values().filter(kind).count();
    assert!(kinds(|row| row.interested) > 3 && kinds(|row| !row.interested && row.class != "unknown") > 0);
    assert!(kinds(|row| row.via == "message") > 0, "somebody was asked something and has answered");

    let records = world.graph.records().await.unwrap();
    assert_eq!(texts(&records, "posts", "text").len(), 1);
    let answered = texts(&records, "replies", "to");
    let to_answer = rows.values().filter(|row| row.interested || row.via == "message").map(|row| &row.id);
    assert_eq!(
        answered.iter().collect::<BTreeSet<_>>(),
        to_answer.collect(),
        "all of those, and nobody else"
    );
    assert_eq!(answered.len(), answered.iter().collect::<BTreeSet<_>>().len(), "each once");
    assert_eq!(answered.iter().collect::<BTreeSet<_>>(), replied.iter().collect());

    // Each fifth was told twice, each eleventh never.
    let me = world.organiser("ada").get_done(Method::GET, "/volunteers/me", Value::Null).await.unwrap();
    assert!(me["webhook"]["again"].as_u64() > Some(3), "{me}");
    assert!(me["webhook"]["new"].as_u64() < Some(said.len() as u64), "{me}");
    for queue in mape::queue::Queues::new(&world.shared.app).list().await.unwrap() {
        let stats = queue.stats().await.unwrap();
        assert_eq!((stats.dead, stats.waiting.iter().sum::<u64>()), (0, 0), "{}: {stats:?}", queue.name());
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_is_sent_twice_is_published_once() {
    let world = World::start().await;
    let ada = world.organiser("ada");
    let post = json!({"id": "0123456789ab", "text": "Who helps?"});
    let (status, answer) = ada.ask(Method::POST, "/posts", post.clone()).await.unwrap();
    assert_eq!((status, &answer["detail"]), (409, &json!("verify your mail address first")));
    ada.integrate(&world.graph).await.unwrap();
    for _ in 0..3 {
        let made = ada.get_done(Method::POST, "/posts", post.clone()).await.unwrap();
        assert_eq!(made["id"], "ada-0123456789ab");
    }
    eventually("it is published", async || {
        let posts = ada.get_done(Method::GET, "/posts", Value::Null).await.unwrap();
        posts.as_array().unwrap().len() == 1 && posts[0]["place"] == "post_1"
    })
    .await;
    assert_eq!(world.graph.records().await.unwrap()["posts"].as_array().unwrap().len(), 1);
    for (wrong, status) in
        [(json!({"text": " "}), 422), (json!({"id": "../x", "text": "a"}), 422), (json!({}), 422)]
    {
        assert_eq!(ada.ask(Method::POST, "/posts", wrong).await.unwrap().0, status);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_queued_anew_when_its_key_is_forgotten_is_published_and_answered_once() {
    let world = World::start().await;
    let post = demo::begin(&world.shared, &world.running).await.unwrap();
    let records = async || world.graph.records().await.unwrap();
    let replies = async || texts(&records().await, "replies", "to");
    eventually("somebody is answered", async || !replies().await.is_empty()).await;
    let to = replies().await.remove(0);
    // Without keys, as if the day were over for which those of before are known.
    let (shared, row) = (&world.shared, &world.rows(&post).await[&to]);
    let published = shared.posts().get(post.as_str()).await.unwrap().unwrap();
    let _ = shared.queues.publishing.add(&Publish { post: published }).await.unwrap();
    let reply = Reply {
        to: to.clone(),
        post,
        person: "joe".to_owned(),
        name: row.name.clone(),
        text: row.text.clone(),
        via: Via::Comment,
    };
    let _ = shared.queues.reply.add(&reply).await.unwrap();
    eventually("both are asked for again", async || {
        let records = records().await;
        let again = |list: &str, is: &dyn Fn(&Value) -> bool| {
            records[list].as_array().unwrap().iter().any(|one| is(one) && one["again"].as_u64() > Some(0))
        };
        again("posts", &|_| true) && again("replies", &|reply| reply["to"] == *to)
    })
    .await;
    assert_eq!(records().await["posts"].as_array().unwrap().len(), 1);
    assert_eq!(replies().await.iter().filter(|answered| **answered == to).count(), 1);
    assert_eq!(shared.conversation("joe").get().await.unwrap(), None, "it was decided before");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_from_the_network_or_makes_no_sense_is_refused_counted_and_kept() {
    let world = World::start().await;
    let (secret, ada) = (world.shared.settings.network.secret.expose().to_owned(), world.organiser("ada"));
    let comment = |id: &str, text: &str| {
        let value = json!({"item": "comment", "verb": "add", "comment_id": id, "post_id": "post_of_others",
            "message": text, "from": {"id": "joe", "name": "Joe"}, "created_time": 1});
        json!({"object": "page", "entry": [{"changes": [{"field": "feed", "value": value}]}]}).to_string()
    };
    assert_eq!(world.webhook(&comment("c.1", "me"), None).await.0, 403);
    assert_eq!(world.webhook(&comment("c.1", "me"), Some("another secret")).await.0, 403);
    let garbage =
        ["", "{", "[NaN]", r#"{"object":"page","entry":[NaN]}"#, "null", r#"{"entry": []}"#, "\u{fffd}\u{0}"];
    for body in garbage {
        assert_eq!(world.webhook(body, Some(&secret)).await.0, 400, "{body}");
    }
    assert_eq!(world.webhook(&"x".repeat(70_000), Some(&secret)).await.0, 413);
    // Signed and readable, but no use: one is too long, the other is about no post of ours.
    for (id, text) in [("c.2", "long ".repeat(4_000)), ("c.3", "me too".to_owned())] {
        let taken = world.webhook(&comment(id, &text), Some(&secret)).await;
        assert_eq!(taken, (200, json!({"new": 1, "again": 0})));
        assert_eq!(
            world.webhook(&comment(id, &text), Some(&secret)).await,
            (200, json!({"new": 0, "again": 1}))
        );
    }
    let queue = &world.shared.queues.preprocessing;
    eventually("both are in the dead letters", async || queue.stats().await.unwrap().dead == 2).await;
    let dead = queue.dead(10).await.unwrap();
    let reason = |id: &str| &dead.iter().find(|job| job.data["id"] == id).unwrap().reason;
    assert!(reason("c.2").contains("at most 8000 are read"), "{}", reason("c.2"));
    assert!(reason("c.3").contains("no post of ours is called `post_of_others`"), "{}", reason("c.3"));
    let me = ada.get_done(Method::GET, "/volunteers/me", Value::Null).await.unwrap();
    let expected = json!({"new": 2, "again": 2, "unsigned": 2, "senseless": garbage.len(), "too_large": 1});
    assert_eq!(me["webhook"], expected);
    // Worlds beside this one have nothing refused.
    let metrics = Snapshot::of(&world.shared.app).text(Format::Prometheus);
    for (what, count) in [("unsigned", 2), ("senseless", garbage.len()), ("too_large", 1)] {
        let line = format!("mape_webhook_{what}_total{{path=\"/webhook\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    let kept = world.shared.senseless_webhooks().info().await.unwrap();
    assert_eq!(kept.len, garbage.len() as u64);

    // Only whoever knows the token may subscribe.
    let token = world.shared.settings.network.verify_token.expose();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for (given, status, said) in [(token, 200, "a<b>"), ("", 403, ""), ("guess", 403, "")] {
        let mut url = reqwest::Url::parse(&world.page().replace("/volunteers", "/webhook")).unwrap();
        let pairs = [("hub.mode", "subscribe"), ("hub.verify_token", given), ("hub.challenge", "a<b>")];
        url.query_pairs_mut().extend_pairs(pairs);
        let answer = http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(!answer.headers()["content-type"].to_str().unwrap().contains("html"));
        let text = answer.text().await.unwrap();
        assert!(if said.is_empty() { !text.contains("a<b>") } else { text == said }, "{text}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_none_are_dead_letters_and_hold_nobody_up() {
    let world = World::start().await;
    let log = world.shared.comments();
    let comment = |id: &str| Comment {
        id: id.to_owned(),
        place: "post_1".to_owned(),
        person: "joe".to_owned(),
        name: "Joe".to_owned(),
        text: "count me in".to_owned(),
        via: Via::Comment,
        said: 1,
    };
    let words = crate::model::vocabulary().unwrap().len();
    let bag = |value: Value| Value::from(vec![value; words]);
    for (id, bag) in [
        ("c.1", bag(json!(1))),
        ("c.2", json!([1, 0])),
        ("c.3", bag(json!(1e300))),
        ("c.4", bag(json!(null))),
        ("c.5", bag(json!(0))),
    ] {
        let event =
            mape::event::Event::new("comment").with("comment", serde_json::to_value(comment(id)).unwrap());
        log.append(event.with("post", "ada-1").with("bag", bag)).await.unwrap();
    }
    eventually("the good ones are written", async || world.rows("ada-1").await.len() == 2).await;
    let rows = world.rows("ada-1").await;
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["c.1", "c.5"]);
    assert_eq!(rows["c.5"].class, "unknown", "nothing of it is known, and the model is not asked");
    eventually("the others are dead", async || log.dead_letters().info().await.unwrap().len == 3).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_hear_nothing_and_organisers_only_what_is_theirs() {
    let world = World::start().await;
    let post = demo::begin(&world.shared, &world.running).await.unwrap();
    let (ada, ben) = (world.organiser("ada"), world.organiser("ben"));
    let nobody = Organiser::new(world.page(), "a token of nobody here").unwrap();
    let (signups, members) = (format!("/posts/{post}/signups"), format!("/live/groups/{}", group(&post)));
    for (path, [of_ada, of_ben]) in [
        (signups.as_str(), [200, 404]),
        (&members, [200, 403]),
        ("/knowledge", [403; 2]),
        ("/metrics", [403; 2]),
        ("/", [403; 2]),
    ] {
        for (who, expected) in [(&ada, of_ada), (&ben, of_ben), (&nobody, 401)] {
            assert_eq!(who.ask(Method::GET, path, Value::Null).await.unwrap().0, expected, "{path}");
        }
    }
    assert_eq!(ben.get_done(Method::GET, "/posts", Value::Null).await.unwrap(), json!([]));
    let publish = format!("/live/names/{}", group(&post));
    assert_eq!(ada.ask(Method::POST, &publish, json!({})).await.unwrap().0, 403);
    for viewer in [Viewer::named("ben"), Viewer::default()] {
        let client = world.shared.live.connect(viewer);
        assert!(client.join(&group(&post), Value::Null, false, None).is_err());
    }
    // Who is interested in everything sees no more.
    let mut all = world.shared.live.connect(Viewer::named("ben"));
    all.state("all", mape::live::Interest::all(), None).unwrap();
    let mut own = world.client("ada", &post);
    timeout(PATIENCE, own.next()).await.unwrap().unwrap();
    assert!(timeout(Duration::from_millis(200), all.next()).await.is_err());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_is_good_for_three_tries_and_shows_itself_nowhere() {
    let world = World::start().await;
    let ada = world.organiser("ada");
    let ask = async |path: &str, body: Value| ada.ask(Method::POST, path, body).await.unwrap().0;
    assert_eq!(ask("/volunteers/integration", json!({"email": "a@b.c\r\nDATA"})).await, 422);
    assert_eq!(ask("/volunteers/integration/pin", json!({"pin": "000000"})).await, 410);
    assert_eq!(ask("/volunteers/integration", json!({"email": "ada@example.org"})).await, 202);
    let pin = world.shared.verification("ada").get().await.unwrap().unwrap().pin;
    let wrong = if pin.expose() == "111111" { "222222" } else { "111111" };
    for status in [422, 422, 422, 410] {
        assert_eq!(ask("/volunteers/integration/pin", json!({"pin": wrong})).await, status);
    }
    assert_eq!(ask("/volunteers/integration/pin", json!({"pin": pin.expose()})).await, 410, "too late");
    assert_eq!(world.shared.integration("ada").get().await.unwrap(), None);

    ada.integrate(&world.graph).await.unwrap();
    assert_eq!(world.shared.integration("ada").get().await.unwrap().as_deref(), Some("ada@example.org"));
    let email = &world.shared.queues.email;
    eventually("no mail is under way", async || email.stats().await.unwrap().running == 0).await;
    let mails = world.graph.records().await.unwrap();
    let sent = texts(&mails, "mails", "text");
    let waiting = email.jobs(mape::queue::JobState::Waiting, 100).await.unwrap();
    let kept = format!("{:?} {waiting:?}", email.last_outcomes(100).await.unwrap());
    for mail in &sent {
        let pin =
            mail.split_whitespace().find(|word| word.len() == 6 && word.parse::<u32>().is_ok()).unwrap();
        assert!(!kept.contains(pin));
    }
    world.end().await;
}
