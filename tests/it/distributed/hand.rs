//! A deployment on a server of its own, and what programs of other kinds do there, by hand.

use crate::server::RedisServer;
use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::event::{Event, EventId, Log};
use mape::workflow::{Engine, RunId, Status, Tasks, Workflows};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const LOG: &str = "workflows:run";

pub(crate) struct Hand {
    pub(crate) server: RedisServer,
    pub(crate) backend: Backend,
}

impl Hand {
    pub(crate) async fn new() -> Self {
        Self::on(RedisServer::start()).await
    }

    pub(crate) async fn on(server: RedisServer) -> Self {
        let backend = Backend::open(&server.url()).await.unwrap();
        Self { server, backend }
    }

    /// An engine in a world of its own, that hosts nothing and refuses nothing.
    pub(crate) async fn engine(&self) -> Engine {
        self.engine_with(Tasks::new().and_others()).await
    }

    pub(crate) async fn engine_with(&self, tasks: Tasks) -> Engine {
        let app = App::with_backend(Backend::open(&self.server.url()).await.unwrap());
        Engine::start(&app, tasks).await.unwrap()
    }

    pub(crate) fn workflows(&self) -> Workflows {
        Workflows::new(&self.backend)
    }

    pub(crate) fn log(&self) -> Log {
        self.backend.events().log(LOG)
    }

    /// All events of a kind that are in the log.
    pub(crate) async fn events(&self, kind: &str) -> Vec<(EventId, Value)> {
        let entries = self.log().range(EventId::MIN, EventId::MAX, 100_000).await.unwrap();
        let of_kind = entries.into_iter().filter_map(|entry| Some((entry.id, entry.event.ok()?)));
        let of_kind = of_kind.filter(|(_, event)| event.is(kind));
        of_kind.map(|(id, event)| (id, event.read().unwrap())).collect()
    }

    /// The starts of one run by the names of their tasks.
    pub(crate) async fn starts(&self, id: &RunId) -> Vec<Value> {
        let starts = self.events("start-task").await;
        starts.into_iter().map(|(_, start)| start).filter(|start| start["workflow"] == id.full()).collect()
    }

    pub(crate) async fn started(&self, id: &RunId, name: &str) -> Value {
        let find = async || self.starts(id).await.into_iter().rev().find(|start| start["name"] == name);
        eventually(&format!("{name} is started"), async || find().await.is_some()).await;
        find().await.unwrap()
    }

    /// Ends a task as a Python worker does: the output is a key, the event says nothing of it.
    pub(crate) async fn end(&self, start: &Value, output: Option<&Value>) {
        let (workflow, index) = (start["workflow"].as_str().unwrap(), &start["index"]);
        if let Some(output) = output {
            self.server.cli(&["SET", &format!("{workflow}:output:{index}"), &output.to_string()]);
        }
        self.append(self.ending(start)).await;
    }

    #[allow(clippy::unused_self, reason = "it is said of a hand, as all that it does")]
    pub(crate) fn ending(&self, start: &Value) -> Event {
        Event::default()
            .with("name", start["name"].clone())
            .with("index", start["index"].clone())
            .with("workflow", start["workflow"].clone())
            .with("status", "SUCCESS")
            .with("kind", "end-task")
    }

    pub(crate) async fn fail(&self, start: &Value, reason: &str) {
        self.append(self.ending(start).with("status", "FAILURE").with("reason", reason)).await;
    }

    pub(crate) async fn append(&self, event: Event) {
        self.log().append(event.stamped()).await.unwrap();
    }

    pub(crate) async fn becomes(&self, id: &RunId, status: Status) {
        let workflows = self.workflows();
        eventually(&format!("{id} is {status}"), async || workflows.status(id).await.unwrap() == status)
            .await;
    }

    /// What a list of changes adds up to.
    pub(crate) fn sum(&self, id: &RunId, list: &str) -> Vec<i64> {
        let mut sum = Vec::new();
        for line in self.server.cli(&["LRANGE", &format!("{}:{list}", id.full()), "0", "-1"]).lines() {
            let numbers: Vec<i64> = line.split_whitespace().skip(1).map(|n| n.parse().unwrap()).collect();
            sum.resize(numbers.len(), 0);
            sum.iter_mut().zip(numbers).for_each(|(sum, by)| *sum += by);
        }
        sum
    }

    /// All keys and their kinds.
    pub(crate) fn keys(&self) -> BTreeMap<String, String> {
        let keys = self.server.cli(&["KEYS", "*"]);
        keys.lines()
            .filter(|key| !key.is_empty())
            .map(|key| (key.to_owned(), self.server.cli(&["TYPE", key]).trim().to_owned()))
            .collect()
    }

    pub(crate) async fn nothing_pending(&self, group: &str) {
        let group = self.log().group(group);
        eventually("nothing is pending", async || {
            group.info().await.unwrap().is_none_or(|info| info.pending == 0 && info.lag == 0)
        })
        .await;
    }
}
