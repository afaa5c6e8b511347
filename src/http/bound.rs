//! A service whose port is taken.

use super::{Error, Service, Serving, serving};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A service that has its port and does not answer yet, by [`Service::bind`]: for a program that begins work only when it
/// is certain that it can be reached. Who connects meanwhile waits.
///
/// ```no_run
/// use mape::http::Service;
/// use mape::prelude::*;
/// # use mape::workflow::{Engine, Tasks};
///
/// # #[tokio::main] async fn main() -> Result<(), BoxError> {
/// # let tasks = Tasks::new();
/// let app = App::new();
/// let bound = Service::new(&app).bind("127.0.0.1:6060").await?;
/// let engine = Engine::with(tasks).start(&app).await?;
/// let serving = bound.with(|service| service.engine(&engine)).serve()?;
/// # serving.close(std::time::Duration::from_secs(1)).await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "it answers nothing until it serves"]
pub struct Bound {
    service: Service,
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    pub(super) async fn new(service: Service, address: &str) -> Result<Self, Error> {
        service.may_listen(None)?;
        let listener = serving::bind(address).await?;
        let address = serving::address_of(&listener, address)?;
        service.may_listen(Some(address))?;
        Ok(Self { service, listener, address })
    }

    /// Where it will answer.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// With what is known only now, such as an engine that has started.
    pub fn with(mut self, change: impl FnOnce(Service) -> Service) -> Self {
        self.service = change(self.service);
        self
    }

    /// Answers, until it is closed.
    ///
    /// # Errors
    /// [`Error::Access`], [`Error::Unprotected`] if what was changed since makes it so: nothing was answered.
    ///
    /// # Panics
    /// Outside of a tokio runtime; if one of its [`routes`](Service::routes) is there already.
    pub fn serve(self) -> Result<Serving, Error> {
        let Self { service, listener, address } = self;
        service.may_listen(Some(address))?;
        let (limits, tls, closing) = (service.limits.clone(), service.tls.clone(), CancellationToken::new());
        let router = service.build(Some(address), closing.clone());
        Ok(Serving::start(listener, address, router, &limits, tls, closing))
    }
}
