//! The owner's end of the socket.

use super::connection;
use super::frame;
use super::message::FromOwner;
use super::socket;
use crate::backend::embedded::{MemoryPubSub, MemoryStore};
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// How many clients there may be at a time.
const CONNECTIONS: usize = 64;
/// How long to wait before listening again if the system has no room for another connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves other processes until it is dropped.
#[derive(Debug)]
pub(in crate::backend::file) struct Server {
    task: JoinHandle<()>,
}

/// What is served.
#[derive(Clone, Debug)]
pub(in crate::backend::file) struct Served {
    pub(in crate::backend::file) store: MemoryStore,
    pub(in crate::backend::file) pubsub: MemoryPubSub,
}

impl Server {
    /// Listens in `dir`; inside of a runtime.
    ///
    /// # Errors
    /// As the system says.
    pub(in crate::backend::file) fn start(dir: &Path, served: Served) -> io::Result<Self> {
        let listener = socket::bind(dir)?;
        Ok(Self { task: tokio::spawn(listen(listener, served)) })
    }

    pub(in crate::backend::file) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: UnixListener, served: Served) {
    let mut clients = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                while clients.try_join_next().is_some() {}
                if clients.len() < CONNECTIONS {
                    clients.spawn(connection::serve(stream, served.clone()));
                } else {
                    tracing::warn!(CONNECTIONS, "the control socket has no room for another client");
                    clients.spawn(refuse(stream));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket takes no client at the moment");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Says why, as far as that can be said without waiting for one who does not listen.
async fn refuse(mut stream: UnixStream) {
    let why = format!("the owner has {CONNECTIONS} clients already; end one of them");
    if let Ok(frame) = frame::encode(&FromOwner::<()>::Refused(why)) {
        let _ = tokio::time::timeout(PAUSE, stream.write_all(&frame)).await;
    }
}
