//! The fetching queue: each minute, the comments that no webhook has told of.
//!
//! How far it has come is noted behind what is in the queue, never before: a crash fetches again, and what is fetched or
//! told twice is in the queue once.

use mape::queue::{NewJob, Task, Worker, working};
use serde_json::Value;

use crate::graph::Graph;
use crate::shared::Shared;
use crate::stage::told;

pub async fn start(shared: &Shared) -> anyhow::Result<Worker> {
    let (graph, with) = (Graph::new(&shared.settings.network.address)?, shared.clone());
    let fetch = shared.app.create_loop("fetch")?.monitor("comments").each_unordered(
        shared.queues.fetching.settings().concurrency,
        working(move |_: Task<Value>| {
            let (graph, shared) = (graph.clone(), with.clone());
            async move { fetch(&shared, &graph).await.map_err(told) }
        }),
    );
    Ok(shared.queues.fetching.work(&fetch.spawn()?).await?)
}

/// How many comments no webhook had told of.
async fn fetch(shared: &Shared, graph: &Graph) -> anyhow::Result<u64> {
    let mut new = 0;
    for place in shared.places().keys().await? {
        let mut after = shared.fetched().get(place.as_str()).await?.unwrap_or(0);
        loop {
            let page = graph.comments(&place, after).await?;
            for comment in page.comments() {
                let key = comment.id.clone();
                let added = shared.queues.preprocessing.add_job(NewJob::new(comment).key(key)).await?;
                new += u64::from(added.is_new);
            }
            if page.is_empty() {
                break;
            }
            after = page.next;
            shared.fetched().insert(place.as_str(), &after).await?;
        }
    }
    Ok(new)
}
