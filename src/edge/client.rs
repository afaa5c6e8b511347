//! How other services are called.

use super::Error;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, Url};
use std::error::Error as _;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Who one is at other services, and how long one waits for them. Cheap to clone; clones share their connections.
///
/// It goes nowhere but where it is told: redirects are not followed, so that no token goes to whom it is not meant for,
/// and no proxy of the environment is asked. Certificates are checked against those of the system.
///
/// ```
/// use mape::edge::Client;
/// use std::time::Duration;
/// # fn main() -> Result<(), mape::edge::Error> {
/// let client = Client::new().token("s3cret")?.header("X-Car", "panda")?.timeout(Duration::from_secs(5));
/// assert!(!format!("{client:?}").contains("s3cret"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    headers: HeaderMap,
    timeout: Duration,
    ca_file: Option<PathBuf>,
    made: Arc<OnceCell<reqwest::Client>>,
}

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

impl Default for Client {
    fn default() -> Self {
        Self {
            headers: HeaderMap::new(),
            timeout: Duration::from_secs(30),
            ca_file: None,
            made: Arc::default(),
        }
    }
}

impl Client {
    /// One without a token, that waits 30 s for an answer, and 10 s for a connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends this header with every request.
    ///
    /// # Errors
    /// [`Error::Header`].
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Header { name: name.to_owned(), reason: reason.to_owned() };
        let key = HeaderName::try_from(name).map_err(|_| wrong("that is no name of a header"))?;
        let mut value =
            HeaderValue::from_str(value).map_err(|_| wrong("its value has characters that none may have"))?;
        value.set_sensitive(true);
        self.headers.insert(key, value);
        Ok(self)
    }

    /// Shows this bearer token to every service that is called.
    ///
    /// # Errors
    /// [`Error::Header`].
    pub fn token(self, token: &str) -> Result<Self, Error> {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// How long a call may take, from the first attempt to connect to the end of the answer. Default: 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts the certificates in this file (PEM), too.
    #[must_use]
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self.made = Arc::default();
        self
    }

    /// A request that shows who one is.
    pub(crate) async fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, Error> {
        Ok(self.lasting_request(method, url).await?.timeout(self.timeout))
    }

    /// One whose answer goes on for as long as it likes.
    pub(super) async fn lasting_request(&self, method: Method, url: Url) -> Result<RequestBuilder, Error> {
        let made = self.made.get_or_try_init(|| make(self.ca_file.clone())).await;
        let made = made.map_err(|reason| Error::Client { reason })?;
        Ok(made.request(method, url).headers(self.headers.clone()))
    }

    /// Sends one, and waits for the beginning of its answer for no longer than for a whole one.
    pub(super) async fn begin(&self, request: RequestBuilder, place: &str) -> Result<Response, Error> {
        let failed = |reason| Error::NoAnswer { place: place.to_owned(), reason };
        let answer = tokio::time::timeout(self.timeout, request.send()).await;
        let answer = answer.map_err(|_| failed(format!("it does not answer within {:?}", self.timeout)))?;
        answer.map_err(|error| failed(said(error)))
    }
}

async fn make(ca_file: Option<PathBuf>) -> Result<reqwest::Client, String> {
    // Certificates are read from files.
    let made = tokio::task::spawn_blocking(|| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(file) = ca_file {
            use rustls::pki_types::pem::PemObject;
            let wrong = |error: &dyn fmt::Display| format!("reading {}: {error}", file.display());
            let pem = std::fs::read(&file).map_err(|error| wrong(&error))?;
            for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| wrong(&error))?;
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .user_agent(concat!("mape/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(said)
    });
    made.await.map_err(|error| error.to_string())?
}

/// An error with its causes, without the URL, which may hold what is not to be shown.
pub(crate) fn said(error: reqwest::Error) -> String {
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

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Client")
            .field("headers", &headers)
            .field("timeout", &self.timeout)
            .field("ca_file", &self.ca_file)
            .finish_non_exhaustive()
    }
}
