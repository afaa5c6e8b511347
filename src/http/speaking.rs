//! The conversation on one connection.

use super::serving::Seat;
use super::{Limits, Tls};
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long a client may take to agree on how to encrypt.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Where a connection comes from, and its place.
type Peer = (SocketAddr, Seat);

/// Answers the requests of connections.
pub(super) struct Speaking {
    router: Router,
    http1: http1::Builder,
    /// Finds out by itself what is spoken, for which it needs twice the memory.
    either: auto::Builder<TokioExecutor>,
    /// How long a client may take to ask for the first time.
    first_within: Duration,
    closing: CancellationToken,
}

impl Speaking {
    pub(super) fn new(router: Router, limits: &Limits, closing: CancellationToken) -> Self {
        let (head, first_within) = (limits.head.max(8192), limits.head_within);
        let mut http1 = http1::Builder::new();
        http1.timer(TokioTimer::new()).header_read_timeout(first_within);
        http1.max_buf_size(head).max_header_size(head);
        let mut either = auto::Builder::new(TokioExecutor::new());
        either.http1().timer(TokioTimer::new()).header_read_timeout(first_within).max_buf_size(head);
        either
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
            .max_concurrent_streams(256)
            .keep_alive_interval(Some(Duration::from_secs(20)));
        Self { router, http1, either, first_within, closing }
    }

    /// Over TCP alone. What is spoken shows in the first bytes, which are only looked at.
    pub(super) async fn plainly(&self, stream: TcpStream, client: Peer) {
        let address = client.0;
        match timeout(self.first_within, begins_as_http1(&stream)).await {
            Ok(Ok(true)) => self.http1(stream, client).await,
            Ok(Ok(false)) => Box::pin(self.either(stream, client)).await,
            Ok(Err(error)) => broke_off(address, &error),
            Err(_) => tracing::debug!(client = %address, "a connection on which nothing was asked is closed"),
        }
    }

    /// Over TLS. A client that has said nothing else may speak what it likes.
    pub(super) async fn encrypted(&self, stream: TcpStream, client: Peer, tls: Tls) {
        let address = client.0;
        match timeout(HANDSHAKE, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => match stream.get_ref().1.alpn_protocol() {
                Some(b"http/1.1") => self.http1(stream, client).await,
                _ => self.either(stream, client).await,
            },
            Ok(Err(error)) => tracing::debug!(client = %address, %error, "no encrypted connection"),
            Err(_) => tracing::debug!(client = %address, "no encrypted connection in time"),
        }
    }

    async fn http1<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, client: Peer) {
        let address = client.0;
        let service = service_fn(move |request| answer(self.router.clone(), request, client.clone()));
        let connection = self.http1.serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection.with_upgrades());
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = self.closing.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            broke_off(address, &error);
        }
    }

    async fn either<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, client: Peer) {
        let address = client.0;
        let has_asked = Arc::new(AtomicBool::new(false));
        let asked = has_asked.clone();
        let router = self.router.clone();
        let service = service_fn(move |request| {
            asked.store(true, Ordering::Relaxed);
            answer(router.clone(), request, client.clone())
        });
        let connection = self.either.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        // As long as nothing has come, hyper does not know what is spoken, and keeps no time.
        let mut late = pin!(sleep(self.first_within));
        let (mut is_late, mut is_closing) = (false, false);
        let ended = loop {
            tokio::select! {
                ended = &mut connection => break ended,
                () = &mut late, if !is_late => {
                    is_late = true;
                    if !has_asked.load(Ordering::Relaxed) {
                        tracing::debug!(client = %address, "a connection on which nothing was asked is closed");
                        return;
                    }
                }
                () = self.closing.cancelled(), if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        };
        if let Err(error) = ended {
            broke_off(address, &error);
        }
    }
}

/// Whether what has come, or comes next, is not the beginning of HTTP/2.
async fn begins_as_http1(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; PREFACE.len()];
    let count = stream.peek(&mut first).await?;
    Ok(!first.get(..count).is_some_and(|first| PREFACE.starts_with(first)))
}

fn answer(
    router: Router,
    mut request: Request<Incoming>,
    (client, seat): Peer,
) -> impl Future<Output = Result<Response, Infallible>> + Send + 'static {
    request.extensions_mut().insert(ConnectInfo(client));
    request.extensions_mut().insert(seat);
    router.oneshot(request)
}

fn broke_off(client: SocketAddr, error: &dyn Display) {
    tracing::debug!(%client, %error, "a connection broke off");
}
