//! Each stage in a process of its own, on a real Redis server, killed at any moment.

use super::{Places, TOKEN};
use crate::server::{Directory, RedisServer};
use futures::{SinkExt, StreamExt};
use mape::backend::Backend;
use mape::queue::Queues;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const STAGES: [&str; 10] =
    ["web", "publish", "fetch", "preprocess", "judge", "write", "outcomes", "reply", "email", "network"];
/// How many comments there are, how many milliseconds apart, and how often stages are killed while they come.
const COMMENTS: usize = 300;
const PACE: u64 = 50;
const ROUNDS: usize = 30;
const PATIENCE: Duration = Duration::from_mins(2);

/// The stages, and where they are.
struct World {
    places: Places,
    server: RedisServer,
    directory: Directory,
    stages: BTreeMap<&'static str, Child>,
}

impl World {
    fn start() -> Self {
        let (places, server, directory) = (Places::free(), RedisServer::start(), Directory::new());
        let mut world = Self { places, server, directory, stages: BTreeMap::new() };
        for stage in STAGES {
            world.begin(stage);
        }
        world
    }

    fn begin(&mut self, stage: &'static str) {
        let mut command = self.places.program();
        command.args(["--log", "warn", "--stage", stage, "--backend", &self.server.url(), "--data"]);
        command.arg(self.directory.path());
        command
            .env("MAPE_NETWORK__COMMENTS", COMMENTS.to_string())
            .env("MAPE_NETWORK__PACE", PACE.to_string());
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.path().join(format!("{stage}.log")));
        let log = log.unwrap();
        command.stdout(Stdio::null()).stderr(log);
        self.stages.insert(stage, command.spawn().unwrap());
    }

    /// As `kill -9` does.
    fn kill(&mut self, stage: &str) {
        let mut process = self.stages.remove(stage).unwrap();
        assert!(process.try_wait().unwrap().is_none(), "{stage} has ended by itself: {}", self.log(stage));
        process.kill().unwrap();
        process.wait().unwrap();
    }

    fn log(&self, stage: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(format!("{stage}.log"))).unwrap_or_default()
    }

    fn rows(&self, asked: &str) -> Vec<(String, String)> {
        let rows = Connection::open(self.directory.path().join("volunteers.sqlite")).unwrap();
        rows.busy_timeout(Duration::from_secs(5)).unwrap();
        let Ok(mut asked) = rows.prepare(asked) else { return Vec::new() };
        let found = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        found.map(Result::unwrap).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for process in self.stages.values_mut() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Tries until it works.
async fn at_last<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// What a page has heard of, by the ids of comments.
#[derive(Default)]
struct Heard {
    signups: BTreeSet<String>,
    replies: BTreeSet<String>,
    /// How often the list had to be read anew, and how often what was missed came by itself.
    reloads: usize,
    recovered: usize,
}

/// A page that does what the real one does: it comes back for what it missed, and reads the list where that is not known.
async fn page(address: String, post: String, heard: Arc<Mutex<Heard>>) {
    let mut since: Option<String> = None;
    loop {
        let _ = visit(&address, &post, &heard, &mut since).await;
        sleep(Duration::from_millis(100)).await;
    }
}

async fn visit(address: &str, post: &str, heard: &Mutex<Heard>, since: &mut Option<String>) -> Option<()> {
    let mut request = format!("ws://{address}/live/socket").into_client_request().ok()?;
    request.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().ok()?);
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.ok()?;
    let mut epoch = String::new();
    loop {
        let Message::Text(text) = socket.next().await?.ok()? else { continue };
        let said: Value = serde_json::from_str(&text).ok()?;
        if said["client"].is_string() {
            epoch = said["position"].as_str()?.rsplit_once(':')?.0.to_owned();
            let mut join = json!({"group": format!("interested_{post}")});
            if let Some(since) = &since {
                join["since"] = json!(since);
            }
            socket.send(Message::Text(json!({"id": 1, "join": join}).to_string().into())).await.ok()?;
        } else if said["id"] == 1 {
            assert_eq!(said["ok"], true, "{said}");
            if since.is_some() && said["recovered"] == true {
                heard.lock().unwrap().recovered += 1;
                continue;
            }
            *since = said["position"].as_str().map(str::to_owned);
            let list = format!("http://{address}/posts/{post}/signups");
            let rows = super::read(crate::http::site::client().get(list).bearer_auth(TOKEN)).await;
            let Some(rows) = rows else {
                // It begins anew.
                *since = None;
                return None;
            };
            let mut heard = heard.lock().unwrap();
            heard.reloads += 1;
            for row in rows.as_array()? {
                let id = row["id"].as_str()?.to_owned();
                if row["reply"].is_string() {
                    heard.replies.insert(id.clone());
                }
                heard.signups.insert(id);
            }
        } else if let Some(offset) = said["offset"].as_str() {
            *since = Some(format!("{epoch}:{offset}"));
            let mut heard = heard.lock().unwrap();
            if let Some(id) = said["data"]["signup"]["id"].as_str() {
                heard.signups.insert(id.to_owned());
            } else if let Some(id) = said["data"]["replied"]["id"].as_str() {
                heard.replies.insert(id.to_owned());
            }
        }
    }
}

