//! A service that runs.

use super::metered::{self, Connection};
use super::speaking::Speaking;
use super::{Error, Limits, Tls};
use crate::stream::meter::Meter;
use axum::Router;
use socket2::{SockRef, TcpKeepalive};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long is waited after a connection could not be taken, as when the process has too many files open.
const PAUSE: Duration = Duration::from_millis(50);
/// How many connections wait to be taken. Whoever finds no room tries again after a second.
const BACKLOG: u32 = 4096;

/// After how long of silence it is asked whether a client is there.
const QUIET: Duration = Duration::from_mins(1);
/// How long a client may take nothing of what it is sent.
#[cfg(target_os = "linux")]
const TAKES_NOTHING: Duration = Duration::from_mins(3);

/// The place of a connection among those there may be. Whatever goes on as something else, such as a WebSocket, keeps it.
#[derive(Clone)]
pub(super) struct Seat(
    #[expect(dead_code, reason = "it is let go of")] Arc<(OwnedSemaphorePermit, Connection)>,
);

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
        let speaking = Speaking::new(router, limits, closing.clone());
        let all_seats = limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        let server = Server {
            speaking: Arc::new(speaking),
            tls,
            meter: metered::listener(address),
            seats: Arc::new(Semaphore::new(all_seats)),
            all_seats,
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

/// Sends what is there at once, and lets the kernel find out who has gone without a word, or takes nothing any more.
fn attend(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(QUIET).with_interval(QUIET / 4));
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(TAKES_NOTHING));
}

struct Server {
    speaking: Arc<Speaking>,
    tls: Option<Tls>,
    /// One for each connection there may be.
    seats: Arc<Semaphore>,
    all_seats: usize,
    meter: Arc<Meter>,
    closing: CancellationToken,
    ending: CancellationToken,
}

impl Server {
    async fn run(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = self.closing.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = self.accept(&listener) => accepted,
            };
            let Some((stream, client, seat)) = accepted else { continue };
            let seat = Seat(Arc::new((seat, Connection::of(&self.meter))));
            let (speaking, tls) = (self.speaking.clone(), self.tls.clone());
            connections.spawn(async move {
                attend(&stream);
                match tls {
                    None => speaking.plainly(stream, (client, seat)).await,
                    // Boxed, as it is larger by far.
                    Some(tls) => Box::pin(speaking.encrypted(stream, (client, seat), tls)).await,
                }
            });
        }
        drop(listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        tokio::select! {
            () = ended => {}
            () = self.ending.cancelled() => {}
        }
        connections.shutdown().await;
        // Those that went on as something else end by themselves, soon.
        let all = u32::try_from(self.all_seats).unwrap_or(u32::MAX);
        tokio::select! {
            _ = self.seats.acquire_many(all) => {}
            () = self.ending.cancelled() => {}
        }
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
