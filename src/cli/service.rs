//! A service of mape, as the commands that ask one see it.

use super::{Global, Usage};
use anyhow::{Context, Error, Result};
use clap::Args;
use mape::config::Secret;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;
use std::error::Error as _;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

// No documentation, which clap would take for that of the command.
#[derive(Args)]
pub(super) struct ServiceArguments {
    #[arg(long, value_name = "URL", help = "The service [default: rest.address of the configuration]")]
    url: Option<String>,
    #[arg(
        long,
        value_name = "TOKEN",
        help = "The token; others can see options, so better $MAPE_REST__TOKEN"
    )]
    token: Option<String>,
}

impl fmt::Debug for ServiceArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceArguments").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A port of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    In,
    Out,
}

impl Port {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// A service.
pub(super) struct Service {
    client: reqwest::Client,
    pub(super) url: Url,
    pub(super) token: Option<Secret>,
}

/// How long a service may take to be there.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it may take for an answer that ends.
const ANSWER: Duration = Duration::from_secs(30);
/// How long sending a file may take, and what is made of it there.
const SENT: Duration = Duration::from_mins(10);

impl Service {
    pub(super) fn of(global: &Global, arguments: &ServiceArguments) -> Result<Self> {
        if let Some(option) = global.option_of_a_backend() {
            return Err(Usage::error(format!(
                "{option} is for commands that work on a backend; this one asks a service: give --url"
            )));
        }
        let config = global.load()?;
        let url = arguments.url.clone().unwrap_or_else(|| {
            let scheme = if config.rest.tls.is_some() { "https" } else { "http" };
            format!("{scheme}://{}", here(&config.rest.address))
        });
        let written = if url.contains("://") { url } else { format!("http://{url}") };
        let is_fit = |url: &Url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        let mut url = written.parse::<Url>().ok().filter(is_fit).ok_or_else(|| {
            Usage::error("--url is no URL of a service: give one such as http://127.0.0.1:6060")
        })?;
        // As it is copied from a browser.
        if let Some(at) = url.path().find("/console") {
            let path = url.path().get(..at).unwrap_or_default().to_owned();
            url.set_path(&path);
            url.set_query(None);
            url.set_fragment(None);
        }
        if url.query().or(url.fragment()).is_some() {
            let told = "--url has more than the address of a service: give it without ? and #; a token is for --token";
            return Err(Usage::error(told));
        }
        let token = arguments.token.as_ref().map(Secret::new).or(config.rest.token);
        Ok(Self { client: client()?, url, token })
    }

