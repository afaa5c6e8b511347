//! Live servers that share a backend; the suite that every backend passes.

mod jobs;
mod losses;
mod parts;
mod presence;
mod pulling;
#[cfg(feature = "redis")]
mod server;

use super::{data, told};
use crate::suite::eventually;
use mape::backend::Backend;
use mape::live::{Client, Delivery, Job, Live, Part, Settings, Viewer, answering};
use mape::prelude::*;
use serde_json::Value;
use std::sync::Arc;

/// The tests of all claims of a suite, in memory and on a server.
macro_rules! claims {
    ($($suite:ident)::+: $($claim:ident),* $(,)?) => {
        crate::suite::tests_of! {
            memory, mape::backend::Backend::memory(), (start_paused = true), $($suite)::+: $($claim),*
        }
        #[cfg(feature = "redis")]
        crate::suite::tests_of! {
            redis, crate::live::nodes::on_a_server().await, (), $($suite)::+: $($claim),*
        }
    };
}
use claims;

#[cfg(feature = "redis")]
async fn on_a_server() -> Backend {
    Backend::open(&crate::server::RedisServer::shared_url()).await.unwrap()
}

/// A node with its app, which knows those before it.
struct Node {
    live: Live,
    app: App,
}

async fn node(backend: &Backend) -> Node {
    node_with(backend, Settings::default()).await
}

async fn node_with(backend: &Backend, settings: Settings) -> Node {
    let app = App::with_backend(backend.clone());
    let live = Live::shared(&app, settings, ());
    live.ready().await;
    Node { live, app }
}

impl Node {
    /// Does jobs of a kind by a function.
    fn does<F>(&self, name: &str, f: impl Fn(Job, mape::live::Parts) -> F + Clone + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let element = self.app.create_loop("").unwrap().execute("do").each_unordered(64, answering(f));
        let element: Element<Job, Part> = element.spawn().unwrap();
        self.live.job(name, &element).unwrap();
    }

    fn client(&self) -> Client {
        self.live.connect(Viewer::default())
    }

    /// Waits until a node is there that does such jobs.
    async fn sees(&self, kind: &str) {
        let is_there = || {
            let nodes = self.live.nodes();
            async move { nodes.iter().any(|node| node.kinds.iter().any(|other| **other == *kind)) }
        };
        eventually(&format!("a node is there that does `{kind}`"), is_there).await;
    }
}

/// The next so many that a client is told.
async fn next(client: &mut Client, count: usize) -> Vec<Delivery> {
    let mut told = Vec::new();
    while told.len() < count {
        let next = tokio::time::timeout(Duration::from_secs(20), client.next()).await;
        told.push(
            next.unwrap_or_else(|_| panic!("there is more than {told:?}")).expect("the client is there"),
        );
    }
    told
}

/// The data of the next parts, errors as texts; what else is told is left out.
async fn next_data(client: &mut Client, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(next(client, 1).await.iter().filter_map(data));
    }
    all
}

fn counted(counter: &str) -> u64 {
    let all = mape::stream::meter::all();
    let of_kind = all.iter().filter(|meter| meter.kind().name == "live_node");
    let place = |meter: &Arc<mape::stream::meter::Meter>| {
        let at = meter.kind().counters.iter().position(|(name, _)| *name == counter);
        meter.counter(at.expect("there is such a counter"))
    };
    of_kind.map(place).sum()
}
