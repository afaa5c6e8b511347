//! A service as the configuration has it.

use super::{Access, Error, Jwt, Limits, Role, Rule, Service, Tls};
use crate::config;
use crate::config::{Rest, Role as RoleName};
use crate::live::{Settings, WhenFull};
use std::fs;

impl Service {
    /// With what the section `rest` says, but for the address: tokens, rules, limits, TLS, archives.
    ///
    /// ```no_run
    /// use mape::config::Config;
    /// use mape::http::Service;
    /// use mape::prelude::*;
    ///
    /// # #[tokio::main] async fn main() -> Result<(), BoxError> {
    /// let config = Config::load()?;
    /// let serving = Service::new(&App::new()).configured(&config.rest)?.listen(&config.rest.address).await?;
    /// # drop(serving);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::File`]: a key or a certificate cannot be read; [`Error::Access`].
    pub fn configured(mut self, rest: &Rest) -> Result<Self, Error> {
        let limits = Limits {
            body: rest.body_limit_bytes,
            head: rest.limits.head_bytes,
            head_within: rest.limits.head_within,
            body_within: rest.limits.body_within,
            connections: rest.limits.connections,
            requests_per_second: rest.limits.requests_per_second,
            push_wait: rest.push_wait,
        };
        self = self.limits(limits).access(access(rest)?);
        if let Some(tls) = &rest.tls {
            self = self.tls(Tls::from_files(&tls.certificate, &tls.key)?);
        }
        if let Some(archives) = &rest.archives {
            self = self.archives(archives);
        }
        #[cfg(feature = "inference")]
        if let Some(directory) = &rest.model_files {
            self = self.model_files(directory);
        }
        Ok(self)
    }
}

impl Settings {
    /// What the section `live` says.
    ///
    /// ```
    /// use mape::config::Config;
    /// use mape::live::{Live, Settings};
    /// use mape::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
    /// let config = Config::builder().text("live: {client_buffer: 16}").without_environment().build()?;
    /// let live = Live::with(&App::new(), Settings::configured(&config.live), ());
    /// assert_eq!(live.settings().client_buffer, 16);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn configured(live: &config::Live) -> Self {
        Self {
            client_buffer: live.client_buffer,
            client_bytes: live.client_bytes,
            when_full: match live.when_full {
                config::WhenFull::DropOldest => WhenFull::DropOldest,
                config::WhenFull::Disconnect => WhenFull::Disconnect,
            },
            jobs: live.jobs,
            client_jobs: live.client_jobs,
            interests: live.interests,
            steps: live.steps as u64,
            history: live.history,
            history_bytes: live.history_bytes,
            names: live.names,
            shared_history: live.shared_history as u64,
            cache_bytes: live.cache_bytes,
            cache_lifetime: live.cache_lifetime,
            held: live.held,
        }
    }
}

fn access(rest: &Rest) -> Result<Access, Error> {
    let mut access = Access::new();
    for (name, token) in &rest.tokens {
        access = access.token(name, token.token.expose(), role(token.role));
    }
    if let Some(section) = &rest.jwt {
        let mut jwt = match (&section.secret, &section.public_key_file) {
            (Some(secret), None) => Jwt::secret(secret.expose()),
            (None, Some(file)) => Jwt::public_key(fs::read(file).map_err(|error| Error::File {
                what: "there is no public key",
                file: file.clone(),
                reason: error.to_string(),
            })?),
            _ => {
                let reason = "give it a `secret` or a `public_key_file`, one of both".to_owned();
                return Err(Error::Access { what: "rest.jwt".to_owned(), reason });
            }
        };
        if let Some(issuer) = &section.issuer {
            jwt = jwt.issuer(issuer);
        }
        if let Some(audience) = &section.audience {
            jwt = jwt.audience(audience);
        }
        if let Some(claim) = &section.role_claim {
            jwt = jwt.role_claim(claim);
        }
        access = access.jwt(jwt);
    }
    for rule in &rest.rules {
        access = access.rule(Rule::new(&rule.path, role(rule.role)).methods(rule.methods.iter().cloned()));
    }
    access = rest.allow_origins.iter().fold(access, Access::allow_origin);
    Ok(rest.allow_hosts.iter().fold(access, Access::allow_host))
}

fn role(name: RoleName) -> Role {
    match name {
        RoleName::Read => Role::Read,
        RoleName::Operate => Role::Operate,
        RoleName::Admin => Role::Admin,
    }
}
