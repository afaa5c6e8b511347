//! The network's API, as this program calls it.

use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::comment::Comment;
use crate::conversation::Answer;
use crate::webhook;

/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The network's API. Cheap to clone; connections are shared.
#[derive(Clone)]
pub struct Graph {
    client: reqwest::Client,
    url: String,
}

/// Comments behind a place.
#[derive(Debug, Deserialize)]
pub struct Page {
    data: Vec<Value>,
    /// Where the next page begins.
    pub next: i64,
}

impl Page {
    pub fn comments(&self) -> Vec<Comment> {
        self.data.iter().filter_map(webhook::fetched).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

impl Graph {
    pub fn new(address: &str) -> anyhow::Result<Self> {
        // Whoever was first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { client, url: format!("http://{address}/v1") })
    }

    /// Publishes a post; what it is called there. The same key again is the same post.
    pub async fn publish(&self, text: &str, key: &str) -> anyhow::Result<String> {
        self.make("/page/feed", &json!({"message": text}), key).await
    }

    /// Answers a comment or a message; what the answer is called there. The same key again is the same answer.
    pub async fn reply(&self, to: &str, answer: &Answer, key: &str) -> anyhow::Result<String> {
        let body = json!({"message": answer.text, "quick_replies": answer.choices});
        self.make(&format!("/{to}/replies"), &body, key).await
    }

    /// What was commented on a post behind a place.
    pub async fn comments(&self, post: &str, after: i64) -> anyhow::Result<Page> {
        let request = self.client.get(format!("{}/{post}/comments?after={after}", self.url));
        Ok(serde_json::from_slice(&answered(request).await?)?)
    }

    /// Asks to be told of comments from now on; the network looks first whether the callback is ours.
    pub async fn subscribe(&self, callback: &str, verify_token: &str) -> anyhow::Result<()> {
        let body = json!({"callback_url": callback, "verify_token": verify_token});
        answered(self.client.post(format!("{}/subscriptions", self.url)).body(body.to_string())).await?;
        Ok(())
    }

    /// All that the double has been asked for and has done.
    pub async fn records(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&answered(self.client.get(format!("{}/records", self.url))).await?)?)
    }

    async fn make(&self, path: &str, body: &Value, key: &str) -> anyhow::Result<String> {
        let request = self.client.post(format!("{}{path}", self.url)).header("Idempotency-Key", key);
        let made: Made = serde_json::from_slice(&answered(request.body(body.to_string())).await?)?;
        Ok(made.id)
    }
}

/// What a request is answered; an error unless it worked.
async fn answered(request: reqwest::RequestBuilder) -> anyhow::Result<Vec<u8>> {
    let response = request.send().await.context("asking the network")?;
    let status = response.status();
    let body = response.bytes().await.context("reading the network's answer")?;
    if !status.is_success() {
        bail!("the network answers {status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(body.to_vec())
}
