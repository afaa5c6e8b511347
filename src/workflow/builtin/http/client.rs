//! The client.

use super::super::super::TaskError;
use super::hosts::{Hosts, Resolver};
use super::secrets::Secrets;
use futures::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Calls services, as far as that is allowed. Cheap to clone; connections are shared.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Client {
    pub(in super::super) hosts: Hosts,
    pub(in super::super) secrets: Secrets,
    made: Arc<OnceCell<reqwest::Client>>,
}

/// One call.
pub(in super::super) struct Call {
    pub(in super::super) method: Method,
    pub(in super::super) url: Url,
    /// They go to where the call goes, and not to where that sends it on to.
    pub(in super::super) headers: HeaderMap,
    pub(in super::super) body: Option<(HeaderValue, Vec<u8>)>,
    /// From the first attempt to connect to the end of the answer.
    pub(in super::super) timeout: Duration,
    /// The longest answer, in bytes.
    pub(in super::super) longest: usize,
}

/// An answer.
pub(in super::super) struct Answered {
    pub(in super::super) status: StatusCode,
    pub(in super::super) kind: String,
    pub(in super::super) body: Vec<u8>,
}

/// How often a call is sent on.
const REDIRECTS: usize = 10;
/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

impl Client {
    /// Calls, and waits for the whole answer.
    ///
    /// Dropping the future ends the call.
    pub(in super::super) async fn call(&self, call: Call) -> Result<Answered, TaskError> {
        let (method, place) = (call.method.clone(), self.shown(&call.url));
        let fail =
            |reason: &str| TaskError::new(format!("{method} {place}: {}", self.secrets.without(reason)));
        let timeout = call.timeout;
        match tokio::time::timeout(timeout, self.follow(call)).await {
            Ok(Ok(answered)) => Ok(answered),
            Ok(Err(error)) if error.may_be_tried_again() => Err(fail(error.reason())),
            Ok(Err(error)) => Err(TaskError::for_good(fail(error.reason()).reason())),
            Err(_) => Err(fail(&format!("no answer within {timeout:?}"))),
        }
    }

    /// A URL as it is shown: without who one is there, and without its query.
    pub(in super::super) fn shown(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        self.secrets.without(&format!("{}://{host}{port}{}", url.scheme(), url.path()))
    }

    async fn follow(&self, mut call: Call) -> Result<Answered, TaskError> {
        for _ in 0..=REDIRECTS {
            self.hosts.check(&call.url).map_err(TaskError::for_good)?;
            let response = self.send(&call).await?;
            let status = response.status();
            let target = response.headers().get(LOCATION).filter(|_| status.is_redirection());
            let Some(target) = target.and_then(|target| target.to_str().ok()) else {
                return read(response, call.longest).await;
            };
            let target =
                call.url.join(target).map_err(|_| TaskError::for_good("it was sent on to what is no URL"))?;
            let becomes_get = status == StatusCode::SEE_OTHER
                || (call.method == Method::POST
                    && matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND));
            if becomes_get {
                (call.method, call.body) = (Method::GET, None);
            }
            if target.origin() != call.url.origin() {
                // Whoever that is, it is not who they were meant for.
                call.headers.clear();
                if call.body.is_some() {
                    let reason = format!(
                        "it was sent on to {}, which is not sent what it carries",
                        self.shown(&target)
                    );
                    return Err(TaskError::for_good(reason));
                }
            }
            call.url = target;
        }
        Err(TaskError::for_good(format!("it was sent on more than {REDIRECTS} times")))
    }

    async fn send(&self, call: &Call) -> Result<Response, TaskError> {
        let client = self.made.get_or_try_init(client).await?;
        let mut request = client.request(call.method.clone(), call.url.clone()).headers(call.headers.clone());
        if let Some((kind, body)) = &call.body {
            request = request.header(CONTENT_TYPE, kind.clone()).body(body.clone());
        }
        request.send().await.map_err(|error| TaskError::new(said(error)))
    }
}

async fn client() -> Result<reqwest::Client, TaskError> {
    // Certificates are read from files.
    let made = tokio::task::spawn_blocking(|| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Resolver)
            // A proxy would be asked for hosts in our place, and the environment is none of ours.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .user_agent(concat!("mape/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(said)
    });
    let made = made.await.map_err(|error| TaskError::new(error.to_string()))?;
    made.map_err(|reason| TaskError::for_good(format!("HTTP cannot be used: {reason}")))
}

/// Reads an answer up to its longest.
async fn read(response: Response, longest: usize) -> Result<Answered, TaskError> {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let (kind, mut body) = (kind.unwrap_or_default().to_owned(), Vec::new());
    let mut parts = response.bytes_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| TaskError::new(said(error)))?;
        if body.len().saturating_add(part.len()) > longest {
            return Err(TaskError::for_good(format!("the answer is longer than {longest} bytes")));
        }
        body.extend_from_slice(&part);
    }
    Ok(Answered { status, kind, body })
}

/// An error with its causes, without the URL, which may hold what is not to be shown.
fn said(error: reqwest::Error) -> String {
    let error = error.without_url();
    let (mut said, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = error.source();
    }
    said
}
