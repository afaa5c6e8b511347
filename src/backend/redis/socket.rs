//! The bytes to and from a server, watched for signs of life.

use super::address::Address;
use super::obstacle::Obstacle;
use super::tls::Tls;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// What was seen on a socket.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// How often something came.
    reads: AtomicU64,
    /// Something was sent since something came.
    unanswered: AtomicBool,
}

impl Pulse {
    pub(super) fn reads(&self) -> u64 {
        self.reads.load(Relaxed)
    }

    pub(super) fn is_unanswered(&self) -> bool {
        self.unanswered.load(Relaxed)
    }
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An open connection.
pub(super) struct Socket {
    stream: Box<dyn Stream>,
    pulse: Arc<Pulse>,
}

impl Socket {
    pub(super) async fn open(address: &Address, tls: Option<&Tls>) -> Result<Self, Obstacle> {
        let failed = |error: io::Error| Obstacle::passing(address, &error);
        let stream: Box<dyn Stream> = match address {
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(failed)?;
                // Commands are small and each one is waited for.
                stream.set_nodelay(true).map_err(failed)?;
                match tls {
                    Some(tls) => Box::new(tls.connect(address, host, stream).await?),
                    None => Box::new(stream),
                }
            }
            Address::Unix(path) => Box::new(UnixStream::connect(path).await.map_err(failed)?),
        };
        Ok(Self { stream, pulse: Arc::default() })
    }

    pub(super) fn pulse(&self) -> Arc<Pulse> {
        self.pulse.clone()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.pulse.unanswered.store(false, Relaxed);
            self.pulse.reads.fetch_add(1, Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.pulse.unanswered.store(true, Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
