//! The same with the live server: a job, and groups that are published to.

use super::part::Part;
use super::role::publish;
use mape::http::Service;
use mape::live::{Job, Live, Parts, answering};
use mape::prelude::*;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// So many jobs are under way at a time.
const AT_ONCE: usize = 2000;

#[derive(Deserialize)]
struct Count {
    parts: u32,
    millis: u64,
}

pub(super) async fn play() {
    let app = App::new();
    let live = Live::new(&app);
    let jobs = app.create_loop("jobs").unwrap();
    let element = jobs.execute("count").each_unordered(AT_ONCE, answering(count)).spawn().unwrap();
    live.job("count", &element).unwrap();
    let serving = Service::new(&app).live(&live).listen("127.0.0.1:0").await.unwrap();
    publish(serving.address().port(), async |group, part| {
        live.publish(&format!("group{group}"), serde_json::to_value(part).unwrap()).unwrap();
    })
    .await;
}

async fn count(job: Job, parts: Parts) -> Result<(), BoxError> {
    let Count { parts: number, millis } = job.input_as()?;
    let (begin, apart) = (Instant::now(), Duration::from_millis(millis));
    for one in 1..=number {
        sleep_until(begin + apart * one).await;
        parts.send(Part::number(u64::from(one - 1))).await?;
    }
    Ok(())
}
