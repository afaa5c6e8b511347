//! A service on a free port, and a client of it.

use mape::app::App;
use mape::http::{Service, Serving};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// A service on a free port of the loopback address; it ends when this is dropped.
pub(crate) struct Site {
    pub(crate) serving: Serving,
    pub(crate) client: Client,
}

impl Site {
    /// One that serves an app as `App::serve` does.
    pub(crate) async fn of(app: &App) -> Self {
        Self::with(Service::new(app)).await
    }

    pub(crate) async fn with(service: Service) -> Self {
        let serving = service.listen("127.0.0.1:0").await.unwrap();
        Self { serving, client: client() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.serving.url())
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<String>) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path).body(body.into())).await
    }
}

/// A client that goes nowhere but where it is told, and trusts nobody's certificates.
pub(crate) fn client() -> Client {
    client_that_trusts(rustls::RootCertStore::empty())
}

/// The same, which trusts these.
pub(crate) fn client_that_trusts(roots: rustls::RootCertStore) -> Client {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_backend_preconfigured(tls(roots))
        .build()
        .unwrap()
}

/// What a request is answered: the status, and the JSON, or the text where it is none.
pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or(Value::from(text)))
}

fn tls(roots: rustls::RootCertStore) -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}
