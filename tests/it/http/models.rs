//! Models from outside, over real sockets.

mod access;
mod configured;
mod files;
mod judging;

use super::site::{Site, answer};
use mape::app::App;
use mape::http::Service;
use mape::infer::{Models, Settings};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn path(name: &str) -> String {
    format!("{}/tests/data/models/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

/// A service with models.
struct World {
    site: Site,
    models: Models,
}

impl World {
    /// Without any.
    async fn empty() -> Self {
        let models = Models::new();
        Self { site: Site::with(Service::new(&App::new()).models(&models)).await, models }
    }

    /// With `interest`, whose versions are `1`, which is live, and `2`.
    async fn new() -> Self {
        let world = Self::empty().await;
        for file in ["mlp.onnx", "mlp-2.onnx"] {
            world.models.load("interest", None, path(file), Settings::default()).await.unwrap();
        }
        world
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.site.get(path).await
    }

    async fn post(&self, path: &str, body: impl Into<Value>) -> (StatusCode, Value) {
        self.site.post(path, body.into().to_string()).await
    }

    /// Sends the bytes of a model.
    async fn send(&self, path: &str, bytes: Vec<u8>) -> (StatusCode, Value) {
        answer(self.site.request(Method::PUT, path).body(bytes)).await
    }

    async fn put(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.site.request(Method::PUT, path).header("content-type", "application/json");
        answer(request.body(body.to_string())).await
    }

    async fn delete(&self, path: &str) -> (StatusCode, Value) {
        answer(self.site.request(Method::DELETE, path)).await
    }
}

/// What is wrong, as it is told.
#[track_caller]
fn detail(answer: &(StatusCode, Value), status: StatusCode) -> &str {
    assert_eq!(answer.0, status, "{}", answer.1);
    answer.1["detail"].as_str().unwrap()
}

/// A row with a word or two.
fn row() -> Value {
    json!(vec![1; 44])
}
