//! The backend that a command works on.

use super::{Global, Usage};
use anyhow::Result;
use mape::backend::{Backend, Options};
use mape::config::Config;

/// Opens the backend that the options or the configuration name, for a command that looks into what others share.
pub(super) async fn shared(global: &Global) -> Result<Backend> {
    let config = global.load()?;
    let Some(url) = config.backend.url.as_ref().map(|url| url.expose().to_owned()) else {
        return Err(Usage::error(
            "no backend is named: give --backend file:DIR or redis://HOST:PORT, or --host HOST of a Redis server, \
             or set REDIS_HOST, or backend.url in config.yaml (`mape serve` uses file:./mape-data then, `mape worker` \
             the Redis server of this machine)",
        ));
    };
    Ok(Backend::attach(&url, options(&config)).await?)
}

/// The same, on the Redis server of this machine where nothing is named.
pub(super) async fn on_redis(global: &Global) -> Result<Backend> {
    let config = global.load_on_redis()?;
    let url = config.backend.url.as_ref().map(|url| url.expose().to_owned()).unwrap_or_default();
    Ok(Backend::attach(&url, options(&config)).await?)
}

/// Refuses a directory that is not there, for a command that looks for something in it.
pub(super) fn exists(global: &Global) -> Result<()> {
    let config = global.load()?;
    let url = config.backend.url.as_ref().map(|url| url.expose());
    match url.and_then(|url| url.strip_prefix("file:")) {
        Some(dir) if !std::path::Path::new(dir).exists() => Err(Usage::error(format!(
            "there is no directory {dir}: name one that a program has made with --backend file:DIR"
        ))),
        _ => Ok(()),
    }
}

/// What the configuration says of a backend besides its URL.
pub(super) fn options(config: &Config) -> Options {
    let section = &config.backend;
    let mut options = Options::default();
    options.prefix.clone_from(&section.prefix);
    options.username.clone_from(&section.username);
    options.password = section.password.as_ref().map(|password| password.expose().to_owned());
    options.ca_file.clone_from(&section.ca_file);
    options.client_name.clone_from(&section.client_name);
    options
}
