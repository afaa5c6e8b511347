//! The backend of a command that stays, and keeps others company on it.

use super::backend::options;
use super::{Global, Usage, note};
use anyhow::Result;
use mape::backend::{Backend, Error, Options};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A backend, which outlives whoever owns its directory.
pub(super) struct Staying {
    pub(super) backend: Backend,
    /// The directory of `backend`, if its former owner has ended and this process has it now.
    own: Option<Backend>,
    url: String,
    options: Options,
}

/// How long a command tries to own a directory before it goes through its owner, who stays as well then: most commands
/// are done sooner.
const MOMENT: Duration = Duration::from_millis(300);

impl Staying {
    /// Opens the backend that the options or the configuration name, else one in memory, for a command that does its
    /// work itself.
    pub(super) async fn hosted(global: &Global) -> Result<Self> {
        Self::open(global, "memory:").await
    }

    /// Opens the backend that the options or the configuration name, else a directory here, for a program that serves
    /// what others ask for; over HTTP they also get at what is in memory.
    pub(super) async fn served(global: &Global, over_http: bool) -> Result<Self> {
        let staying = Self::open(global, "file:./mape-data").await?;
        if staying.is_in_memory() && !over_http {
            return Err(Usage::error(
                "nobody else can get at what is in memory:; give --backend file:DIR or redis://HOST:PORT",
            ));
        }
        Ok(staying)
    }

    async fn open(global: &Global, default: &str) -> Result<Self> {
        let config = global.load()?;
        let url = config.backend.url.as_ref().map_or(default, |url| url.expose()).to_owned();
        let (options, begun) = (options(&config), Instant::now());
        let backend = loop {
            match Backend::open_with(&url, options.clone()).await {
                Err(Error::Owned { .. }) if begun.elapsed() < MOMENT => sleep(Duration::from_millis(2)).await,
                Err(Error::Owned { .. }) => break Backend::attach(&url, options.clone()).await?,
                opened => break opened?,
            }
        };
        Ok(Self { backend, own: None, url, options })
    }

    pub(super) fn is_in_memory(&self) -> bool {
        self.backend.url() == "memory:"
    }

    /// Whether others can serve what is on it.
    pub(super) fn is_on_a_server(&self) -> bool {
        !self.is_in_memory() && !self.backend.url().starts_with("file:")
    }

    /// Nothing could be done, so perhaps whoever owned the directory has ended: takes its place, unless another has. The
    /// backend goes through the new owner from then on, also if that is this process.
    pub(super) async fn regain(&mut self, global: &Global) -> Result<()> {
        if !self.backend.url().starts_with("file:") {
            return Ok(());
        }
        match Backend::open_with(&self.url, self.options.clone()).await {
            Err(Error::Owned { .. }) => Ok(()),
            opened => {
                self.own = Some(opened?);
                note(global, "owner", "whoever owned the directory is gone; it is this process now");
                Ok(())
            }
        }
    }

    pub(super) async fn close(self) {
        self.backend.close().await;
        if let Some(own) = self.own {
            own.close().await;
        }
    }
}
