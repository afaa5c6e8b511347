//! The database write queue: what was published and answered becomes rows, in bulk; then people are told.

use mape::database::{Database, Error, Table};
use mape::prelude::*;
use mape::queue::{NotNow, Task, Worker, batches};
use serde_json::json;

use crate::comment::{Outcome, What, group};
use crate::shared::Shared;

/// How many rows are written together at most, and how long one waits for others.
const TOGETHER: (usize, Duration) = (200, Duration::from_millis(30));

pub async fn start(shared: &Shared) -> anyhow::Result<Worker> {
    let database = Database::open(&format!("sqlite:{}", shared.rows().display())).await?;
    let table = database.table::<Outcome>("outcomes").key(["what", "id"]).create();
    let with = shared.clone();
    let write = shared
        .app
        .create_loop("outcomes")?
        .execute::<Task<Outcome>>("write")
        .ops_in(|s| s.buffer_count_or_time(TOGETHER.0, TOGETHER.1))
        .each_async(batches(move |outcomes: Vec<Task<Outcome>>| {
            let (shared, table) = (with.clone(), table.clone());
            async move { write(&shared, &table, &outcomes).await }
        }))
        .spawn()?;
    Ok(shared.queues.database_write.work(&write).await?)
}

async fn write(
    shared: &Shared,
    table: &Table<Outcome>,
    outcomes: &[Task<Outcome>],
) -> Result<Vec<()>, BoxError> {
    match table.write(outcomes.iter().map(|task| &**task)).await {
        Ok(()) => {}
        Err(error @ Error::Unavailable { .. }) => return Err(NotNow::new(error).into()),
        Err(error) => return Err(error.into()),
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.post.is_empty()) {
        let told = match outcome.what {
            What::Published => json!({"published": **outcome}),
            What::Replied => json!({"replied": **outcome}),
        };
        shared.live.publish(&group(&outcome.post), told)?;
    }
    shared.live.flush().await;
    Ok(vec![(); outcomes.len()])
}
