//! The network tells what was said, until somebody takes it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use mape::config::Secret;
use mape::edge::Signature;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::comment::now;
use crate::network::api;
use crate::network::records::{Records, Said};

/// How often it looks whether there is something to tell.
const LOOK: Duration = Duration::from_millis(25);
/// How long it waits after it was not listened to.
const PAUSE: Duration = Duration::from_millis(300);

/// Tells, for ever.
pub fn send(
    records: Arc<Records>,
    secret: &Secret,
) -> anyhow::Result<impl Future<Output = ()> + Send + use<>> {
    let (client, signature) = (api::client()?, Signature::github(secret.expose()));
    Ok(async move {
        loop {
            let told = match records.due() {
                Ok(Some((callback, said))) => {
                    tell(&client, &signature, &callback, &said).await.and_then(|()| records.told(&said))
                }
                Ok(None) => {
                    sleep(LOOK).await;
                    continue;
                }
                Err(error) => Err(error),
            };
            if let Err(error) = told {
                tracing::debug!("a webhook is sent again: {error:#}");
                sleep(PAUSE).await;
            }
        }
    })
}

async fn tell(
    client: &reqwest::Client,
    signature: &Signature,
    callback: &str,
    said: &[Said],
) -> anyhow::Result<()> {
    let of = |is_message: bool| said.iter().filter(move |said| said.is_message == is_message).map(Said::json);
    let changes: Vec<Value> = of(false).map(|value| json!({"field": "feed", "value": value})).collect();
    let messaging: Vec<Value> = of(true).collect();
    let entry = json!([{"id": "page", "time": now(), "changes": changes, "messaging": messaging}]);
    let body = json!({"object": "page", "entry": entry}).to_string();
    let request = client.post(callback).header("Content-Type", "application/json");
    let request = request.header(signature.header(), signature.sign(body.as_bytes()));
    let status = request.body(body).send().await?.status();
    ensure!(status.is_success(), "it was answered by {status}");
    Ok(())
}
