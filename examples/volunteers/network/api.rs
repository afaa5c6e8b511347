//! What one can ask the network for.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::network::records::Records;
use crate::settings::made_up;

#[derive(Clone)]
struct Network {
    records: Arc<Records>,
    client: reqwest::Client,
}

pub fn routes(records: &Arc<Records>) -> anyhow::Result<Router> {
    let network = Network { records: records.clone(), client: client()? };
    Ok(Router::new()
        .route("/v1/page/feed", post(publish))
        .route("/v1/{id}/replies", post(reply))
        .route("/v1/{id}/comments", get(comments))
        .route("/v1/subscriptions", post(subscribe))
        .route("/v1/records", get(all))
        .with_state(network))
}

/// A client that calls others back.
pub fn client() -> anyhow::Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?)
}

/// Why something is not done.
struct No(StatusCode, String);

impl IntoResponse for No {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": {"message": self.1}}))).into_response()
    }
}

impl<E: Into<anyhow::Error>> From<E> for No {
    fn from(error: E) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, format!("{:#}", error.into()))
    }
}

fn no(reason: &str) -> No {
    No(StatusCode::BAD_REQUEST, reason.to_owned())
}

fn key(headers: &HeaderMap) -> Result<&str, No> {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    key.ok_or_else(|| no("this needs an Idempotency-Key"))
}

#[derive(Deserialize)]
struct Message {
    message: String,
    #[serde(default)]
    quick_replies: Vec<String>,
}

/// A body, whatever its type is called.
fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, No> {
    serde_json::from_slice(body).map_err(|error| no(&error.to_string()))
}

async fn publish(
    State(network): State<Network>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Json<Value>, No> {
    let Message { message, .. } = read(&body)?;
    Ok(Json(json!({"id": network.records.publish(key(&headers)?, &message)?})))
}

async fn reply(
    State(network): State<Network>,
    Path(to): Path<String>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Json<Value>, No> {
    let Message { message, quick_replies } = read(&body)?;
    Ok(Json(json!({"id": network.records.reply(key(&headers)?, &to, &message, &quick_replies)?})))
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: i64,
}

async fn comments(
    State(network): State<Network>,
    Path(post): Path<String>,
    Query(After { after }): Query<After>,
) -> Result<Json<Value>, No> {
    let (comments, next) = network.records.comments(&post, after)?;
    Ok(Json(json!({"data": comments, "next": next})))
}

#[derive(Deserialize)]
struct Subscription {
    callback_url: String,
    verify_token: String,
}

/// Before anything is told, the other side has to say back what only it can.
async fn subscribe(State(network): State<Network>, body: axum::body::Bytes) -> Result<Json<Value>, No> {
    let Subscription { callback_url, verify_token } = read(&body)?;
    let challenge = made_up()?;
    let mut callback = reqwest::Url::parse(&callback_url)?;
    callback
        .query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.verify_token", &verify_token)
        .append_pair("hub.challenge", &challenge);
    let said = network.client.get(callback).send().await?.text().await?;
    if said != challenge {
        return Err(no("the callback does not answer with the challenge"));
    }
    network.records.subscribe(&callback_url)?;
    Ok(Json(json!({"success": true})))
}

async fn all(State(network): State<Network>) -> Result<Json<Value>, No> {
    Ok(Json(network.records.all()?))
}
