//! A service that runs.

use super::metered::{self, Connection};
use super::{Error, Limits, Tls};
use crate::stream::meter::Meter;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long is waited after a connection could not be taken, as when the process has too many files open.
const PAUSE: Duration = Duration::from_millis(50);
/// How many connections wait to be taken. Whoever finds no room tries again after a second.
const BACKLOG: u32 = 4096;
/// How long a client may take to agree on how to encrypt.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A service that runs; it ends when this is closed or dropped.
pub struct Serving {
    address: SocketAddr,
    scheme: &'static str,
    closing: CancellationToken,
    /// Gives up what is still being answered.
    ending: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Serving {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a browser of this machine finds it.
    #[must_use]
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            let here: std::net::IpAddr = if address.is_ipv4() {
                std::net::Ipv4Addr::LOCALHOST.into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            };
            address.set_ip(here);
        }
        format!("{}://{address}", self.scheme)
    }

    /// Takes no more connections, ends streams, and lets the requests under way be answered, for so long.
    ///
    /// # Cancel safety
    /// If dropped, what is still being answered is given up.
    pub async fn close(mut self, limit: Duration) {
        self.closing.cancel();
        if let Some(task) = &mut self.task
            && timeout(limit, &mut *task).await.is_err()
        {
            tracing::warn!(?limit, "requests that were not answered in time are given up");
            self.ending.cancel();
            let _ = task.await;
        }
        self.task = None;
    }

    pub(super) fn start(
        listener: TcpListener,
        address: SocketAddr,
        router: Router,
        limits: &Limits,
        tls: Option<Tls>,
        closing: CancellationToken,
    ) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let ending = CancellationToken::new();
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_within)
            .max_buf_size(limits.head.max(8192));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
            .max_concurrent_streams(256)
            .keep_alive_interval(Some(Duration::from_secs(20)));
        let server = Server {
            builder: Arc::new(builder),
            router,
            tls,
            meter: metered::listener(address),
            seats: Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS))),
            first_within: limits.head_within,
            closing: closing.clone(),
            ending: ending.clone(),
        };
        let task = tokio::spawn(server.run(listener));
        Self { address, scheme, closing, ending, task: Some(task) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.closing.cancel();
        self.ending.cancel();
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Binds an address, or says why that cannot be.
pub(super) async fn bind(address: &str) -> Result<TcpListener, Error> {
    let fits =
        address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !fits {
        return Err(Error::Address { address: address.to_owned() });
    }
    listen(address).await.map_err(|source| Error::Listen { address: address.to_owned(), source })
}

/// As tokio binds, the first address of a name that can be; but with room for thousands who come at once.
async fn listen(address: &str) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for address in lookup_host(address).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        match socket.bind(address).and_then(|()| socket.listen(BACKLOG)) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

pub(super) fn address_of(listener: &TcpListener, address: &str) -> Result<SocketAddr, Error> {
    listener.local_addr().map_err(|source| Error::Listen { address: address.to_owned(), source })
}

struct Server {
    builder: Arc<Builder<TokioExecutor>>,
    router: Router,
    tls: Option<Tls>,
    /// One for each connection there may be.
    seats: Arc<Semaphore>,
    meter: Arc<Meter>,
    /// How long a client may take to ask for the first time.
    first_within: Duration,
    closing: CancellationToken,
    ending: CancellationToken,
}

impl Server {
    async fn run(self, listener: TcpListener) {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = self.closing.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = self.accept(&listener) => accepted,
            };
            let Some((stream, client, seat)) = accepted else { continue };
            let watcher = graceful.watcher();
            let (builder, router, tls) = (self.builder.clone(), self.router.clone(), self.tls.clone());
            let first_within = self.first_within;
            let counted = Connection::of(&self.meter);
            connections.spawn(async move {
                let _seat = (seat, counted);
                let _ = stream.set_nodelay(true);
                match tls {
                    None => {
                        converse(&builder, stream, client, router, watcher, first_within).await;
                    }
                    Some(tls) => match timeout(HANDSHAKE, tls.acceptor().accept(stream)).await {
                        Ok(Ok(stream)) => {
                            converse(&builder, stream, client, router, watcher, first_within).await;
                        }
                        Ok(Err(error)) => tracing::debug!(%client, %error, "no encrypted connection"),
                        Err(_) => tracing::debug!(%client, "no encrypted connection in time"),
                    },
                }
            });
        }
        drop(listener);
        tokio::select! {
            () = graceful.shutdown() => {}
            () = self.ending.cancelled() => connections.abort_all(),
        }
        while connections.join_next().await.is_some() {}
    }

    /// The next connection, once there is a seat for it.
    async fn accept(&self, listener: &TcpListener) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let seat = self.seats.clone().acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((stream, client)) => Some((stream, client, seat)),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(PAUSE).await;
                None
            }
        }
    }
}

/// Answers the requests of one connection.
async fn converse(
    builder: &Builder<TokioExecutor>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    client: SocketAddr,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
    first_within: Duration,
) {
    let has_asked = Arc::new(AtomicBool::new(false));
    let asked = has_asked.clone();
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(client));
        router.clone().oneshot(request)
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(watcher.watch(connection));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        // As long as nothing has come, hyper does not know what is spoken, and keeps no time.
        () = sleep(first_within) => {
            if !has_asked.load(Ordering::Relaxed) {
                tracing::debug!(%client, "a connection on which nothing was asked is closed");
                return;
            }
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%client, error = &*error, "a connection broke off");
    }
}
