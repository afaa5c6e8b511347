//! How to connect.

use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// What a URL says.
#[derive(Debug)]
pub(in crate::database) struct Settings {
    pub(super) config: Config,
    /// Whose certificates are trusted; nothing: those whom the system trusts.
    pub(super) authorities: Option<PathBuf>,
}

/// How long a connection may take unless the URL says it.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may be silent that owes an answer to the system.
const SILENT: Duration = Duration::from_secs(20);

impl Settings {
    pub(in crate::database) fn parse(url: &str) -> Result<Self, String> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let mut authorities = None;
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslrootcert", path)) => authorities = Some(PathBuf::from(path)),
                // Whoever speaks TLS has to be who it says it is, so there is no less.
                Some(("sslmode", "verify-ca" | "verify-full")) => rest.push("sslmode=require"),
                _ => rest.push(pair),
            }
        }
        let url = if rest.is_empty() { place.to_owned() } else { format!("{place}?{}", rest.join("&")) };
        // What the parser says names an option, and no value.
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            format!(
                "it is no URL of PostgreSQL ({reason}); write `postgres://USER:PASSWORD@HOST:PORT/DATABASE`"
            )
        })?;
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("mape");
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENT).keepalives_idle(SILENT / 2).keepalives_interval(SILENT / 4);
        }
        Ok(Self { config, authorities })
    }

    /// As it is shown to people.
    pub(in crate::database) fn shown(&self) -> String {
        let user = self.config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        let port = self.config.get_ports().first().map(|port| format!(":{port}")).unwrap_or_default();
        let database = self.config.get_dbname().unwrap_or_default();
        format!("postgres://{user}{host}{port}/{database}")
    }

    pub(super) fn uses_tls(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Disable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let shown = |url: &str| Settings::parse(url).unwrap().shown();
        assert_eq!(shown("postgres://me:s3cret@db.example:5433/shop"), "postgres://me@db.example:5433/shop");
        assert_eq!(shown("postgresql:///shop"), "postgres://localhost/shop");
        let settings =
            Settings::parse("postgres://h/d?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=3")
                .unwrap();
        assert_eq!(settings.authorities, Some("/ca.pem".into()));
        assert_eq!(settings.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(settings.config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert!(!Settings::parse("postgres://h/d?sslmode=disable").unwrap().uses_tls());
        let error = Settings::parse("postgres://me:s3cret@h/d?colour=red").unwrap_err();
        assert!(error.contains("colour") && !error.contains("s3cret"), "{error}");
    }
}
