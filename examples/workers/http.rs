//! Calls of services over HTTP, with JSON in both directions.
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

use std::error::Error;
use std::time::Duration;

use anyhow::Context;
use mape::config::Config;
use mape::workflow::TaskError;
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// A setting of a section of the program's own, such as `batch.token`: in `config.yaml`, or `$MAPE_BATCH__TOKEN`.
pub fn setting(key: &str) -> anyhow::Result<Option<String>> {
    Ok(Config::load()?.find(key)?)
}

/// A service: where it is, and who one is there. Cheap to clone; connections are shared.
#[derive(Clone)]
pub struct Service {
    client: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Service {
    /// How long a call may take unless it says otherwise.
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    pub fn new(url: &str, token: Option<String>) -> anyhow::Result<Self> {
        // Whoever was first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().connect_timeout(Duration::from_secs(5)).build();
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { client: client.context("making an HTTP client")?, url, token })
    }

    /// Its status and body, as JSON or else as text. An error is that no answer came.
    pub async fn call(&self, call: Call<'_>) -> Result<(StatusCode, Value), TaskError> {
        let mut request =
            self.client.request(call.method, format!("{}{}", self.url, call.path)).timeout(call.timeout);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = call.key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = call.body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let answered = async {
            let response = request.send().await?;
            Ok::<_, reqwest::Error>((response.status(), response.bytes().await?))
        };
        let (status, body) = answered.await.map_err(|error| no_answer(error, call.timeout))?;
        let text = || Value::from(String::from_utf8_lossy(&body).into_owned());
        Ok((status, serde_json::from_slice(&body).unwrap_or_else(|_| text())))
    }
}

/// One call.
pub struct Call<'a> {
    pub method: Method,
    pub path: &'a str,
    pub body: Option<&'a Value>,
    /// A name for what is asked for: who asks twice under one name gets one thing.
    pub key: Option<&'a str>,
    pub timeout: Duration,
}

impl<'a> Call<'a> {
    pub fn new(method: Method, path: &'a str) -> Self {
        Self { method, path, body: None, key: None, timeout: Service::TIMEOUT }
    }
}

/// What it refuses; another attempt may help where it is only busy, or broken for now.
pub fn refused(who: &str, status: StatusCode, body: &Value) -> TaskError {
    let words = ["error", "message", "reason"].iter().find_map(|name| body.get(name));
    let said = match words.unwrap_or(body) {
        Value::String(text) if text.is_empty() => format!("{who} answered {status}"),
        Value::String(text) => format!("{who} answered {status}: {text}"),
        other => format!("{who} answered {status}: {other}"),
    };
    let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    if status.is_server_error() || busy { TaskError::new(said) } else { TaskError::for_good(said) }
}

fn no_answer(error: reqwest::Error, timeout: Duration) -> TaskError {
    if error.is_timeout() {
        return TaskError::new(format!("no answer within {timeout:?}"));
    }
    // Its own words say where it goes to, which may hold what is not to be shown.
    let error = error.without_url();
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    TaskError::new(said)
}
