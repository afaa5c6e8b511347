//! Where points are written to and queried from.

use super::Precision;
use crate::edge::Error;
use crate::edge::client::Client;
use crate::edge::target::{service, shown};
use percent_encoding::percent_decode_str;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};
use std::fmt;

/// A server with InfluxDB's interface, and who one is there: InfluxDB 1.x, 2 and 3, `VictoriaMetrics` and others.
/// Cheap to clone; a clone can be given another bucket.
///
/// ```
/// use mape::edge::InfluxServer;
///
/// # fn main() -> Result<(), mape::edge::Error> {
/// let server = InfluxServer::new("http://localhost:8086")?.org("town").bucket("water").token("s3cret")?;
/// assert!(!format!("{server:?}").contains("s3cret"));
/// # Ok(()) }
/// ```
///
/// With a user ([`login`](Self::login)) it is written by API v1 (`/write`), else by API v2 (`/api/v2/write`), which InfluxDB
/// 2 and 3 and `VictoriaMetrics` have. An InfluxDB 1.x that doesn't have it says who it is in its 404, and is written by v1
/// from then on.
#[derive(Clone)]
pub struct InfluxServer {
    url: Url,
    shown: String,
    pub(super) org: Option<String>,
    pub(super) bucket: Option<String>,
    authorization: Option<HeaderValue>,
    login: Option<(String, String)>,
    client: Client,
    pub(super) debug: bool,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    V1,
    V2,
}

impl InfluxServer {
    /// The server at `HOST:PORT`, with or without `http://` or `https://`; a user and password in the URL are its login,
    /// with `%40` for an `@` and so on, as in every URL.
    ///
    /// # Errors
    /// [`Error::Target`].
    pub fn new(url: &str) -> Result<Self, Error> {
        let mut url = service(url)?;
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let (user, password) = (decoded(url.username()), url.password().map(decoded));
        let shown = shown(&url);
        // A URL with a host has room for a user, so these don't fail.
        let (_, _) = (url.set_username(""), url.set_password(None));
        let server = Self {
            url,
            shown: shown.trim_end_matches('/').to_owned(),
            org: None,
            bucket: None,
            authorization: None,
            login: None,
            client: Client::new(),
            debug: false,
        };
        let is_anybody = user.is_empty() && password.is_none();
        Ok(if is_anybody { server } else { server.login(&user, &password.unwrap_or_default()) })
    }

    /// The organisation (v2).
    #[must_use]
    pub fn org(mut self, org: impl Into<String>) -> Self {
        self.org = Some(org.into());
        self
    }

    /// The bucket; for InfluxDB 1.x the database, or `DATABASE/RETENTION_POLICY`.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// The token (v2, v3).
    ///
    /// # Errors
    /// [`Error::Header`].
    pub fn token(mut self, token: &str) -> Result<Self, Error> {
        let value = HeaderValue::from_str(&format!("Token {token}"));
        let mut value = value.map_err(|_| Error::Header {
            name: AUTHORIZATION.to_string(),
            reason: "the token has characters that none may have".to_owned(),
        })?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// The user and password (v1), in place of a token.
    #[must_use]
    pub fn login(mut self, username: &str, password: &str) -> Self {
        self.login = Some((username.to_owned(), password.to_owned()));
        self
    }

    /// With these headers, times and certificates, and on its connections.
    #[must_use]
    pub fn client(mut self, client: &Client) -> Self {
        self.client = client.clone();
        self
    }

    /// Whether every request is logged, without secrets, at the level `info`. Default: no.
    #[must_use]
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// As it is shown: no user, and of a path only the beginning.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.shown
    }

    /// The place and the bucket, as metrics name it.
    pub(super) fn name(&self) -> String {
        match &self.bucket {
            Some(bucket) => format!("{}/{bucket}", self.shown),
            None => self.shown.clone(),
        }
    }

    /// What it is spoken to at first.
    pub(super) fn api(&self) -> Api {
        if self.login.is_some() { Api::V1 } else { Api::V2 }
    }

    /// The database and retention policy that a bucket is in InfluxDB 1.x.
    fn database(&self) -> (Option<&str>, Option<&str>) {
        let Some(bucket) = self.bucket.as_deref() else { return (None, None) };
        bucket
            .split_once('/')
            .map_or((Some(bucket), None), |(database, policy)| (Some(database), Some(policy)))
    }

    pub(super) fn write_url(&self, api: Api, precision: Precision) -> Url {
        match api {
            Api::V2 => {
                let bucket = self.bucket.as_deref();
                let query =
                    [("org", self.org.as_deref()), ("bucket", bucket), ("precision", Some(precision.v2()))];
                self.url("api/v2/write", &query)
            }
            Api::V1 => {
                let (database, policy) = self.database();
                self.url("write", &[("db", database), ("rp", policy), ("precision", Some(precision.v1()))])
            }
        }
    }

    pub(super) fn flux_url(&self) -> Url {
        self.url("api/v2/query", &[("org", self.org.as_deref())])
    }

    pub(super) fn influxql_url(&self, query: &str) -> Url {
        let (database, policy) = self.database();
        let pairs = [("db", database), ("rp", policy), ("epoch", Some("ns")), ("chunked", Some("true"))];
        let mut url = self.url("query", &pairs);
        url.query_pairs_mut().append_pair("q", query);
        url
    }

    pub(super) fn ping_url(&self) -> Url {
        self.url("ping", &[])
    }

    fn url(&self, path: &str, query: &[(&str, Option<&str>)]) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{path}", self.url.path().trim_end_matches('/')));
        let mut pairs = url.query_pairs_mut();
        for (name, value) in query {
            if let Some(value) = value {
                pairs.append_pair(name, value);
            }
        }
        drop(pairs);
        if url.query() == Some("") {
            url.set_query(None);
        }
        url
    }

    /// A request that shows who one is.
    pub(super) async fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, Error> {
        let request = self.client.request(method, url).await?;
        Ok(match (&self.login, &self.authorization) {
            (Some((user, password)), _) => request.basic_auth(user, Some(password)),
            (None, Some(token)) => {
                let token = (AUTHORIZATION, token.clone());
                request.headers(HeaderMap::from_iter([token]))
            }
            (None, None) => request,
        })
    }
}

impl fmt::Debug for InfluxServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InfluxServer")
            .field("url", &self.shown)
            .field("org", &self.org)
            .field("bucket", &self.bucket)
            .field("login", &self.login.as_ref().map(|(user, _)| user))
            .field("token", &self.authorization.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_api_has_its_url_and_no_secret_shows() {
        let server =
            InfluxServer::new("http://me:s3cret@h:1/db/").unwrap().org("a b").bucket("c/d").token("s3cret");
        let server = server.unwrap();
        assert_eq!(server.api(), Api::V1);
        let v2 = server.write_url(Api::V2, Precision::Microseconds);
        assert_eq!(v2.as_str(), "http://h:1/db/api/v2/write?org=a+b&bucket=c%2Fd&precision=us");
        let v1 = server.write_url(Api::V1, Precision::Nanoseconds);
        assert_eq!(v1.as_str(), "http://h:1/db/write?db=c&rp=d&precision=n");
        assert_eq!(server.ping_url().as_str(), "http://h:1/db/ping");
        assert!(!format!("{server:?} {}", server.name()).contains("s3cret"));
        assert!(server.token("a\nb").unwrap_err().to_string().contains("token"));
    }
}
