//! The live server: jobs, parts, interests, groups.

mod clients;
#[cfg(all(feature = "http", feature = "cli", unix))]
mod dashboard;
mod groups;
mod interests;
mod jobs;
mod nodes;
mod pipelines;
#[cfg(feature = "flow")]
mod workflows;

use futures::{FutureExt, StreamExt};
use mape::live::{Client, Delivery};
use serde_json::Value;

/// The data of all parts that wait for a client, errors as texts.
fn waiting(client: &mut Client) -> Vec<Value> {
    told(client).iter().filter_map(data).collect()
}

/// All that waits for a client.
fn told(client: &mut Client) -> Vec<Delivery> {
    let mut told = Vec::new();
    while let Some(Some(delivery)) = client.next().now_or_never() {
        told.push(delivery);
    }
    told
}

fn data(delivery: &Delivery) -> Option<Value> {
    let Delivery::Part(part) = delivery else { return None };
    Some(part.data().cloned().unwrap_or_else(|| format!("error: {}", part.error().unwrap()).into()))
}

/// All until it is closed.
async fn until_end(client: Client) -> Vec<Delivery> {
    client.collect().await
}
