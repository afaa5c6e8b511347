//! How to connect: what the URL and the options say together.

use super::endpoint::{Endpoint, Topology};
use crate::backend::{Error, Options};
use redis::{ProtocolVersion, RedisConnectionInfo};
use std::fmt;

/// How to connect.
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    pub(super) prefix: String,
    pub(super) client_name: String,
}

const PREFIX_ON_A_CLUSTER: &str = "{mape}";

impl Settings {
    pub(super) fn new(mut endpoint: Endpoint, options: &Options) -> Result<Self, Error> {
        endpoint.username = endpoint.username.or_else(|| options.username.clone());
        endpoint.password = endpoint.password.or_else(|| options.password.clone());
        let cluster = endpoint.topology == Topology::Cluster;
        let prefix = match &options.prefix {
            Some(prefix) => prefix.clone(),
            None if cluster => PREFIX_ON_A_CLUSTER.to_owned(),
            None => String::new(),
        };
        let client_name = options.client_name.clone().unwrap_or_else(|| "mape".to_owned());
        Ok(Self { endpoint, prefix, client_name })
    }

    /// The greeting of a connection to the node with the keys.
    pub(super) fn greeting(&self) -> RedisConnectionInfo {
        let mut greeting = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_db(i64::from(self.endpoint.db))
            .set_lib_name("mape", env!("CARGO_PKG_VERSION"));
        if let Some(password) = &self.endpoint.password {
            greeting = greeting.set_password(password);
            if let Some(username) = &self.endpoint.username {
                greeting = greeting.set_username(username);
            }
        }
        greeting
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint)
            .field("prefix", &self.prefix)
            .field("client_name", &self.client_name)
            .finish()
    }
}