    /// As it is shown: without who one is there.
    pub(super) fn shown(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    pub(super) async fn json(&self, path: &str) -> Result<Value> {
        self.json_of(path, &[]).await
    }

    pub(super) async fn json_of(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        let response = self.send(self.request(Method::GET, path, query).timeout(ANSWER)).await?;
        read(response).await
    }

    /// An answer that goes on.
    pub(super) async fn events(&self, path: &str, query: &[(&str, &str)]) -> Result<Response> {
        self.send(self.request(Method::GET, path, query).header(ACCEPT, "text/event-stream")).await
    }

    /// The answer to a body, if it goes on.
    pub(super) async fn post_events(&self, path: &str, json: String) -> Result<Response> {
        let request = self.request(Method::POST, path, &[]).header(ACCEPT, "text/event-stream");
        self.send(request.header(CONTENT_TYPE, "application/json").body(json)).await
    }

    pub(super) async fn post(&self, path: &str, query: &[(&str, &str)], json: String) -> Result<Value> {
        let request = self.request(Method::POST, path, query).timeout(ANSWER);
        let response = self.send(request.header(CONTENT_TYPE, "application/json").body(json)).await?;
        read(response).await
    }

    pub(super) async fn put(&self, path: &str, json: String) -> Result<Value> {
        let request = self.request(Method::PUT, path, &[]).timeout(ANSWER);
        let response = self.send(request.header(CONTENT_TYPE, "application/json").body(json)).await?;
        read(response).await
    }

    /// Sends a file, and reads the answer to it; whether it made something new.
    pub(super) async fn put_bytes(
        &self,
        path: &str,
        query: &[(&str, &str)],
        bytes: Vec<u8>,
    ) -> Result<(bool, Value)> {
        let request = self.request(Method::PUT, path, query).timeout(SENT);
        let response =
            self.send(request.header(CONTENT_TYPE, "application/octet-stream").body(bytes)).await?;
        Ok((response.status() == StatusCode::CREATED, read(response).await?))
    }

    pub(super) async fn delete(&self, path: &str) -> Result<()> {
        self.send(self.request(Method::DELETE, path, &[]).timeout(ANSWER)).await.map(drop)
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// The answer, if it is what was asked for; else what is wrong.
    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let place = self.shown();
        let response = request.send().await.map_err(|error| {
            let is_no_tls = self.url.scheme() == "https" && has_no_tls(&error);
            let what = match () {
                () if is_no_tls => format!("{place} does not speak https: try http://"),
                () if error.is_connect() => {
                    format!("nobody can be reached at {place}: start `mape serve` or a program that serves, or give --url")
                }
                () if error.is_timeout() => format!("{place} does not answer"),
                () => format!("asking {place} failed"),
            };
            Error::from(error.without_url()).context(what)
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        let json: Option<Value> = serde_json::from_str(&text).ok();
        let detail = json.as_ref().and_then(|json| json.get("detail")?.as_str());
        let reason = match (status, detail) {
            (StatusCode::UNAUTHORIZED, _) if self.token.is_none() => {
                format!("{place} wants a token: put it into $MAPE_REST__TOKEN or give --token")
            }
            (StatusCode::UNAUTHORIZED, Some(detail)) => {
                format!("{place} does not take the token: {detail}")
            }
            (_, Some(detail)) => detail.to_owned(),
            (status, None) => format!("{place} answered {status}: is it a service of mape?"),
        };
        Err(Refused { status, reason }.into())
    }
}

/// What a service says that does not do what it is asked for.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Refused {
    status: StatusCode,
    reason: String,
}

impl Refused {
    /// Whether it would say the same again.
    pub(super) fn is_final(&self) -> bool {
        self.status.is_client_error() && !matches!(self.status.as_u16(), 408 | 425 | 429)
    }
}

/// Whether whoever answers speaks something else than TLS.
fn has_no_tls(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.map(ToString::to_string).any(|cause| cause.contains("InvalidContentType"))
}

async fn read(response: Response) -> Result<Value> {
    let text = response.text().await.map_err(|error| Error::from(error.without_url()));
    serde_json::from_str(&text.context("the answer broke off")?).context("the answer is no JSON")
}

/// Where a service that listens on this address is found from the same machine.
fn here(address: &str) -> String {
    let Ok(mut parsed) = address.parse::<SocketAddr>() else { return address.to_owned() };
    match parsed.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => parsed.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => parsed.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    parsed.to_string()
}

/// The path of an element in a service: `loop.element`, or `level.loop.element`, whose level says nothing more.
pub(super) fn element(path: &str) -> Result<String> {
    let parts: Vec<&str> = path.split('.').collect();
    let ([in_loop, element] | [_, in_loop, element]) = parts.as_slice() else {
        return Err(Usage::error(format!("`{path}` is no path of an element: give loop.element")));
    };
    for uid in &parts {
        mape::element::check_uid(uid)
            .map_err(|error| Usage::error(format!("`{path}` is no path of an element: {error}")))?;
    }
    Ok(format!("/loops/{in_loop}/elements/{element}"))
}

/// A client that goes nowhere but where it is told.
fn client() -> Result<reqwest::Client> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .user_agent(concat!("mape/", env!("CARGO_PKG_VERSION")));
    client.build().context("HTTP can't be used")
}
