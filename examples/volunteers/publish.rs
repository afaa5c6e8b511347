//! The publishing queue: posts that are to be on the network.

use mape::queue::{NewJob, Task, Worker, working};
use serde::{Deserialize, Serialize};

use crate::comment::{Outcome, Post, What, now};
use crate::graph::Graph;
use crate::shared::Shared;
use crate::stage::told;

/// A post that is to be published.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Publish {
    pub post: Post,
}

pub async fn start(shared: &Shared) -> anyhow::Result<Worker> {
    let (graph, with) = (Graph::new(&shared.settings.network.address)?, shared.clone());
    let publish = shared.app.create_loop("publish")?.execute("publish").each_unordered(
        shared.queues.publishing.settings().concurrency,
        working(move |task: Task<Publish>| {
            let (graph, shared) = (graph.clone(), with.clone());
            async move { publish(&shared, &graph, &task).await.map_err(told) }
        }),
    );
    Ok(shared.queues.publishing.work(&publish.spawn()?).await?)
}

/// Whatever of it was done before is done again, and comes to the same.
async fn publish(shared: &Shared, graph: &Graph, task: &Task<Publish>) -> anyhow::Result<String> {
    let Post { id, text, .. } = &task.post;
    // A job is known for a day; the network knows the post for ever.
    let place = graph.publish(text, id).await?;
    shared.places().insert(place.as_str(), id.as_str()).await?;
    let published = Post { place: Some(place.clone()), ..task.post.clone() };
    shared.posts().insert(id.as_str(), &published).await?;
    let outcome = Outcome {
        what: What::Published,
        id: id.clone(),
        post: id.clone(),
        text: text.clone(),
        reference: place.clone(),
        at: now(),
    };
    let _ = shared.queues.database_write.add_job(NewJob::new(outcome).key(format!("published {id}"))).await?;
    Ok(place)
}
