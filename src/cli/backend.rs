//! The backend that a command works on.

use super::{Global, Usage};
use anyhow::Result;
use mape::backend::{Backend, Error, Options};
use mape::config::Config;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Opens the backend that the options or the configuration name, for a command that looks into what others share.
pub(super) async fn shared(global: &Global) -> Result<Backend> {
    let config = global.load()?;
    let Some(url) = config.backend.url.as_ref().map(|url| url.expose().to_owned()) else {
        return Err(Usage::error(
            "no backend is named: give --backend file:DIR or redis://HOST:PORT, or set backend.url in config.yaml \
             (`mape serve` uses file:./mape-data then)",
        ));
    };
    Ok(Backend::attach(&url, options(&config)).await?)
}

/// Opens the backend that the options or the configuration name, else one in memory, for a command that does its work
/// itself.
pub(super) async fn hosted(global: &Global) -> Result<Backend> {
    let config = global.load()?;
    let url = config.backend.url.as_ref().map(|url| url.expose().to_owned());
    to_stay(url.as_deref().unwrap_or("memory:"), &config).await
}

/// Opens the backend that the options or the configuration name, else a directory here, for a program that serves what
/// others ask for.
pub(super) async fn served(global: &Global) -> Result<Backend> {
    let config = global.load()?;
    let url = config.backend.url.as_ref().map(|url| url.expose().to_owned());
    let url = url.as_deref().unwrap_or("file:./mape-data");
    if url == "memory:" {
        return Err(Usage::error(
            "nobody else can get at what is in memory:; give --backend file:DIR or redis://HOST:PORT",
        ));
    }
    to_stay(url, &config).await
}

/// How long a command that stays tries to own a directory before it goes through its owner, who stays as well then:
/// most commands are done sooner.
const MOMENT: Duration = Duration::from_millis(300);

async fn to_stay(url: &str, config: &Config) -> Result<Backend> {
    let begun = Instant::now();
    loop {
        match Backend::open_with(url, options(config)).await {
            Err(Error::Owned { .. }) if begun.elapsed() < MOMENT => sleep(Duration::from_millis(2)).await,
            Err(Error::Owned { .. }) => return Ok(Backend::attach(url, options(config)).await?),
            opened => return Ok(opened?),
        }
    }
}

/// What the configuration says of a backend besides its URL.
fn options(config: &Config) -> Options {
    let section = &config.backend;
    let mut options = Options::default();
    options.prefix.clone_from(&section.prefix);
    options.username.clone_from(&section.username);
    options.password = section.password.as_ref().map(|password| password.expose().to_owned());
    options.ca_file.clone_from(&section.ca_file);
    options.client_name.clone_from(&section.client_name);
    options
}