fn ids(records: &Value, list: &str, field: &str) -> Vec<String> {
    records[list].as_array().unwrap().iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_any_stage_at_any_moment_loses_nothing_and_doubles_nothing() {
    let mut random = fastrand::Rng::new();
    let mut kills = Vec::new();
    let mut world = World::start();
    let mail = json!({"email": "ada@example.org"});
    at_last("a mail is asked for", async || world.places.post("/volunteers/integration", &mail).await).await;
    let pin = at_last("the mail is there", async || world.places.pin().await).await;
    world.places.post("/volunteers/integration/pin", &json!({"pin": pin})).await.unwrap();

    // Killed while they publish, too: who asks again with the same id publishes once.
    let new = json!({"id": "0123456789abcdef", "text": "Who helps this weekend?"});
    for stage in ["web", "publish", "network", "outcomes"] {
        at_last("the post is taken", async || world.places.post("/posts", &new).await).await;
        sleep(Duration::from_millis(random.u64(..80))).await;
        world.kill(stage);
        world.begin(stage);
    }
    let post = at_last("the post is taken", async || world.places.post("/posts", &new).await).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let heard = Arc::<Mutex<Heard>>::default();
    let page = tokio::spawn(page(world.places.page.clone(), post.clone(), heard.clone()));

    for round in 0..ROUNDS {
        sleep(Duration::from_millis(random.u64(50..600))).await;
        // Each in its turn, and with it at times others at the same moment.
        let mut killed = BTreeSet::from([STAGES[round * 7 % STAGES.len()]]);
        killed.extend((0..random.usize(..3)).map(|_| STAGES[random.usize(..STAGES.len())]));
        for stage in &killed {
            world.kill(stage);
        }
        kills.push(killed.clone());
        sleep(Duration::from_millis(random.u64(..400))).await;
        for stage in killed {
            world.begin(stage);
        }
    }

    let settled = async {
        loop {
            sleep(Duration::from_millis(300)).await;
            let Some(records) = world.places.records().await else { continue };
            let said: BTreeSet<_> = ids(&records, "said", "id").into_iter().collect();
            let rows = world
                .rows("SELECT id, CAST(interested OR via = 'message' AS TEXT) FROM signups WHERE post <> ''");
            let to_answer: BTreeSet<_> =
                rows.iter().filter(|(_, wants)| wants == "1").map(|(id, _)| id.clone()).collect();
            let heard = heard.lock().unwrap();
            if said.len() >= COMMENTS
                && heard.signups == said
                && rows.len() == said.len()
                && heard.replies == to_answer
            {
                return (records, rows.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), to_answer);
            }
        }
    };
    let settled = timeout(PATIENCE, settled).await;
    let how = || {
        let heard = heard.lock().unwrap();
        let logs: Vec<_> = STAGES.map(|stage| format!("{stage}: {}", world.log(stage))).into();
        let (signups, replies) = (heard.signups.len(), heard.replies.len());
        format!(
            "killed were {kills:?}; the page knows {signups} signups and {replies} replies\n{}",
            logs.join("\n")
        )
    };
    let (records, rows, to_answer) = settled.unwrap_or_else(|_| panic!("it does not settle; {}", how()));
    page.abort();

    assert_eq!(ids(&records, "posts", "text").len(), 1, "{}", how());
    assert_eq!(rows.len(), rows.iter().collect::<BTreeSet<_>>().len(), "{}", how());
    let answered = ids(&records, "replies", "to");
    assert_eq!(answered.len(), to_answer.len(), "{}", how());
    assert_eq!(answered.into_iter().collect::<BTreeSet<_>>(), to_answer, "{}", how());
    let outcomes = world.rows("SELECT what, count(*) || '' FROM outcomes GROUP BY what ORDER BY what");
    let expected = [("published", 1), ("replied", to_answer.len())]
        .map(|(what, count)| (what.to_owned(), count.to_string()));
    assert_eq!(outcomes, expected, "{}", how());
    let backend = Backend::open(&world.server.url()).await.unwrap();
    // What a fetch has left, the next one does.
    let queues = Queues::of(&backend).list().await.unwrap();
    for queue in queues.iter().filter(|queue| queue.name() != "fetching") {
        let dead = queue.dead(5).await.unwrap();
        assert!(dead.is_empty(), "{}: {dead:?}; {}", queue.name(), how());
    }
    let Heard { reloads, recovered, .. } = &*heard.lock().unwrap();
    assert!(recovered + reloads > 2, "the page was disconnected as its server was killed");
}
