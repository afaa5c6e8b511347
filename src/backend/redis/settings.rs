//! How to connect: what the URL and the options say together.

use super::address::Address;
use super::endpoint::{Endpoint, Topology};
use super::slot::tag;
use super::tls::Tls;
use crate::backend::{Error, Options};
use redis::{ProtocolVersion, RedisConnectionInfo};
use std::fmt;

/// How to connect.
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    pub(super) prefix: String,
    pub(super) tls: Option<Tls>,
    client_name: String,
}

const PREFIX_ON_A_CLUSTER: &str = "{mape}";

impl Settings {
    pub(super) async fn new(mut endpoint: Endpoint, options: &Options) -> Result<Self, Error> {
        endpoint.username = endpoint.username.or_else(|| options.username.clone());
        endpoint.password = endpoint.password.or_else(|| options.password.clone());
        let cluster = endpoint.topology == Topology::Cluster;
        let scheme = endpoint.scheme();
        let malformed = |problem| Error::Malformed { scheme: scheme.to_owned(), problem };
        let prefix = match &options.prefix {
            Some(prefix) if cluster && tag(prefix).is_none() => {
                let problem = format!(
                    "the prefix {prefix:?} spreads keys over all nodes, and what belongs together has to be on one; put a part of it in braces, such as `{PREFIX_ON_A_CLUSTER}`"
                );
                return Err(malformed(problem));
            }
            Some(prefix) => prefix.clone(),
            None if cluster => PREFIX_ON_A_CLUSTER.to_owned(),
            None => String::new(),
        };
        let tls = if endpoint.tls {
            let ca_file = options.ca_file.clone();
            let reading = tokio::task::spawn_blocking(move || Tls::trusting(ca_file.as_deref()));
            let aborted =
                |_| Error::Certificates { what: String::new(), reason: "reading was aborted".into() };
            Some(reading.await.map_err(aborted)??)
        } else {
            None
        };
        let client_name = options.client_name.clone().unwrap_or_else(|| "mape".to_owned());
        if !client_name.bytes().all(|byte| byte.is_ascii_graphic()) {
            let problem = format!(
                "connections cannot be called {client_name:?}; take a name of ASCII letters, digits and signs without blanks"
            );
            return Err(malformed(problem));
        }
        Ok(Self { endpoint, prefix, tls, client_name })
    }

    /// How to begin with the node that has the keys.
    pub(super) fn greeting(&self) -> RedisConnectionInfo {
        let greeting = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("mape", env!("CARGO_PKG_VERSION"));
        self.with_login(greeting).set_db(i64::from(self.endpoint.db))
    }

    /// How to begin with a sentinel: most ask for no login and refuse one.
    pub(super) fn greeting_of_a_sentinel(&self, login: bool) -> RedisConnectionInfo {
        let greeting = RedisConnectionInfo::default().set_skip_set_lib_name();
        if login { self.with_login(greeting) } else { greeting }
    }

    fn with_login(&self, mut greeting: RedisConnectionInfo) -> RedisConnectionInfo {
        if let Some(password) = &self.endpoint.password {
            greeting = greeting.set_password(password);
            if let Some(username) = &self.endpoint.username {
                greeting = greeting.set_username(username);
            }
        }
        greeting
    }

    /// What is said of a connection when it is made: its name on the server.
    pub(super) fn client_name(&self) -> &str {
        &self.client_name
    }

    /// What it may mean that nobody answers.
    pub(super) fn silence(&self) -> &'static str {
        match self.tls {
            None => "no answer in time",
            Some(_) => "no answer in time to TLS; if it speaks without, write `redis:` instead of `rediss:`",
        }
    }

    /// The first server that the URL names.
    pub(super) fn first_address(&self) -> Address {
        let first = self.endpoint.addresses.first();
        first.cloned().unwrap_or_else(|| Address::Unix(String::new()))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint)
            .field("prefix", &self.prefix)
            .field("client_name", &self.client_name)
            .finish_non_exhaustive()
    }
}
