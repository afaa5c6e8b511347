//! Verdicts become rows, in bulk; then, and only then, people are told and answers are queued.
//!
//! What comes out of the bulk writer is committed. It comes out again if this process dies before it was passed on, so what
//! is done here bears being done twice: the page knows rows by their ids, and the id of a comment is the key of its answer.

use mape::database::{BulkWriter, Database, Written, WrittenSource};
use mape::event::Retention;
use mape::prelude::*;
use mape::queue::NewJob;
use serde_json::json;

use crate::comment::{Signup, Via, group};
use crate::reply::Reply;
use crate::shared::Shared;
use crate::stage::Running;

/// How many rows are passed on together at most.
const TOGETHER: usize = 64;
/// What is kept of logs whose events were taken by all who read them, for who wants to look back.
const KEPT: Retention = Retention::Entries(10_000);

pub async fn start(shared: &Shared, running: &mut Running) -> anyhow::Result<()> {
    let database = Database::open(&format!("sqlite:{}", shared.rows().display())).await?;
    let signups = database.table::<Signup>("signups").key(["id"]).create();
    let written =
        BulkWriter::new("signups", shared.app.backend(), "interested", &signups).select(["verdict"]);
    running.own(pass_on(shared.clone(), written.start().await?));
    running.own(tidy(shared.clone()));
    Ok(())
}

async fn pass_on(shared: Shared, written: WrittenSource<Signup>) {
    // Dropped last: what is in hand as this is ended was not passed on, which it says if its writer has gone by then.
    let mut rows;
    let mut written = written.ready_chunks(TOGETHER);
    while let Some(chunk) = written.next().await {
        rows = chunk;
        for row in rows.iter().filter(|row| !row.post.is_empty()) {
            if let Err(error) = shared.live.publish(&group(&row.post), json!({"signup": **row})) {
                tracing::warn!(%error, id = row.id, "nobody is told of a signup");
            }
        }
        // Until others can read it, it is not passed on.
        shared.live.flush().await;
        for row in rows.iter().filter(|row| row.interested || row.via == Via::Message) {
            answer(&shared, row).await;
        }
        drop(rows);
    }
}

/// Queues an answer, however long that takes: the row is here until then.
async fn answer(shared: &Shared, row: &Written<Signup>) {
    let backoff = Backoff::exponential(Duration::from_millis(50), Duration::from_secs(5));
    let mut failures = 0;
    while let Err(error) = shared.queues.reply.add_job(NewJob::new(Reply::to(row)).key(&row.id)).await {
        if failures == 0 {
            tracing::warn!(%error, id = row.id, "an answer cannot be queued now; it is tried again");
        }
        tokio::time::sleep(backoff.wait(failures).unwrap_or_default()).await;
        failures += 1;
    }
}

/// Keeps the logs from growing for ever.
async fn tidy(shared: Shared) {
    loop {
        for log in [shared.comments(), shared.interested()] {
            if let Err(error) = log.trim(KEPT).await {
                tracing::debug!(log = %log.name(), %error, "a log could not be trimmed");
            }
        }
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
}
